"""50 runs at once in one process, against a hub in another: effects a second, against one run alone in the same minute.
`python -m benchmarks.many_runs [FOLDER]`. Goal: at least 4 times.

Everything is the real thing: interpreter, codec, rails, send gate, one journal with synced commits, one SignalR client for
all runs. The hub is a process that answers at once (benchmarks/_still_hub.py), so what is measured is ours: what a run waits
for (the disk's sync, the way to the hub and back) is what others do their work in. Three kinds of effects: reads, calls with
an intent and a key, and trades with rails and verdicts, each run on an account of its own. A turn's commit holds what has
become ready of all runs, so the syncs an effect are printed too.

Against a hub on the same machine that answers at once, the runs wait for next to nothing, and the processor is the end of it
(no number of runs in one process comes beyond the reciprocal of "processor"): the hardest case. The last row is a hub some
milliseconds away.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, TypeAlias

from benchmarks._goals import at_least
from benchmarks._still_hub import still_hub
from mesoflow.engine.action import Context, Effects
from mesoflow.engine.control import Machine
from mesoflow.engine.effects import Call, Effect, Place
from mesoflow.engine.program import Program, Step
from mesoflow.hubs.client import MesoLive
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.clock import SystemClock
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.gate import Gate
from mesoflow.runtime.run import Run
from mesoflow.runtime.send import RUN_CLASSES
from mesoflow.runtime.setting import HubFacts, Setting
from mesoflow.safety.environment import Environment
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from tests.support.gates import RISK
from tests.support.toys import T0, Toy, order_of

RUNS = 50
EFFECTS = 40  # of each run
SERIES = 10  # of runs alone, one after another
ROUNDS = 5
GOAL = 4
AWAY_S = 0.005  # a hub that is not on this machine, near enough
WANTED: dict[str, Any] = {
    "position_name": "calendar",
    "strategy_id": 101,
    "broker_account_id": "PAPER-1",
    "leg_selection_constraint": "FullyUnique",
    "underlying": None,
    "data_provider": None,
}


def looked(ctx: Context, number: int) -> Effect:
    return Call(f"account-{number}", "GetAccount", {"broker_account_id": "PAPER-1"})


def prepared(ctx: Context, number: int) -> Effect:
    return Call(f"start-{number}", "StartPreparePositionEntry", WANTED)


def traded(ctx: Context, number: int) -> Effect:
    order = order_of(number, Decimal("42.25"), ctx.now)
    args = {**order.args, "broker_account_id": ctx.account}
    return Place(f"fill-{number}", replace(order, account=ctx.account, args=args))


def mixed(ctx: Context, number: int) -> Effect:
    """As the quickstart is: mostly reads, a prepare job now and then, few trades."""
    wish = {0: prepared, 10: traded}.get(number % 20, looked)
    return wish(ctx, number)


KINDS: dict[str, Callable[[Context, int], Effect]] = {
    "reads": looked,
    "intents": prepared,
    "trades": traded,
    "mixed": mixed,
}


def one_after_another(
    asked: Callable[[Context, int], Effect],
) -> Callable[[Context, Mapping[str, Any]], Effects]:
    def body(ctx: Context, inputs: Mapping[str, Any]) -> Effects:
        for number in range(inputs["count"]):
            yield asked(ctx, number)
        return {}

    return body


ACTIONS = {
    f"bench.{kind}": Toy(f"bench.{kind}", "trade", one_after_another(asked)) for kind, asked in KINDS.items()
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one round: effects a second, seconds of processor an effect, commits an effect."""

    rate: float
    processor: float
    commits: float


Table: TypeAlias = dict[tuple[str, str], list[Measured]]


class Counted(SqliteJournal):
    """Counts its commits; each is one sync."""

    commits = 0

    def commit(self, *args: Any, **kwargs: Any) -> Any:
        self.commits += 1
        return super().commit(*args, **kwargs)


async def measure(hub: MesoLive, folder: Path, kind: str, series: int, runs: int) -> Measured:
    """`series` times `runs` runs at once, EFFECTS effects each."""
    journal = Counted.open(folder / "journal.db")
    try:
        crash = CrashPoints()
        committer = Committer(journal, crash, failed=_raise)
        made = [_made(hub, journal, committer, kind, f"bench-{number}") for number in range(series * runs)]
        begun, worked, before = perf_counter(), process_time(), journal.commits
        for first in range(0, len(made), runs):
            ends = await asyncio.gather(*(run.go([], T0) for run in made[first : first + runs]))
            wrong = [end for end in ends if getattr(end, "state", "") != "done"]
            if wrong:
                raise SystemExit(f"a measured run did not end as it should: {wrong[0]}")
        took, work = perf_counter() - begun, process_time() - worked
        count = len(made) * EFFECTS
        return Measured(count / took, work / count, (journal.commits - before) / count)
    finally:
        journal.close()


def _made(hub: MesoLive, journal: Counted, committer: Committer, kind: str, run_id: str) -> Run:
    clock, crash = TradingDay(), CrashPoints()
    account = f"PAPER-{run_id}"
    seen: Any = MinutesApart(hub, clock)
    setting = Setting(seen, clock, committer, crash, tell=_silent, facts=HubFacts(simulator=True))
    now = clock.now()
    program = Program("many", (Step("each", f"bench.{kind}", {"count": EFFECTS}),))
    context = Context(run_id, program.name, "cboe-index-options", now, account=account)
    environment = Environment(
        run_id,
        simulator=True,
        durable=True,
        semantics=1,
        pinned_semantics=1,
        program="p",
        pinned_program="p",
        run_number=1,
        policy_accepted=True,
    )
    gate = Gate(run_id, Limits.parse({**RISK, "accounts": [account]}), Ledger(), environment)
    committer.hold(run_id, journal.claim(run_id))
    committer.add([Entry(run_id, "started", {"at": now})])
    committer.flush()
    return Run(
        run_id, run_id.encode().hex().ljust(32, "0"), Machine(program, ACTIONS, context, {}), setting, gate
    )


class TradingDay(SystemClock):
    """Real time on the day of the toys' contracts, and what has been added to it."""

    def __init__(self) -> None:
        shift = T0 - datetime.now(UTC)
        self.added = timedelta()
        super().__init__(lambda: datetime.now(UTC) + shift + self.added)


class MinutesApart:
    """The hub as one run sees it: each answer takes two minutes on the run's clock. Trades of one run lie minutes apart, as
    they do, and what the hub shows by then is no longer counted twice."""

    def __init__(self, hub: MesoLive, clock: TradingDay) -> None:
        self._hub = hub
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hub, name)

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:
        answer = await self._hub.invoke(method, argument, within=within)
        self._clock.added += timedelta(minutes=2)
        return answer


async def _silent(_: object) -> dict[str, Any]:
    return {}


def _raise(error: BaseException) -> None:
    raise error


async def table(url: str, folder: Path, kinds: Iterable[str]) -> Table:
    """Each round measures the run alone and the many, one after the other, of each kind."""
    hub = await MesoLive.connect(url, token="T", random=lambda: 0.5, hubs=["control"], allow=RUN_CLASSES)
    found: Table = {}
    for number in range(ROUNDS):
        for kind in kinds:
            for name, series, runs in (("alone", SERIES, 1), ("many", 1, RUNS)):
                place = folder / f"{kind}-{name}-{number}"
                place.mkdir(mode=0o700, parents=True)
                found.setdefault((kind, name), []).append(await measure(hub, place, kind, series, runs))
    await hub.close()
    return found


def show(found: Table, kinds: Iterable[str], label: str = "") -> None:
    """Print the rows of some kinds."""
    for kind in kinds:
        alone, many = found[kind, "alone"], found[kind, "many"]
        times = median(m.rate / a.rate for a, m in zip(alone, many, strict=True))
        name = f"{kind}{label}"
        for count, rows in (("1 run", alone), (f"{RUNS} runs", many)):
            rate, work, commits = (median(getattr(row, what) for row in rows) for what in Measured.__slots__)
            figures = (
                f"{rate:7.0f} effects/s   processor {work * 1e6:5.0f} µs   {commits:.2f} commits an effect"
            )
            print(f"{name:24} {count:8} {figures}")
        print(f"{name:24} {times:.1f} times one run alone{at_least(times, GOAL)}")


def main(argv: list[str]) -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        near, far = Path(name, "near"), Path(name, "far")
        with still_hub() as url:
            show(asyncio.run(table(url, near, KINDS)), KINDS)
        with still_hub(AWAY_S) as url:
            show(asyncio.run(table(url, far, ["mixed"])), ["mixed"], f", hub {AWAY_S * 1e3:.0f} ms away")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
