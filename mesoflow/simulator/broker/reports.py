"""Reports of a broker as they reach MesoLive: its view of an order, the books, and the events.

Reports of one order come in their order, except those that a mishap delays. A fill after an end is counted and told: the
state of an order that turns out to be filled whole becomes Filled, any other end stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from mesoflow.hubs.models.enums import OrderState
from mesoflow.hubs.models.orders import Order, OrderRejectionInfo
from mesoflow.simulator.broker.holdings import Holdings
from mesoflow.simulator.broker.orders import Orders, Placed
from mesoflow.simulator.broker.rejects import rejection
from mesoflow.simulator.broker.states import INACTIVE, TERMINAL
from mesoflow.simulator.faults import Mishap
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.plans import Plans
from mesoflow.simulator.world.strategies import Strategies

_ZERO = Decimal(0)
NEW_YORK = ZoneInfo("America/New_York")
_SIX = Decimal("0.000001")


class Reports:
    """Applies reports, each by its name; only inside a change."""

    def __init__(
        self, core: Core, orders: Orders, holdings: Holdings, strategies: Strategies, plans: Plans
    ) -> None:
        self._core, self._orders, self._holdings, self._plans = core, orders, holdings, plans
        self._strategies = strategies
        self._by_name: Mapping[str, Callable[[Placed, dict[str, Any], datetime], None]] = {
            "acknowledged": self._acknowledged,
            "frozen": self._frozen,
            "filled": self._filled,
            "ended": self._ended,
            "reason": self._reason,
            "cancel_too_late": self._too_late,
            "again": self._again,
        }

    def apply(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        self._by_name[doc["news"]](order, doc, at)

    # --- one by one ------------------------------------------------------------------------------------------------

    def _acknowledged(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        """Also when the broker's id has come, an order is out of limbo, or a broker is back. Told without id: Pending."""
        state = order.doc.state
        if state in TERMINAL:
            return
        if state != OrderState.PARTIALLY_FILLED:
            state = OrderState.PENDING if order.broker_order is None else OrderState.SUBMITTED
        self._tell(self._see(order, at, state=state), at)

    def _frozen(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        self._tell(self._see(order, at, state=INACTIVE), at)

    def _filled(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        fill, view = self._orders.fill(doc["fill"]), order.doc
        cum = abs(view.cum_qty) + fill.packages
        before = (view.avg_fill_price or _ZERO) * abs(view.cum_qty)
        state = view.state
        if cum == order.packages:
            state = OrderState.FILLED
        elif state not in TERMINAL:
            state = OrderState.PARTIALLY_FILLED
        price = order.shown(fill.price)
        order = self._see(
            order,
            at,
            state=state,
            cum_qty=order.sign * cum,
            avg_fill_price=_plain((before + price * fill.packages) / cum),
            last_fill_price=price,
            filled_at=fill.at,
        )
        self._holdings.book(order, fill, at)
        event = self._tell(order, at)
        for mishap, same in (
            (order.mishap("fill_told_twice"), True),
            (order.mishap("fill_told_again"), False),
        ):
            if mishap is not None:
                self._orders.plan(
                    at + (mishap.after or timedelta(0)),
                    order.id,
                    "late",
                    news="again",
                    event=event,
                    same=same,
                )
        closes = order.mishap("person_closes")
        if closes is not None and cum == fill.packages:
            self._orders.plan(at + (closes.after or timedelta(0)), order.id, "close")
        self._plan_undoing(order, doc["fill"], at, first=cum == fill.packages)

    def _plan_undoing(self, order: Placed, fill: int, at: datetime, *, first: bool) -> None:
        """What is done later about a first fill: taken back, or one of its legs closed by the broker."""
        busted, liquidated = order.mishap("busted"), order.mishap("liquidated")
        if first and busted is not None:
            self._orders.plan(at + (busted.after or timedelta(0)), order.id, "bust", fill=fill)
        if first and liquidated is not None:
            self._orders.plan(self._liquidation(order, liquidated, at), order.id, "liquidate")

    def _liquidation(self, order: Placed, mishap: Mishap, at: datetime) -> datetime:
        """Brokers close what may be assigned or cannot be paid for half an hour before the close of its last day."""
        if mishap.after is not None:
            return at + mishap.after
        legs = self._plans.get(order.plan).legs
        days = [
            leg.live_contract.expiration for leg in legs.values() if leg.live_contract.expiration is not None
        ]
        last = min(days).astimezone(NEW_YORK)
        return max(at, last.replace(hour=15, minute=30, second=0, microsecond=0).astimezone(UTC))

    def _ended(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        if order.doc.state in TERMINAL:
            return
        reason = doc.get("reason")
        told = None if reason is None else rejection(reason, order.broker, self._core.faults)
        self._tell(self._see(order, at, state=OrderState(doc["state"])), at, told)

    def _reason(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        self._tell(order, at, rejection(doc["reason"], order.broker, self._core.faults))

    def _too_late(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        self._tell(order, at, rejection("cancel_too_late", order.broker, self._core.faults))

    def _again(self, order: Placed, doc: dict[str, Any], at: datetime) -> None:
        """The same words: under the same id, or as if it were news."""
        again = doc["event"] if doc["same"] else None
        kind, event = self._core.events.one(doc["event"])
        told = event.model_dump(exclude={"event_id", "event_seq_id", "event_time"})
        self._core.events.add(kind, at, told, order.strategy, again=again)

    # --- writing ---------------------------------------------------------------------------------------------------

    def _see(self, order: Placed, at: datetime, **changes: Any) -> Placed:  # noqa: ANN401 - fields of Order
        doc = order.doc.model_copy(update={**changes, "last_updated": at})
        return self._orders.put(order, doc=doc)

    def _tell(self, order: Placed, at: datetime, told: OrderRejectionInfo | None = None) -> int:
        doc: Order = order.doc
        fields = {
            "strategy_name": self._strategy_name(order.strategy),
            "broker_account_id": order.account,
            "order_id": order.id,
            "exec_plan_id": order.plan,
            "leg_group_id": order.group,
            "state": doc.state,
            "filled_qty": doc.cum_qty,
            "remaining_qty": doc.qty - doc.cum_qty,
            "fill_price": doc.last_fill_price,
            "avg_fill_price": doc.avg_fill_price,
            "rejection": told,
        }
        return self._core.events.add("OrderUpdateEvent", at, fields, order.strategy)

    def _strategy_name(self, id: int) -> str:
        """It may be gone by now."""
        try:
            return self._strategies.name(id)
        except Refused:
            return str(id)


def _plain(price: Decimal) -> Decimal:
    """Six decimals, written without zeros at the end."""
    text = f"{price.quantize(_SIX):f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text) + 0
