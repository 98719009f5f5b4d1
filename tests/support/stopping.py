"""A run stopped at an instant of its walks: cancelled, halted or killed, so many turns of its loop after a moment of its time.

`stage` is called in the command's own process before it begins (warm.py); the variable STAGE says what it is to do. Of the
instants half are spread evenly over the time of the walks, in which orders rest; the others are the moments at which
something was recorded there and a few turns of the loop later, where everything else happens.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mesoflow.actions import walk
from mesoflow.journal.records import Record
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.run import Run
from mesoflow.trading.orders import Order

STAGE = "MESOFLOW_TEST_STAGE"
# An exchange with the hub takes about ten turns of the loop; a rung's beginning is a few exchanges.
TURNS_MAX = 80


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment of simulated time, and turns of the loop after it."""

    at: datetime
    turns: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}+{self.turns}"


def instants(records: Sequence[Record], number: int, seed: int) -> list[Instant]:
    """So many instants of the walks of an uncut run, in their order."""
    draw = random.Random(seed)
    spans = walks(records)
    whole = sum(((end - begin) for begin, end in spans), timedelta(0))
    even = number // 2
    found = [Instant(_along(spans, whole * (n + 0.5) / even), 0) for n in range(even)]
    moments = sorted(
        {r.body["at"] for r in records if "at" in r.body and any(b <= r.body["at"] <= e for b, e in spans)}
    )
    busy = [Instant(at, turns) for at in moments for turns in range(1, TURNS_MAX)]
    return sorted(found + draw.sample(busy, number - even), key=lambda one: (one.at, one.turns))


def walks(records: Sequence[Record]) -> list[tuple[datetime, datetime]]:
    """When each walk begins, with its first intent, and ends, with the last that was settled of its rungs."""
    begun: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for record in records:
        if record.kind == "intended" and record.body.get("order"):
            begun.setdefault(record.body["path"].rsplit("/rung-", 1)[0], record.body["at"])
        elif record.kind == "settled":
            for name in begun:
                if record.body["path"].startswith(f"{name}/"):
                    ended[name] = record.body["at"]
    return [(at, ended[name]) for name, at in begun.items()]


def _along(spans: Sequence[tuple[datetime, datetime]], gone: timedelta) -> datetime:
    for begin, end in spans:
        if gone <= end - begin:
            return begin + gone
        gone -= end - begin
    return spans[-1][1]


# --- in the command's process ------------------------------------------------------------------------------------------


def stage() -> None:
    """`DEED ISO-TIME+TURNS`: do that to the run then."""
    deed, when = os.environ[STAGE].split(" ")
    moment, turns = when.rsplit("+", 1)
    go = Run.go

    async def staged(self: Run, *arguments: Any, **named: Any) -> Any:
        loop = asyncio.get_running_loop()
        away = (datetime.fromisoformat(moment) - self._setting.clock.now()).total_seconds()
        loop.call_later(max(away, 0), _after, int(turns), lambda: _DEEDS[deed](self))
        return await go(self, *arguments, **named)

    Run.go = staged  # type: ignore[method-assign]


def _after(turns: int, deed: Callable[[], None]) -> None:
    if turns:
        asyncio.get_running_loop().call_soon(_after, turns - 1, deed)
    else:
        deed()


def _touch(run: Run) -> None:
    os.close(os.open(os.path.join(os.environ["MESOFLOW_HOME"], "HALT"), os.O_CREAT | os.O_WRONLY, 0o600))


def _halt(run: Run) -> None:
    """As `mesoflow kill` does it: first the file, then whoever runs sees it."""
    _touch(run)
    run.halt(by_a_person=True)


_DEEDS: dict[str, Callable[[Run], None]] = {
    "cancel": lambda run: run.cancel("operator"),
    "halt": _halt,
    "touch": _touch,
    "die": lambda run: os.kill(os.getpid(), signal.SIGKILL),
}


# --- broken on purpose: what the tests must catch ----------------------------------------------------------------------


def withdraws_nothing() -> None:
    """A halt for which no order is to be stopped."""
    Run._is_to_stop = lambda self, order: False  # type: ignore[method-assign]
    stage()


def sees_no_halt() -> None:
    """A runner that looks at HALT and never finds it: its next rung leaves."""
    StateHome.is_halted = lambda self: False  # type: ignore[method-assign]
    stage()


def forgets_its_orders() -> None:
    """A cancelled walk that leaves its rung where it rests."""

    def nothing(*_: object) -> Iterator[Any]:
        yield from ()

    walk.take_back = nothing  # type: ignore[assignment]
    stage()


def resends_whatever_happens() -> None:
    """A recovery to which a resend is no start: only the rails are asked."""

    async def rails_only(self: Run, path: str, order: Order) -> str:
        return await self._forbidden(path, order)

    Run._no_start = rails_only  # type: ignore[method-assign]
