"""The ledger: what the runs of a state home have sent at one hub, and what stands against sending more.

A fold over journalled intents, outcomes, observations, withdrawals, starts, ends, marks and states, of all runs; kept in
memory by whoever judges, rebuilt from the journal, not needed for correctness beyond that. Nothing in it refuses: it counts,
and answers what one order cannot: contracts of the run and the day (C03), orders that the hub does not show yet (C04), other
orders on the same legs (C09), messages (C10), open orders (C12), the trading state (C18), errors (C20), marks (C21).

An order at a broker counts as alive, and as if it filled whole, until it has been observed in a terminal state; what fills
after that is counted too. Ids, times and days come from the records: nothing here looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from mesoflow.safety.counted import DayCounts, Minute, PlaybookRuns
from mesoflow.safety.days import Days
from mesoflow.safety.positions import Positions
from mesoflow.safety.sent import FORGOTTEN_AFTER, TERMINAL, VISIBLE_WITHIN, Sent, side_of
from mesoflow.safety.states import TradingState, TradingStates
from mesoflow.trading.orders import Order, OrderFacts
from mesoflow.trading.sessions import Calendar

__all__ = ["FORGOTTEN_AFTER", "VISIBLE_WITHIN", "Ledger", "Mark", "Sent"]

_ZERO: Final = Decimal(0)
# An entry within this time of another run's on the same legs is taken for a duplicate (C09).
DUPLICATE_WITHIN: Final = timedelta(minutes=10)
_CALENDAR: Final = "cboe-index-options"


@dataclass(frozen=True, slots=True)
class Mark:
    """The legs of a position differ from its fills: no entry on its account until a person has looked (C21)."""

    account: str
    position_id: int | None
    reason: str
    run_id: str = ""


@dataclass(slots=True)
class _Run:
    """`total`: contracts traded or perhaps traded."""

    total: Decimal = _ZERO
    messages: int = 0
    last_at: datetime | None = None


@dataclass(slots=True)
class _Account:
    """`open`: orders that are not over. `recent`: orders that are over and that the hub may not show yet. `entries`: by run,
    those of the last minutes."""

    open: dict[tuple[str, str], Sent] = field(default_factory=dict)
    recent: list[Sent] = field(default_factory=list)
    entries: dict[str, list[Sent]] = field(default_factory=dict)


class Ledger:
    """Mutable, cheap, one a process."""

    __slots__ = (
        "_accounts",
        "_by_id",
        "_day_counts",
        "_marks",
        "_minute",
        "_runs",
        "_unnamed",
        "days",
        "playbooks",
        "positions",
        "states",
    )

    def __init__(self, calendar: Calendar | None = None) -> None:
        self.days = Days(calendar or Calendar.load(_CALENDAR))
        self.playbooks = PlaybookRuns()
        self.positions = Positions()
        self.states = TradingStates()
        self._accounts: dict[str, _Account] = {}
        self._by_id: dict[int, Sent] = {}
        self._day_counts = DayCounts()
        self._marks: dict[str, list[Mark]] = {}
        self._minute = Minute()
        self._runs: dict[str, _Run] = {}
        self._unnamed = 0

    # --- the fold --------------------------------------------------------------------------------------------------

    def apply_intent(self, run_id: str, order: Order, at: datetime | None = None, path: str = "") -> Sent:
        """An order is about to leave; until it is over it counts as if it filled whole, and it is a message."""
        if not path:
            self._unnamed += 1
            path = f"#{self._unnamed}"
        sent = Sent(run_id, path, order, order.contracts, at)
        account = self._accounts.setdefault(order.account, _Account())
        account.open[run_id, path] = sent
        if at is not None:
            sent.day = self.days.of(at).session
        if order.kind == "entry":
            account.entries.setdefault(run_id, []).append(sent)
        self._add(sent, sent.contracts)
        self.message(run_id, at)
        return sent

    def message(self, run_id: str, at: datetime | None) -> None:
        """An order or a cancel (C10)."""
        run = self._run(run_id, at)
        run.messages += 1
        if at is not None:
            self._minute.add(at)
            self._day_counts.of(self.days.of(at).session).messages += 1

    def accepted(self, run_id: str, path: str, account: str, live_order_id: int, at: datetime) -> None:
        """The hub has named the broker's order: from now on it can be observed."""
        self._run(run_id, at)
        sent = self.sent(run_id, path, account)
        if sent is not None:
            sent.live_order_id = live_order_id
            self._by_id[live_order_id] = sent

    def observe(self, order: Mapping[str, Any], at: datetime) -> Sent | None:
        """An order as GetOrder shows it. A terminal state ends one of ours; what filled after that is counted too."""
        sent = self._by_id.get(order["order_id"])
        if sent is None:
            return None
        filled = sent.filled(min(abs(Decimal(order.get("cum_qty") or 0)), _packages(sent.order)))
        if sent.is_open:
            if str(order["state"]) in TERMINAL:
                self._end(sent, at, filled)
        elif sent.traded is not None and filled > sent.traded:
            self._add(sent, filled - sent.traded)
            sent.traded, sent.settled_at = filled, at
            account = self._accounts[sent.order.account]
            if sent not in account.recent:
                account.recent.append(sent)
        self._run(sent.run_id, at)
        return sent

    def settle(
        self,
        run_id: str,
        order: Order,
        at: datetime,
        *,
        traded: Decimal | None = None,
        path: str = "",
        left: bool = True,
        accepted: bool = True,
    ) -> None:
        """The order is over; `traded` contracts filled (None: all of them). Nothing is known to have come of one that was not
        `accepted`; one that never `left` was no message either."""
        sent = self.sent(run_id, path, order.account) if path else self._named_by(run_id, order)
        if sent is None:
            raise AssertionError(
                f"settled without an intent: {path or order.exec_plan_id}; this is a bug in mesoflow"
            )
        sent.accepted = accepted and left
        if not left:
            self._take_back_message(sent)
        self._end(sent, at, sent.contracts if traded is None else traded)
        self._run(run_id, at)

    def failed(self, at: datetime) -> None:
        """A run has ended in an error that nothing rescued (C20)."""
        self._day_counts.of(self.days.of(at).session).errors += 1

    def mark(self, account: str, reason: str, *, position_id: int | None = None, run_id: str = "") -> None:
        """Entries on the account are refused from now on."""
        marks = self._marks.setdefault(account, [])
        if not any(mark.position_id == position_id for mark in marks):
            marks.append(Mark(account, position_id, reason, run_id))

    def clear(self, account: str, position_id: int | None = None) -> None:
        """A person has looked: at one position, or (None) at the whole account."""
        left = [
            m
            for m in self._marks.get(account, ())
            if position_id is not None and m.position_id != position_id
        ]
        self._marks[account] = left

    # --- what the rails ask ----------------------------------------------------------------------------------------

    def sent(self, run_id: str, path: str, account: str) -> Sent | None:
        """An order that is not over, by its path."""
        found = self._accounts.get(account)
        return None if found is None else found.open.get((run_id, path))

    def contracts(self, run_id: str, but: Sent | None = None) -> Decimal:
        """Contracts that the run has traded or may yet trade; without an order that is on its way and judged again."""
        run = self._runs.get(run_id)
        total = _ZERO if run is None else run.total
        return total if but is None else total - but.contracts

    def contracts_of_day(self, account: str, day: date, but: Sent | None = None) -> Decimal:
        """The same of an account and a session, whichever run."""
        total = self._day_counts.of(day).contracts.get(account, _ZERO)
        return total if but is None or but.day != day else total - but.contracts

    def not_visible(self, account: str, facts: OrderFacts, but: Sent | None = None) -> list[Order]:
        """Orders on the account that may have filled and that these facts cannot show yet. Exits are left out: as long as
        the hub does not show them, what they close counts as open."""
        found = self._accounts.get(account)
        if found is None:
            return []
        waiting = [
            sent.order for sent in found.open.values() if sent.order.kind != "exit" and sent is not but
        ]
        if found.recent:
            # What facts have shown once is in all later ones.
            found.recent = [sent for sent in found.recent if not sent.shown_by(facts)]
            waiting += [sent.order for sent in found.recent if sent.order.kind != "exit"]
        return waiting

    def open_orders(self, account: str, but: Sent | None = None) -> list[Sent]:
        """Orders on the account that are on their way, alive or unknown, of every run."""
        found = self._accounts.get(account)
        return [] if found is None else [sent for sent in found.open.values() if sent is not but]

    def duplicates(self, order: Order, run_id: str, now: datetime, but: Sent | None = None) -> Iterator[Sent]:
        """Other orders on the same legs and sides that are not over, rungs of the order's own walk left out; for an entry
        also other runs' of the last minutes."""
        found = self._accounts.get(order.account)
        if found is None:
            return
        others = [
            sent for sent in found.open.values() if sent is not but and not _one_walk(sent, order, run_id)
        ]
        if order.kind == "entry":
            others += [
                sent for sent in self._entries(found, run_id, now) if not sent.is_open and sent.accepted
            ]
        if others:
            side = side_of(order)
            yield from (sent for sent in others if sent.side == side)

    def messages_in_minute(self, now: datetime) -> int:
        """Of every run."""
        return self._minute.count(now)

    def room_for_message(self, limit: int) -> datetime:
        """When one more message is within the minute's number."""
        return self._minute.room_at(limit)

    def messages(self, run_id: str) -> int:
        """Of one run."""
        run = self._runs.get(run_id)
        return 0 if run is None else run.messages

    def messages_of_day(self, day: date) -> int:
        """Of every run."""
        return self._day_counts.of(day).messages

    def errors(self, day: date) -> int:
        """Runs of the session that ended in an error."""
        return self._day_counts.of(day).errors

    def trading_state(self, account: str, day: date | None = None) -> TradingState:
        """What holds for the account."""
        return self.states.of(account, day)

    def last_at(self, run_id: str) -> datetime | None:
        """The newest time that this run has shown."""
        run = self._runs.get(run_id)
        return None if run is None else run.last_at

    def marks(self, account: str) -> tuple[Mark, ...]:
        """What stands against entries on an account."""
        return tuple(self._marks.get(account, ()))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _run(self, run_id: str, at: datetime | None) -> _Run:
        run = self._runs.get(run_id)
        if run is None:
            run = self._runs[run_id] = _Run()
        if at is not None and (run.last_at is None or at > run.last_at):
            run.last_at = at
        return run

    def _named_by(self, run_id: str, order: Order) -> Sent | None:
        """The oldest intent of this very order, for who has no path."""
        found = self._accounts.get(order.account)
        mine = [] if found is None else [sent for (run, _), sent in found.open.items() if run == run_id]
        same = [sent for sent in mine if sent.order is order]
        return next(iter(same or [sent for sent in mine if sent.order == order]), None)

    def _end(self, sent: Sent, at: datetime, traded: Decimal) -> None:
        account = self._accounts[sent.order.account]
        account.open.pop((sent.run_id, sent.path), None)
        sent.traded, sent.settled_at = traded, at
        self._add(sent, traded - sent.contracts)
        before = at - FORGOTTEN_AFTER
        if (
            account.recent
            and account.recent[0].settled_at is not None
            and account.recent[0].settled_at < before
        ):
            account.recent = [
                old for old in account.recent if old.settled_at is None or old.settled_at >= before
            ]
        if traded:
            account.recent.append(sent)

    def _add(self, sent: Sent, contracts: Decimal) -> None:
        if contracts:
            self._run(sent.run_id, sent.at).total += contracts
            if sent.day is not None:
                of_day = self._day_counts.of(sent.day).contracts
                account = sent.order.account
                of_day[account] = of_day.get(account, _ZERO) + contracts

    def _take_back_message(self, sent: Sent) -> None:
        """It never left this process. The minute keeps it, which errs on the side of waiting."""
        self._run(sent.run_id, None).messages -= 1
        if sent.day is not None:
            self._day_counts.of(sent.day).messages -= 1

    def _entries(self, account: _Account, run_id: str, now: datetime) -> Iterator[Sent]:
        """Other runs' entries that are young enough to be taken for the same."""
        since = now - DUPLICATE_WITHIN
        for other, entries in list(account.entries.items()):
            if other == run_id:
                continue
            young = [sent for sent in entries if sent.at is None or _newest(sent) > since]
            if young:
                account.entries[other] = young
                yield from young
            else:
                del account.entries[other]


def _newest(sent: Sent) -> datetime:
    assert sent.at is not None
    return sent.at if sent.settled_at is None else max(sent.at, sent.settled_at)


def _one_walk(sent: Sent, order: Order, run_id: str) -> bool:
    return bool(order.walk) and sent.run_id == run_id and sent.order.walk == order.walk


def _packages(order: Order) -> Decimal:
    return Decimal(sum(group.packages for group in order.groups))
