"""What preparing an entry costs, from the call to the stored plan and its event, against its parts. `python -m benchmarks.prepare
[ROUNDS]`.

One row a template, medians over fresh moments of one world: the whole, and in the same turns
read        the definition, from its text to values
evaluate    expirations, legs, quantities, variables and conditions on the market of that moment; the language's calls in it
plan        figures of legs, groups and the position, and the plan's row
rest        record, job, event and two commits: the whole less its parts
The whole is one thread's work: what a client waits for is the job's simulated time on top of it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

from benchmarks._goals import at_most
from mesoflow.hubs.models.prepares import PreparePositionEntryArgs
from mesoflow.simulator.strategies.entry import Preview, preview
from mesoflow.simulator.strategies.selection import Circumstances
from mesoflow.simulator.world.plans import EntryOf
from mesoflow.simulator.world.world import World

START = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
ACCOUNT = "PAPER-1"
# Template, and what it is of: two legs by delta and by an expression, a strangle over all roots, four legs of today, four with
# ranks of volatility.
TEMPLATES = ((101, "calendar"), (103, "strangle"), (104, "condor of today"), (107, "boxcar"))
GOAL_MS = 25.0

_T = TypeVar("_T")


class Parts:
    """Seconds by part, a list of rounds each."""

    def __init__(self) -> None:
        self._found: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[[], _T]) -> _T:
        began = perf_counter()
        value = work()
        self._found.setdefault(name, []).append(perf_counter() - began)
        return value

    def ms(self, name: str) -> float:
        return median(self._found[name]) * 1e3


def whole(world: World, template: int, n: int, now: datetime) -> None:
    """As the hub does it: the call, and the job's end."""
    args = PreparePositionEntryArgs.read(
        {
            "idempotency_key": f"key-{template}-{n}",
            "position_name": "measured",
            "strategy_id": template,
            "broker_account_id": ACCOUNT,
            "leg_selection_constraint": "FullyUnique",
            "underlying": None,
            "data_provider": None,
        }
    )
    world.jobs.start_entry(args, now, world.records)
    world.advance(now + timedelta(seconds=10))


def parts(world: World, template: int, now: datetime, timed: Parts) -> Preview:
    definition = timed.time("read", lambda: world.strategies.definition(template))

    def evaluated() -> Preview:
        around = Circumstances(
            today=world.market.calendar.local_date(now),
            names=world.jobs.names(ACCOUNT, now),
            used=world.positions.used(),
            unique_in_position=True,
        )
        return preview(definition, world.market.at(now), around, world.core.lua)

    found = timed.time("evaluate", evaluated)
    of = EntryOf("measured", template, "measured", ACCOUNT, "SPX")

    def planned() -> None:
        with world.core.change(now):
            world.plans.add_entry(of, found, now)

    timed.time("plan", planned)
    return found


def row(world: World, template: int, name: str, rounds: int, begin: datetime) -> None:
    timed = Parts()
    for n in range(rounds):
        # Each moment is asked for the first time, by the whole and by the parts alike.
        now = begin + timedelta(seconds=40 * n)
        timed.time("whole", lambda n=n, now=now: whole(world, template, n, now))  # type: ignore[misc]  # bound now
        legs = parts(world, template, now + timedelta(seconds=20), timed).legs
    total = timed.ms("whole")
    shares = {part: timed.ms(part) for part in ("read", "evaluate", "plan")}
    told = ", ".join(f"{part} {ms:.1f}" for part, ms in shares.items())
    rest = total - sum(shares.values())
    print(
        f"{name:16} {len(legs)} legs in {total:.1f} ms{at_most(total, GOAL_MS, ' ms')}\n"
        f"                 {told}, rest {rest:.1f} ms"
    )


def main(argv: list[str]) -> int:
    rounds = int(argv[0]) if argv else 40
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "world")
        # The language is loaded, and a year of volatility looked at, once a process.
        whole(world, 107, -1, START)
        begin = START + timedelta(minutes=1)
        for template, name in TEMPLATES:
            row(world, template, name, rounds, begin)
            begin += timedelta(seconds=40 * rounds)
        world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
