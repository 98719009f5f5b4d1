"""Dials for what goes wrong, set in process or from a file (rehearsal/faultfile). The wire reads those of the first group,
the world those of the second, the brokers those of the third; what befalls whom is a value of troubles.py.

A dial at rest changes nothing. Times are simulated; what a dial does is a function of the calls and of that time, never
of when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from mesoflow.simulator.troubles import (
    Away,
    Held,
    Loss,
    Mishap,
    MishapKind,
    Misquote,
    Mistold,
    Restart,
    Step,
    Twice,
)

# How long idempotency records live unless the dial says otherwise; no retention is documented (hub/behaviour.md §4).
RETENTION = timedelta(minutes=10)
_Counted = TypeVar("_Counted", Loss, Twice, Held, Mistold)


@dataclass(slots=True)
class Faults:
    """All dials. Mutable while the simulator runs."""

    # The wire's. A lost request was never executed; a lost reply was, and its effects are written.
    lose_request: list[Loss] = field(default_factory=list)
    lose_reply: list[Loss] = field(default_factory=list)
    duplicate_reply: list[Twice] = field(default_factory=list)
    reorder: list[Held] = field(default_factory=list)
    # Simulated time between a request's arrival and its execution, by method; "*" for all others.
    delay: dict[str, timedelta] = field(default_factory=dict)

    # The world's. For how long after its call a record still reads Processing, by method; "*" for all others.
    record_processing: dict[str, timedelta] = field(default_factory=dict)
    # Methods whose records are gone at once ("*": all): the variant that breaks the hub's promise.
    record_gone: set[str] = field(default_factory=set)
    record_retention: timedelta = RETENTION
    # Whether simulated time passes while nobody lives.
    clock_runs_while_dead: bool = False
    # Steps of the hub's own clock, which tells times that are not those at which things happen.
    clock_steps: list[Step] = field(default_factory=list)
    # When a new world begins (UTC), where that is not the usual Thursday: around a change to summer time, for example.
    begins: datetime | None = None
    quotes: list[Misquote] = field(default_factory=list)

    # The history's and the streams'. By how many numbers EventSeqId jumps after each event; each callback told twice, under one
    # EventId; how many events of the page before each page of the history repeats; every nth item of a stream is left out.
    seq_jumps: int = 0
    callbacks_twice: bool = False
    pages_overlap: int = 0
    stream_drops: int = 0

    # The brokers'. What befalls an order is decided when it is accepted and kept with it.
    orders: list[Mishap] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)
    # When an agent (`IBKR`, `TastyTrade`) is away: orders reach the broker, and reports the hub, when it is back.
    agents_away: list[tuple[str, Away]] = field(default_factory=list)
    # When the exchange halts trade: quotes stand still, nothing fills, orders and cancels are taken all the same.
    halts: list[Away] = field(default_factory=list)
    # How a broker takes an order that replaces another (broker/replacing.py).
    replace: Literal["atomic", "refused", "cancel_then_new", "both_alive", "resized"] = "atomic"
    # When callbacks are lost; the events are in the history.
    silences: list[Away] = field(default_factory=list)
    # How the hubs write what they say; no page tells (forms.py, wire/encodings.py). `decimals` None: as .NET has them.
    # `enum_numbers`: members are sent as numbers, against the client's guess of that name.
    casing: Literal["Pascal", "camel"] = "Pascal"
    enum_numbers: bool = False
    decimals: Literal["number", "text"] | None = None
    # Every guess of the client's `inferred`, by its name, made wrong; `enum_numbers` and `record_retention` are above.
    # Other names for refusals; a call that took effect and ends in an error; a request that is executed when its connection is
    # long gone; what a limit says of a credit; what a multiplier multiplies; a moved leg that keeps its name.
    status_codes: bool = False
    hub_errors: list[Mistold] = field(default_factory=list)
    late_arrival: list[Held] = field(default_factory=list)
    credit_sign: Literal[-1, 1] = -1
    qty_multiplier: Literal["replaces", "multiplies"] = "replaces"
    moved_leg_name: Literal["own", "same"] = "own"
    # Agents that are not called as their accounts' brokers; a clone that is refused, or is another strategy; expirations that
    # are written as midnight after their day in New York; other kinds in the history; GetEventsSince that includes its number;
    # callbacks that overtake each other.
    agent_of_account: bool = False
    clone_strategy_id: Literal["clones", "refuses", "differs"] = "clones"
    expiration_date: bool = False
    event_kinds: bool = False
    events_since: bool = False
    event_order: bool = False
    # An unknown job under another status; other words for a package that a broker does not take; a contract that is named twice
    # and held once; the record under a name.
    job_gone: bool = False
    no_combo: bool = False
    combo_ratio: bool = False
    record_wrapper: str | None = None

    _aways: list[Away] = field(default_factory=list)
    _listeners: list[Callable[[Away], None]] = field(default_factory=list)

    def hub_away(self, start: datetime, duration: timedelta) -> None:
        """From `start`, for `duration`: connections are cut and new ones refused."""
        away = Away(start, start + duration)
        self._aways.append(away)
        for listener in self._listeners:
            listener(away)

    def is_away(self, now: datetime) -> bool:
        return any(away.start <= now < away.end for away in self._aways)

    def agent_away(self, connector: str, start: datetime, duration: timedelta) -> None:
        self.agents_away.append((connector, Away(start, start + duration)))

    def broker_restart(
        self, broker: str, start: datetime, duration: timedelta, *, new_ids: bool = True
    ) -> None:
        self.restarts.append(Restart(broker, Away(start, start + duration), new_ids))

    def halt(self, start: datetime, duration: timedelta) -> None:
        """The exchange halts trade from `start`, for `duration`."""
        self.halts.append(Away(start, start + duration))

    def silence(self, start: datetime, duration: timedelta) -> None:
        """Callbacks are lost from `start`, for `duration`."""
        self.silences.append(Away(start, start + duration))

    def is_silent(self, now: datetime) -> bool:
        return any(away.start <= now < away.end for away in self.silences)

    def agent_back(self, connector: str, now: datetime) -> datetime | None:
        """When an agent that is away now is back; None: it is here."""
        return _back((away for name, away in self.agents_away if name == connector), now)

    def broker_back(self, broker: str, now: datetime) -> datetime | None:
        return _back((restart.away for restart in self.restarts if restart.broker == broker), now)

    def mishaps_of_next_order(self) -> list[Mishap]:
        """Count an accepted order against every mishap; those that come due are spent and returned."""
        for mishap in self.orders:
            mishap.nth -= 1
        due = [mishap for mishap in self.orders if mishap.nth <= 0]
        self.orders = [mishap for mishap in self.orders if mishap.nth > 0]
        return due

    def listen(self, listener: Callable[[Away], None]) -> None:
        """Tell a server of absences, those known already included."""
        self._listeners.append(listener)
        for away in self._aways:
            listener(away)

    def unlisten(self, listener: Callable[[Away], None]) -> None:
        self._listeners.remove(listener)

    def delay_of(self, method: str) -> timedelta | None:
        return self.delay.get(method, self.delay.get("*"))

    def processing_of(self, method: str) -> timedelta | None:
        return self.record_processing.get(method, self.record_processing.get("*"))

    def gone(self, method: str) -> bool:
        return method in self.record_gone or "*" in self.record_gone

    def request_lost(self, method: str) -> Loss | None:
        return _count(self.lose_request, method)

    def reply_lost(self, method: str) -> Loss | None:
        return _count(self.lose_reply, method)

    def reply_twice(self, method: str) -> bool:
        return _count(self.duplicate_reply, method) is not None

    def reply_held(self, method: str) -> timedelta | None:
        held = _count(self.reorder, method)
        return None if held is None else held.after

    def request_late(self, method: str) -> timedelta | None:
        held = _count(self.late_arrival, method)
        return None if held is None else held.after

    def mistold(self, method: str) -> Mistold | None:
        return _count(self.hub_errors, method)

    def misquote(self, now: datetime) -> Misquote | None:
        """How quotes are told now; of several the first that was set."""
        return next((one for one in self.quotes if one.when.start <= now < one.when.end), None)

    def skew(self, now: datetime) -> timedelta:
        """How far the hub's clock is off."""
        return sum((step.by for step in self.clock_steps if step.start <= now), timedelta(0))


def _back(aways: Iterable[Away], now: datetime) -> datetime | None:
    ends = [away.end for away in aways if away.start <= now < away.end]
    return max(ends, default=None)


def _count(counted: list[_Counted], method: str) -> _Counted | None:
    """Count this call against all that are of its method; the first that comes due is spent and returned."""
    due: _Counted | None = None
    for one in [one for one in counted if one.method in (method, "*")]:
        one.nth -= 1
        if one.nth <= 0 and due is None:
            counted.remove(one)
            due = one
    return due


__all__ = [
    "RETENTION",
    "Away",
    "Faults",
    "Held",
    "Loss",
    "Mishap",
    "MishapKind",
    "Misquote",
    "Mistold",
    "Restart",
    "Step",
    "Twice",
]
