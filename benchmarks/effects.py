"""What one durable effect costs, against one bare SQLite WAL FULL commit of 500 bytes on the same disk in the same run,
and against DBOS on SQLite doing no-op steps. `python -m benchmarks.effects [FOLDER]`.

The run is the real one (interpreter, codec, journal, rails, send gate); the hub answers at once and in process, so that
what is measured is ours. Goals: at most 2.0 commits for a trading effect with its rails; one sync an effect in a sequence
(counted by the journal's VFS); at least 8 times cheaper than a DBOS step. DBOS is as its documentation sets it up: a sqlite
URL, steps that do nothing, called one after another in one workflow; only the steps are timed, not its start. Ours includes
the start and the end of the run, and a trading effect its order, the rails and the intent. "A step each" is not an effect
alone: it adds what a playbook's step costs.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import apsw

from benchmarks._goals import at_least, at_most
from mesoflow.engine.action import Context, Effects
from mesoflow.engine.control import Machine
from mesoflow.engine.effects import Call, Place
from mesoflow.engine.program import ForEach, Program, Step
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.run import Run
from mesoflow.runtime.setting import Setting
from tests.support.gates import practice_gate
from tests.support.memory_hub import MemoryHub, MemoryWorld
from tests.support.rig import NONCE, RigClock
from tests.support.toys import T0, TOYS, Toy, order_of
from tests.support.vfs import RecordingVfs

EFFECTS = 500
ROUNDS = 5
DBOS_ROUNDS = 3
# The goals: bare commits that a trade may cost; how many times cheaper than a DBOS step.
COMMITS, CHEAPER = 2.0, 8


def look(ctx: Context, inputs: Mapping[str, Any]) -> Effects:
    """Reads, one after another."""
    for number in range(inputs["count"]):
        yield Call(f"account-{number}", "GetAccount", {"broker_account_id": "PAPER-1"})
    return {}


def trade(ctx: Context, inputs: Mapping[str, Any]) -> Effects:
    """Paper fills, one after another: each an order of its own, on facts read just now."""
    order = order_of(0, Decimal("42.25"), ctx.now)
    for number in range(inputs["count"]):
        facts = replace(order.facts, as_of=ctx.now)
        args = {**order.args, "exec_plan_id": number}
        yield Place(f"fill-{number}", replace(order, exec_plan_id=number, facts=facts, args=args))
    return {}


ACTIONS = {**TOYS, **{f"bench.{body.__name__}": Toy(body.__name__, "trade", body) for body in (look, trade)}}


def in_one_action(action: str) -> Program:
    """One step, whose action asks for all effects."""
    return Program("one-step", (Step("each", action, {"count": EFFECTS}),))


def a_step_each(action: str, name: str, value: str) -> Program:
    """A loop's step for each effect: with what a playbook costs, its templates and the checks of inputs."""
    step = Step("each", action, {name: value}, for_each=ForEach("{{ inputs.items }}"))
    return Program("a-step-each", (step,))


PROGRAMS = {
    "read": in_one_action("bench.look"),
    "trade": in_one_action("bench.trade"),
    "read, a step each": a_step_each("toy.look", "account", "{{ loop.item }}"),
    "trade, a step each": a_step_each("toy.trade", "plan", "{{ loop.item }}"),
}


class BenchClock(RigClock):
    """Moves only when the hub moves it: reading it costs what reading a clock costs."""

    def now(self) -> datetime:
        return self.base


class InstantHub(MemoryHub):
    """Answers without a pause, and without a hub's own work, which is not ours to measure. Orders of one run lie minutes
    apart, as they do: each answer takes two on its clock."""

    def __init__(self, world: MemoryWorld, clock: RigClock) -> None:
        super().__init__(world)
        self._clock = clock
        self._positions = count(4700)

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:
        self._clock.base += timedelta(minutes=2)
        if method == "ApplyPaperFills":
            return {"position_id": next(self._positions), "exec_plan_id": 1, "live_order_ids": []}
        return {"account": {"broker_account_id": "PAPER-1", "cash": Decimal("250000.00")}}


def sequence(folder: Path, program: Program, vfs: str | None = None) -> float:
    """Seconds a run of EFFECTS effects takes, one after another, start and end included."""
    journal = SqliteJournal.open(folder / "journal.db", vfs=vfs)
    try:
        begun = perf_counter()
        asyncio.run(_run(journal, program))
        return perf_counter() - begun
    finally:
        journal.close()


async def _run(journal: SqliteJournal, program: Program) -> None:
    loop = asyncio.get_running_loop()
    clock = BenchClock(T0, loop)
    crash = CrashPoints()
    committer = Committer(journal, crash, failed=_raise)
    setting = Setting(InstantHub(MemoryWorld(clock.now), clock), clock, committer, crash, tell=None)  # type: ignore[arg-type]
    items = list(range(EFFECTS))
    context = Context("bench-1", program.name, "cboe-index-options", T0, account="PAPER-1")
    run = Run(
        "bench-1",
        NONCE,
        Machine(program, ACTIONS, context, {"items": items}),
        setting,
        practice_gate("bench-1"),
    )
    committer.hold("bench-1", journal.claim("bench-1"))
    committer.add([Entry("bench-1", "started", {"at": T0})])
    ended = await run.go([], T0)
    if getattr(ended, "state", "") != "done":
        raise SystemExit(f"the measured run did not end as it should: {ended}")


def _raise(error: BaseException) -> None:
    raise error


def bare(folder: Path) -> float:
    """Seconds of EFFECTS bare commits of 500 bytes."""
    connection = apsw.Connection(str(folder / "bare.db"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, body TEXT)")
    text = "x" * 500
    begun = perf_counter()
    for _ in range(EFFECTS):
        connection.execute("INSERT INTO t(body) VALUES(?)", (text,))
    taken = perf_counter() - begun
    connection.close()
    return taken


def syncs(folder: Path) -> dict[str, float]:
    """Syncs of the WAL an effect, as the journal's VFS sees them."""
    counted = {}
    for name, program in PROGRAMS.items():
        vfs = RecordingVfs(f"bench-{name}")
        sequence(new(folder, f"sync-{name}"), program, vfs.name)
        counted[name] = sum(1 for what, kind in vfs.events if what == "sync" and kind == "wal") / EFFECTS
    return counted


DBOS_STEPS = """
import sys, time
from dbos import DBOS, DBOSConfig
DBOS(config=DBOSConfig(name="bench", system_database_url=f"sqlite:///{sys.argv[1]}/dbos.db"))
@DBOS.step()
def noop(n): return n
@DBOS.workflow()
def steps(count):
    begun = time.perf_counter()
    for n in range(count): noop(n)
    return time.perf_counter() - begun
DBOS.launch()
print("TAKEN", steps(int(sys.argv[2])))
DBOS.destroy()
"""


def dbos(folder: Path) -> float | None:
    """Seconds of EFFECTS no-op steps of DBOS on SQLite; None where it is not installed."""
    command = [sys.executable, "-c", DBOS_STEPS, str(folder), str(EFFECTS)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("TAKEN")]
    return float(lines[0].split()[1]) if lines else None


def new(folder: Path, name: str) -> Path:
    """A new folder in the folder."""
    made = folder / name
    made.mkdir(mode=0o700)
    return made


def measured(folder: Path) -> dict[str, list[float]]:
    """Seconds of each kind, round by round, taken in turn so that a busy disk hits all of them."""
    taken: dict[str, list[float]] = {"bare commit": [], **{name: [] for name in PROGRAMS}, "DBOS step": []}
    for number in range(ROUNDS):
        taken["bare commit"].append(bare(folder))
        for name, program in PROGRAMS.items():
            taken[name].append(sequence(new(folder, f"{name}-{number}"), program))
        steps = dbos(new(folder, f"dbos-{number}")) if number < DBOS_ROUNDS else None
        if steps is not None:
            taken["DBOS step"].append(steps)
    return taken


def main(argv: list[str]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        folder = Path(name)
        taken = measured(folder)
        base = median(taken["bare commit"])
        for kind, times in taken.items():
            if times:
                each = median(times)
                goal = at_most(round(each / base, 2), COMMITS) if kind == "trade" else ""
                print(f"{kind:18} {each / EFFECTS * 1e6:7.0f} µs   {each / base:5.2f} × bare commit{goal}")
        for kind, number in syncs(folder).items():
            print(f"{kind:18} {number:7.2f} syncs an effect{at_most(round(number, 1), 1)}")
        if not taken["DBOS step"]:
            print("DBOS               not installed: pip install '.[bench]'")
            return
        for kind in PROGRAMS:
            ratio = median(taken["DBOS step"]) / median(taken[kind])
            goal = at_least(ratio, CHEAPER) if kind in ("read", "trade") else ""
            print(f"{kind:18} {ratio:7.1f} times cheaper than a DBOS step{goal}")


if __name__ == "__main__":
    main(sys.argv[1:])
