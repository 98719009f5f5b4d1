"""Dials for what goes wrong, set in process. The wire reads those of the first group, the world those of the second.

A dial at rest changes nothing. Times are simulated; what a dial does is a function of the calls and of that time, never
of when somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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


def _count(losses: list[Loss], method: str) -> Loss | None:
    """Count this call against every loss of its method; the first that comes due is spent and returned."""
    due: Loss | None = None
    for loss in [loss for loss in losses if loss.method in (method, "*")]:
        loss.nth -= 1
        if loss.nth <= 0 and due is None:
            losses.remove(loss)
            due = loss
    return due
