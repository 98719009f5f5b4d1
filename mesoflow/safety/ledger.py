"""The ledger: what runs have sent, and which accounts are marked. A fold over journalled intents, outcomes and marks.

Kept in memory by whoever judges, rebuilt from the journal's records; not needed for correctness beyond that. It answers
two questions that one order cannot: how many contracts the run has sent (C03), and which of its orders the hub does not
show yet among the open legs (C04).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from mesoflow.trading.orders import Order, OrderFacts

_ZERO = Decimal(0)
# The hub may lag a fill; legs are compared for at most this long, and then the run parks (EXECUTION.md §4).
VISIBLE_WITHIN = timedelta(seconds=30)
# Facts that are older than a few seconds are refused (C07), so what was settled longer ago than this is in all of them.
FORGOTTEN_AFTER = VISIBLE_WITHIN + timedelta(seconds=30)


def order_ref(order: Order) -> str:
    """Names an order inside a run: its plan, its groups, their sizes and limits. A rung has its own."""
    groups = ",".join(f"{group.id}:{group.packages}@{group.limit}" for group in order.groups)
    return f"{order.account}/{order.exec_plan_id}/{groups}"


@dataclass(slots=True, eq=False)
class Sent:
    """One order of a run. `traded`: contracts that filled, None while that is not known."""

    order: Order
    contracts: Decimal
    traded: Decimal | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The legs of a position differ from its fills: no entry on its account until a person has looked (C21)."""

    account: str
    position_id: int | None
    reason: str
    run_id: str = ""


@dataclass(slots=True)
class _Run:
    """`total`: contracts traded or perhaps traded. `orders`: those that the hub may not show yet, in order of sending."""

    total: Decimal = _ZERO
    orders: list[Sent] = field(default_factory=list)
    last_at: datetime | None = None

    def on_its_way(self, order: Order) -> Sent | None:
        """The intent of this very order; where the ledger was read back from values, of an equal one."""
        waiting = [sent for sent in self.orders if sent.settled_at is None]
        for sent in waiting:
            if sent.order is order:
                return sent
        ref = order_ref(order)
        return next((sent for sent in waiting if order_ref(sent.order) == ref), None)

    def advance(self, at: datetime | None) -> None:
        if at is None or (self.last_at is not None and at <= self.last_at):
            return
        self.last_at = at
        before = at - FORGOTTEN_AFTER
        self.orders = [sent for sent in self.orders if sent.settled_at is None or sent.settled_at >= before]


class Ledger:
    """Mutable, cheap, one a process. Nothing in it refuses: it counts."""

    __slots__ = ("_marks", "_runs")

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._marks: dict[str, list[Mark]] = {}

    # --- the fold --------------------------------------------------------------------------------------------------

    def apply_intent(self, run_id: str, order: Order, at: datetime | None = None) -> None:
        """An order is about to leave; until it is settled it counts as if it filled whole."""
        run = self._runs.setdefault(run_id, _Run())
        run.total += order.contracts
        run.orders.append(Sent(order, order.contracts))
        run.advance(at)

    def settle(self, run_id: str, order: Order, at: datetime, *, traded: Decimal | None = None) -> None:
        """The order is over; `traded` contracts filled (None: all of them, 0: it was refused or never left)."""
        run = self._runs.setdefault(run_id, _Run())
        sent = run.on_its_way(order)
        if sent is None:
            raise AssertionError(f"settled without an intent: {order_ref(order)}; this is a bug in mesoflow")
        sent.traded = sent.contracts if traded is None else traded
        sent.settled_at = at
        run.total -= sent.contracts - sent.traded
        if not sent.traded:
            run.orders.remove(sent)
        run.advance(at)

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

    def contracts(self, run_id: str, but: Order | None = None) -> Decimal:
        """Contracts that the run has traded or may yet trade; without an order that is on its way and judged again."""
        run = self._runs.get(run_id)
        if run is None:
            return _ZERO
        own = (sent.contracts for sent in run.orders if sent.order is but and sent.settled_at is None)
        return run.total - sum(own, _ZERO)

    def not_visible(self, run_id: str, facts: OrderFacts, but: Order) -> list[Order]:
        """Orders of the run that may have filled and that these facts cannot show yet. Exits are left out: as long as the
        hub does not show them, what they close counts as open."""
        run = self._runs.get(run_id)
        if run is None:
            return []
        return [
            sent.order
            for sent in run.orders
            if sent.order.kind != "exit"
            and not _visible(sent, facts)
            and (sent.order is not but or sent.settled_at is not None)
        ]

    def last_at(self, run_id: str) -> datetime | None:
        """The newest time that this run has shown."""
        run = self._runs.get(run_id)
        return None if run is None else run.last_at

    def marks(self, account: str) -> tuple[Mark, ...]:
        """What stands against entries on an account."""
        return tuple(self._marks.get(account, ()))


def _visible(sent: Sent, facts: OrderFacts) -> bool:
    if sent.settled_at is None or facts.as_of is None or facts.as_of <= sent.settled_at:
        return False
    if facts.as_of > sent.settled_at + VISIBLE_WITHIN:
        return True
    shown = {leg.contract for leg in facts.open_legs}
    return all(leg.contract in shown for leg in sent.order.legs if leg.quantity)
