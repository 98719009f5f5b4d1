"""What a run is given from outside: its hub, its clock, its journal, and how people are told. Composed by cli.

Nothing of this is part of the interpreter's state; everything of it can be another one in a test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from mesoflow.engine.action import Context, Effects
from mesoflow.engine.effects import Effect, Govern, Outcome, Tell, Value
from mesoflow.hubs.hub import Hub
from mesoflow.runtime.clock import RunClock
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.trading.orders import Order


@dataclass(frozen=True, slots=True)
class HubFacts:
    """What the hub's profile says, or hubs/inferred.py where it says nothing (EXECUTION.md §4).

    `late_arrival`: how long after its sending a call may still arrive; `retention`: how long the hub keeps idempotency
    records. `died_with_runner`: an embedded simulator, which cannot have gone on without us.
    """

    late_arrival: timedelta = timedelta(seconds=30)
    retention: timedelta = timedelta(minutes=10)
    died_with_runner: bool = False
    simulator: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Something a person may want to see: an effect asked for, settled, held, or the run's end."""

    kind: Literal["asked", "settled", "note"]
    path: str
    effect: Effect | None = None
    outcome: Outcome | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """Open legs by position, and by exec plan where the position that an entry made is not known yet."""

    positions: Mapping[int, Mapping[str, Decimal]]
    plans: Mapping[int, Mapping[str, Decimal]] = field(default_factory=dict)


def _silent(_: Progress) -> None:
    return None


def _never() -> bool:
    return False


async def _ungoverned(effect: Govern) -> Mapping[str, Value]:
    """Where there is no state home there is nothing to govern: a bug, or a test that forgot it."""
    raise AssertionError(f"nobody governs: {effect}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One process's world. `call_within` bounds each call; `budget` is how long what may pass by itself is repeated.

    `refresh` reads an order's quotes and facts anew, so that today's rails can judge a resend (actions/refresh.py); without
    it they are left as they are, and old ones are refused. `recheck` reads accounts and agents anew at a resume
    (actions/preflight.py). `halted` looks at HALT; `leaves` hears the key of each order that is about to leave;
    `govern` changes the trading state.
    `expected_legs(plans)` are the open legs that the home's journal knows of, of the positions that these exec plans traded
    (legs.py). `page`: whom an unknown outcome is told.
    """

    hub: Hub
    clock: RunClock
    committer: Committer
    crash: CrashPoints
    tell: Callable[[Tell], Awaitable[Mapping[str, Value]]]
    facts: HubFacts = field(default_factory=HubFacts)
    refresh: Callable[[Context, Order], Effects] | None = None
    recheck: Callable[[Context], Effects] | None = None
    halted: Callable[[], bool] = _never
    leaves: Callable[[str], None] | None = None
    govern: Callable[[Govern], Awaitable[Mapping[str, Value]]] = _ungoverned
    expected_legs: Callable[[Collection[int]], Expected] | None = None
    page: tuple[str, ...] = ()
    progress: Callable[[Progress], None] = _silent
    call_within: timedelta = timedelta(seconds=15)
    budget: timedelta = timedelta(minutes=2)
    record_wait: timedelta = timedelta(seconds=60)
