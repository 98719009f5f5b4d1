"""One order as the ledger counts it: from its intent to its end, and what of it the hub may not show yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from mesoflow.trading.orders import Contract, Order, OrderFacts

_ZERO: Final = Decimal(0)
# The hub may lag a fill; legs are compared for at most this long, and then the run parks (EXECUTION.md §4).
VISIBLE_WITHIN: Final = timedelta(seconds=30)
# Facts that are older than a few seconds are refused (C07), so what was settled longer ago than this is in all of them.
FORGOTTEN_AFTER: Final = VISIBLE_WITHIN + timedelta(seconds=30)
# States from which nothing more is expected to fill (hubs/models/enums.py); any other is alive.
TERMINAL: Final = frozenset({"Filled", "Cancelled", "Rejected", "Expired"})

Side: TypeAlias = frozenset[tuple[Contract, bool]]


@dataclass(slots=True, eq=False)
class Sent:
    """`traded`: contracts that filled, None as long as it may still fill whole. `live_order_id`: the broker's order, once the
    hub has named it. `accepted`: whether anybody may have taken it. `day`: the session it counts in. `told`: contracts
    that the positions of the ledger know of."""

    run_id: str
    path: str
    order: Order
    contracts: Decimal
    at: datetime | None = None
    day: date | None = None
    live_order_id: int | None = None
    traded: Decimal | None = None
    settled_at: datetime | None = None
    accepted: bool = True
    told: Decimal = _ZERO
    _side: Side | None = field(default=None)

    @property
    def is_open(self) -> bool:
        """On its way, alive, or unknown: nothing has said that it is over."""
        return self.settled_at is None

    @property
    def state(self) -> str:
        """`live` with an id at the broker, `unknown` as long as nobody has said what became of it."""
        return "live" if self.live_order_id is not None else "unknown"

    @property
    def side(self) -> Side:
        """Its legs and on which side each: what a duplicate has in common with it."""
        if self._side is None:
            self._side = side_of(self.order)
        return self._side

    @property
    def value(self) -> Decimal:
        """What its groups pay or receive at their limits."""
        multipliers = {leg.group: leg.contract.multiplier for leg in self.order.legs}
        return sum(
            (
                abs(group.limit) * group.packages * multipliers.get(group.id, _ZERO)
                for group in self.order.groups
            ),
            _ZERO,
        )

    def filled(self, packages: Decimal) -> Decimal:
        """So many packages, in contracts."""
        whole = sum(group.packages for group in self.order.groups)
        return self.contracts * packages / whole if whole else _ZERO

    def shown_by(self, facts: OrderFacts) -> bool:
        """Whether facts that an action has read must, or do, show it among the open legs."""
        settled, as_of = self.settled_at, facts.as_of
        if settled is None or as_of is None or as_of <= settled:
            return False
        if as_of > settled + VISIBLE_WITHIN:
            return True
        return self._has_moved(_held(facts))

    def _has_moved(self, shown: Mapping[Contract, Decimal]) -> bool:
        """Each leg has moved by what filled; where the facts before are not kept, each leg is there."""
        facts = self.order.facts
        if facts.as_of is None:
            return all(leg.contract in shown for leg in self.order.legs if leg.quantity)
        before = _held(facts)
        traded = self.traded or _ZERO
        for leg in self.order.legs:
            if leg.quantity:
                moved = shown.get(leg.contract, _ZERO) - before.get(leg.contract, _ZERO)
                if moved * leg.quantity <= 0 or abs(moved) * self.contracts < abs(leg.quantity) * traded:
                    return False
        return True


def side_of(order: Order) -> Side:
    """The contracts of an order, each with whether it is bought."""
    return frozenset((leg.contract, leg.quantity > 0) for leg in order.legs if leg.quantity)


def _held(facts: OrderFacts) -> dict[Contract, Decimal]:
    held: dict[Contract, Decimal] = {}
    for leg in facts.open_legs:
        held[leg.contract] = held.get(leg.contract, _ZERO) + leg.quantity
    return held
