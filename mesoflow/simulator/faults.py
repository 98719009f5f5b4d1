"""Dials for what goes wrong, set in process. The wire reads those of the first group, the world those of the second,
the brokers those of the third.

A dial at rest changes nothing. Times are simulated; what a dial does is a function of the calls and of that time, never
of when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

# How long idempotency records live unless the dial says otherwise; no retention is documented (hub/behaviour.md §4).
RETENTION = timedelta(minutes=10)


@dataclass(slots=True)
class Loss:
    """One call whose request or reply is lost: the `nth` call of `method` from now on (1: the next).

    `cut`: the connection goes with it, as networks do it; else there is only silence, and the client's deadline.
    """

    method: str
    nth: int = 1
    cut: bool = True


@dataclass(frozen=True, slots=True)
class Away:
    """The hub is not there from `start` until just before `end`."""

    start: datetime
    end: datetime


MishapKind = Literal[
    "ack_late",  # the broker acknowledges `after` the order was accepted
    "id_late",  # the broker's own id comes `after` the acknowledgement; the order works meanwhile and reads Pending
    "frozen",  # in limbo (it reads Inactive) for `after`; None: until it is cancelled or expires
    "reject",  # refused on arrival, for `reason`
    "late_reject",  # acknowledged, and refused `after` that, if it is not filled by then
    "reason_late",  # should it be refused: the reason comes `after` the status
    "never_fills",  # the market leaves it alone
    "fills",  # `packages` of it (None: the rest) fill at its limit `after` the acknowledgement
    "fill_wins",  # when its cancel is asked for: the rest fills first
    "fill_after_cancel",  # `packages` (None: the rest) filled just before the cancel, and are told `after` it
    "fill_told_twice",  # each fill is told again `after`, under its EventId
    "fill_told_again",  # each fill is told again `after`, as a new event
    "cancel_slow",  # a cancel takes `after`
    "person_cancels",  # a person cancels it `after` the acknowledgement
    "person_closes",  # a person closes its position in the market `after` its first fill
    "record_failed",  # SendOrder answers ProviderError, its record says Failed, and the broker takes the order all the same
]


@dataclass(slots=True)
class Mishap:
    """What befalls one order: the `nth` that is accepted from now on (1: the next). Several may befall one."""

    what: MishapKind
    nth: int = 1
    after: timedelta | None = timedelta(seconds=2)
    packages: int | None = None
    reason: str = "account"  # a name of data/rejects.json


@dataclass(frozen=True, slots=True)
class Restart:
    """A broker (`IBKR`, `TastyTrade`) is away, and comes back with its working orders; `new_ids`: under other ids."""

    broker: str
    away: Away
    new_ids: bool = True


@dataclass(slots=True)
class Faults:
    """All dials. Mutable while the simulator runs."""

    # The wire's. A lost request was never executed; a lost reply was, and its effects are written.
    lose_request: list[Loss] = field(default_factory=list)
    lose_reply: list[Loss] = field(default_factory=list)
    # Simulated time between a request's arrival and its execution, by method; "*" for all others.
    delay: dict[str, timedelta] = field(default_factory=dict)

    # The world's. For how long after its call a record still reads Processing, by method; "*" for all others.
    record_processing: dict[str, timedelta] = field(default_factory=dict)
    # Methods whose records are gone at once ("*": all): the variant that breaks the hub's promise.
    record_gone: set[str] = field(default_factory=set)
    retention: timedelta = RETENTION
    # Whether simulated time passes while nobody lives.
    clock_runs_while_dead: bool = False

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
    # The guesses of the client's `inferred` of these names, made wrong: +1, and "multiplies".
    credit_sign: Literal[-1, 1] = -1
    qty_multiplier: Literal["replaces", "multiplies"] = "replaces"
    # The same of the world: a leg that moves keeps its name.
    moved_leg_name: Literal["own", "same"] = "own"

    # How the hubs write what they say; no page tells (forms.py, wire/encodings.py). `decimals` None: as .NET has them.
    # `enum_numbers`: members are sent as numbers, against the client's guess of that name.
    casing: Literal["Pascal", "camel"] = "Pascal"
    enum_numbers: bool = False
    decimals: Literal["number", "text"] | None = None
    # Guesses of these names made wrong (hubs/otherwise.py): other names for refusals, the record under a name, an unknown job
    # under another status, other names for the history's kinds, the number given to GetEventsSince included.
    status_codes: bool = False
    record_wrapper: str | None = None
    job_gone: bool = False
    event_kinds: bool = False
    events_since: bool = False

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


def _back(aways: Iterable[Away], now: datetime) -> datetime | None:
    ends = [away.end for away in aways if away.start <= now < away.end]
    return max(ends, default=None)


def _count(losses: list[Loss], method: str) -> Loss | None:
    """Count this call against every loss of its method; the first that comes due is spent and returned."""
    due: Loss | None = None
    for loss in [loss for loss in losses if loss.method in (method, "*")]:
        loss.nth -= 1
        if loss.nth <= 0 and due is None:
            losses.remove(loss)
            due = loss
    return due
