"""What can go wrong, one value each: calls and replies, absences, what befalls an order, quotes, clocks.

A value says what, to which call or order or from when to when. The dials that hold them are in faults.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


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
    "busted",  # the exchange takes its first fill back `after` it, leg by leg at the same prices
    "liquidated",  # the broker closes one short leg of its position `after` its first fill; None: at 15:30 of the leg's last day
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
    """A broker (`IBKR`, `TastyTrade`) is away, and comes back with its working orders; `new_ids`: under other ids, `reused`:
    those that other orders had."""

    broker: str
    away: Away
    new_ids: bool = True
    reused: bool = False


@dataclass(slots=True)
class Twice:
    """One call whose reply is written twice: the `nth` call of `method` from now on."""

    method: str
    nth: int = 1


@dataclass(slots=True)
class Held:
    """The same of a call that is held up for `after`, while what came behind it goes ahead."""

    method: str
    nth: int = 1
    after: timedelta = timedelta(seconds=2)


@dataclass(slots=True)
class Mistold:
    """The same of a call that is executed, and answered by an error completion; `text` None: in the server's own words."""

    method: str
    nth: int = 1
    text: str | None = None


QuoteFault = Literal[
    "stale",  # as it was when this began; its age says so
    "crossed",  # the bid above the ask
    "stub",  # a bid of a cent and an ask far away
    "no_bid",  # one side only
    "absent",  # nothing at all
    "nan",  # prices that are no numbers
]


@dataclass(frozen=True, slots=True)
class Misquote:
    """How the hubs tell quotes of options meanwhile; the brokers go on trading at the market's own."""

    what: QuoteFault
    when: Away


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` on the hub's clock is wrong by this much more: every time that it tells is."""

    start: datetime
    by: timedelta
