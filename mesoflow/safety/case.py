"""The case before the rails: an order with everything that is known, and what several rails derive from it, once.

Derived here: the groups with their legs and ratio, cash, what the account holds by position, and whether the order only
reduces risk (SAFETY.md §3), which makes it privileged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from mesoflow.safety.days import Day
from mesoflow.safety.environment import Environment
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.safety.sent import Sent
from mesoflow.trading.amounts import Measures
from mesoflow.trading.orders import Order, OrderGroup, OrderLeg
from mesoflow.trading.payoff import Holding, net, worst_payoff

_ZERO: Final = Decimal(0)
# Where a payoff has no lowest value it is compared within this share of the underlying (SAFETY.md §3).
UNBOUNDED_REACH: Final = Decimal("0.20")

# A position's id; for what has none yet, the plan that makes it.
BookKey: TypeAlias = int | str


class GroupCase(NamedTuple):
    """A leg group and those of its legs that trade. `contracts`: Σ |quantity|; `cash`: what the group's limit brings, in money,
    + received, − paid."""

    group: OrderGroup
    legs: tuple[OrderLeg, ...]
    contracts: Decimal
    cash: Decimal

    @classmethod
    def of(cls, group: OrderGroup, legs: tuple[OrderLeg, ...]) -> GroupCase:
        """Both figures worked out once."""
        contracts = _ZERO
        for leg in legs:
            contracts += abs(leg.quantity)
        return cls(group, legs, contracts, -group.limit * group.packages * legs[0].contract.multiplier)


@dataclass(slots=True)
class Book:
    """What is held under one position: legs, and the cash that opening them brought (None: not known)."""

    holdings: tuple[Holding, ...] = ()
    cash: Decimal | None = _ZERO

    def add(self, holdings: tuple[Holding, ...], cash: Decimal | None) -> None:
        """More of it. What either part is not known of is not known of the whole."""
        self.holdings += holdings
        self.cash = None if self.cash is None or cash is None else self.cash + cash


class Case:
    """An order before the rails. What several rails need is worked out here, once: this stands in the send path."""

    __slots__ = (
        "after",
        "cash",
        "closes",
        "day",
        "environment",
        "groups",
        "holdings",
        "ledger",
        "limits",
        "measures",
        "now",
        "order",
        "own_legs",
        "reduces",
        "sent",
        "worst_after",
        "worst_before",
    )

    def __init__(
        self,
        order: Order,
        limits: Limits,
        ledger: Ledger,
        now: datetime,
        environment: Environment,
        path: str = "",
    ) -> None:
        """Only for an order that is coherent. `path`: where it stands; an order there that is on its way is this very one."""
        self.order, self.limits, self.ledger, self.now = order, limits, ledger, now
        self.environment = environment
        self.day: Day = ledger.days.of(now)
        self.sent: Sent | None = ledger.sent(environment.run_id, path, order.account) if path else None
        self.groups = groups_of(order)
        self.holdings = holdings_of(order)
        self.cash = cash_of(self.groups)
        # For amounts of money.
        self.measures = Measures(net_liquidation=order.facts.net_liquidation)
        # What is open in the order's position (an entry has none yet), and what will be; the lowest value at expiry of
        # both, cash left out; None: there is none.
        self.own_legs = _own_legs(order)
        self.after = net((*self.own_legs, *self.holdings)) if self.own_legs else self.holdings
        self.worst_before = worst_payoff(self.own_legs) if self.own_legs else _ZERO
        self.worst_after = worst_payoff(self.after)
        # Every leg closes an open leg of ours; and no lower minimum at expiry is left behind, which makes it privileged.
        self.closes = bool(self.own_legs) and self._closes()
        self.reduces = self.closes and self._no_lower_minimum()

    def _closes(self) -> bool:
        """Each leg closes an open leg of ours without crossing zero."""
        held = {each.contract: each.quantity for each in self.own_legs}
        trade = net(self.holdings)
        for each in trade:
            open_quantity = held.get(each.contract, _ZERO)
            if open_quantity * each.quantity >= 0 or abs(each.quantity) > abs(open_quantity):
                return False
        return bool(trade)

    def _no_lower_minimum(self) -> bool:
        before, after = self.worst_before, self.worst_after
        if before is None and after is None:
            mark = self.order.facts.underlying_mark
            if mark is None or not mark.is_finite() or mark <= 0:
                return False
            reach = (mark * (1 - UNBOUNDED_REACH), mark * (1 + UNBOUNDED_REACH))
            before, after = worst_payoff(self.own_legs, reach), worst_payoff(self.after, reach)
        if after is None:
            return False
        return before is None or after >= before

    def books(self) -> dict[BookKey, Book]:
        """The account as it would be after this order: what is open, what was sent and the hub does not show, this."""
        books: dict[BookKey, Book] = {}
        for leg in self.order.facts.open_legs:
            if leg.quantity:
                known = leg.price is not None and leg.price.is_finite()
                cash = -(leg.price or _ZERO) * leg.quantity * leg.contract.multiplier if known else None
                books.setdefault(leg.position_id, Book()).add((Holding(leg.contract, leg.quantity),), cash)
        for order in self.ledger.not_visible(self.order.account, self.order.facts, self.sent):
            books.setdefault(_key(order), Book()).add(holdings_of(order), cash_of(groups_of(order)))
        key = _key(self.order)
        own = books.get(key)
        if own is None:
            books[key] = Book(self.holdings, self.cash)
        else:
            own.add(self.holdings, self.cash)
        return books


def is_coherent(order: Order) -> bool:
    """Every leg that trades belongs to exactly one group that names it, in whole packages, at a price that is a number; and
    something trades."""
    groups = {group.id: group for group in order.groups}
    if len(groups) != len(order.groups):
        return False
    trades = False
    for leg in order.legs:
        group = groups.get(leg.group)
        if not leg.quantity.is_finite() or group is None or leg.name not in group.legs or group.packages <= 0:
            return False
        if leg.quantity:
            trades = True
            if leg.quantity % group.packages or not group.limit.is_finite():
                return False
    return trades and sum(len(group.legs) for group in order.groups) == len(order.legs)


def groups_of(order: Order) -> tuple[GroupCase, ...]:
    """The groups that trade, each with its legs; markers are left out."""
    legs: dict[int, list[OrderLeg]] = {}
    for leg in order.legs:
        if leg.quantity:
            legs.setdefault(leg.group, []).append(leg)
    return tuple(GroupCase.of(group, tuple(legs[group.id])) for group in order.groups if group.id in legs)


def holdings_of(order: Order) -> tuple[Holding, ...]:
    """What the order trades."""
    return tuple(Holding(leg.contract, leg.quantity) for leg in order.legs if leg.quantity)


def cash_of(groups: Sequence[GroupCase]) -> Decimal:
    """What the groups bring at their limits."""
    cash = _ZERO
    for each in groups:
        cash += each.cash
    return cash


def _own_legs(order: Order) -> tuple[Holding, ...]:
    if order.position_id is None or not order.facts.open_legs:
        return ()
    position = order.position_id
    return net(
        Holding(leg.contract, leg.quantity) for leg in order.facts.open_legs if leg.position_id == position
    )


def _key(order: Order) -> BookKey:
    return f"plan {order.exec_plan_id}" if order.position_id is None else order.position_id
