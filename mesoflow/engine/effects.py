"""Effects: the values by which an action asks the world for something, and the outcomes that come back.

An effect says what, never how or when. The runtime performs it, the preview shows it, a test answers it. What belongs
here is the vocabulary; who performs an effect is runtime/perform.py, what may follow what is interpreter.py.

A `Value` is what the journal's codec can carry: None, bool, int, str, Decimal, aware datetime, date, and lists and
string-keyed dicts of these. Floats are refused. An effect carries only Values, so that it can be journalled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from mesoflow.trading.orders import Order

# Recursive aliases make mypy's messages unreadable; the codec enforces the shape at run time.
Value: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Call:
    """Ask a hub, once. `args` are the method's arguments in snake_case, without the idempotency key.

    A method of class read is journalled when its answer is known; change and prepare are intended first. `hints` are not
    sent: they are what settles an unknown outcome of a call that the hub does not key (runtime/reconcile.py).
    """

    name: str
    method: str
    args: Mapping[str, Value] = field(default_factory=dict)
    hints: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """Read until the newest answer satisfies `ready`, or until `until`: then the outcome is done with None.

    Level-triggered: it answers with the state of things, never with an edge that could be missed. `ready` names a pure
    predicate of actions/ready.py over (answer, params, now). Polls are not journalled; the answer is.
    `overdue`: what `until` means. "nothing": the outcome is None. "refuse": the outcome is refused with `code`, as an
    error that may pass by itself (no quote, agent away): where nobody handles it the run parks and the watch stays open.
    "park": the run parks with `code` in any case. An open watch begins anew, with a fresh budget, when the run resumes.
    """

    name: str
    method: str
    args: Mapping[str, Value]
    ready: str
    until: datetime
    params: Mapping[str, Value] = field(default_factory=dict)
    overdue: Literal["nothing", "refuse", "park"] = "nothing"
    code: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An order: judged by the rails, intended, sent. The only effect that can open or close risk."""

    name: str
    order: Order


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop something of ours: CancelOrder, or the cancel of a prepare job. Never refused by a rail, passes while halted."""

    name: str
    method: str
    args: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let time pass until `until`. Done with the instant at which it ended."""

    name: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell people. Done with {delivered: [...], failed: [...]}; may happen twice after a crash."""

    name: str
    to: tuple[str, ...]
    title: str
    body: Value
    level: Literal["info", "page"] = "info"


@dataclass(frozen=True, slots=True)
class Note:
    """Journal a value that must never be recomputed (a resolved moment). Done with the value."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Govern:
    """Change the trading state of the state home: halted (no order leaves), reducing (none that opens risk), active.

    Done with {state}. Asked for twice it changes nothing more.
    """

    name: str
    state: Literal["active", "reducing", "halted"]
    reason: str


Effect: TypeAlias = Call | Watch | Place | Withdraw | Sleep | Tell | Note | Govern


@dataclass(frozen=True, slots=True)
class Done:
    """The effect happened; `value` is its answer."""

    value: Value


@dataclass(frozen=True, slots=True)
class Refused:
    """It is proved that the effect did not happen. `code` is one of ACTIONS' error codes or a rail's."""

    code: str
    summary: str
    details: Mapping[str, Value] = field(default_factory=dict)
    retryable: bool = False


# What is unknown is no outcome: a generator gets done or refused, or the run parks.
Outcome: TypeAlias = Done | Refused

__all__ = [
    "Call", "Done", "Effect", "Govern", "Note", "Outcome", "Place", "Refused", "Sleep", "Tell", "Value", "Watch",
    "Withdraw",
]  # fmt: skip
