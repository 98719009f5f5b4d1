"""Orders at a broker: how one is watched, taken back and confirmed, and what this run knows of it.

An order is alive until it has been seen in a terminal state: a broker that has not named it yet, a hub that does not
answer, a cancel that was refused prove nothing. One whose fate cannot be learnt parks the run with `outcome_unknown`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Literal

from mesoflow.actions.base import Acting
from mesoflow.actions.hub import insist, sleep, watch, withdraw
from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.actions.values import Order as ShownOrder
from mesoflow.actions.values import Price
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.engine.paths import attempt
from mesoflow.hubs.models.orders import GetOrderResult, ListOrdersResult, Order
from mesoflow.trading.readback import Accepted, OrderDiffers, difference

# How long a cancel may take to be confirmed (EXECUTION.md §3); then what became of the order is unknown.
CONFIRM_WITHIN = timedelta(seconds=60)
# Between two looks at an order that the hub does not show.
_BLIND = timedelta(seconds=5)
# How long after its state a rejection's reason may come.
_REASON_WITHIN = timedelta(seconds=5)
_STATES: dict[str, Literal["filled", "cancelled", "rejected", "expired"]] = {
    "Filled": "filled",
    "Cancelled": "cancelled",
    "Rejected": "rejected",
    "Expired": "expired",
}


@dataclass(slots=True)
class Sent:
    """One order. `limit` is signed, for one package; `wire_limit` is what the hub was told. `differs` says that the hub
    accepted something else. `taken_back`: we asked for its cancel."""

    order_id: int
    plan_id: int
    group_id: int
    packages: int
    limit: Decimal
    wire_limit: Decimal
    at: datetime
    state: str = ""
    filled: int = 0
    average: Decimal | None = None
    taken_back: bool = False
    differs: OrderDiffers | None = None
    rejection: dict[str, Value] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Seen in a terminal state."""
        return self.state in ORDER_ENDS

    @property
    def known(self) -> dict[str, Value]:
        """What a watch need not tell again; before the first look nothing is known, so that one answers at once."""
        return {"state": self.state, "cum_qty": self._cumulative}

    _cumulative: Decimal = Decimal(0)

    def see(self, order: Order) -> None:
        """A newer view of it. The cumulative fill never goes back."""
        first = not self.state
        self.state, self._cumulative = str(order.state), order.cum_qty
        whole = self.packages if self.state == "Filled" else 0
        self.filled = max(self.filled, whole, int(abs(order.cum_qty)))
        self.average = order.avg_fill_price if order.avg_fill_price is not None else self.average
        self.rejection = _rejection(order) or self.rejection
        if first and self.state != "Rejected":
            self.differs = difference(self.wire_limit, self.packages, Accepted(order.limit_price, order.qty))

    def shown(self) -> ShownOrder:
        """As a playbook reads it."""
        return ShownOrder(
            order_id=self.order_id,
            group=self.group_id,
            packages=self.packages,
            filled=self.filled,
            limit=Price.of(self.limit),
            state=_STATES.get(self.state, "working"),
            sent_at=self.at,
        )


def follow(ctx: Context, sent: Sent, name: str, until: datetime) -> Acting[None]:
    """Watch an order until it is over, differs from what was meant, or `until`. Partial fills only update what is known."""
    for number in count(1):
        path = f"{name}/{attempt('watch', number)}"
        try:
            view = yield from watch(
                path,
                "GetOrder",
                {"live_order_id": sent.order_id},
                GetOrderResult,
                ready="order_moved",
                until=until,
                params={"known": sent.known},
            )
        except StepError:  # not shown, or not answered: it is alive all the same
            yield from sleep(f"{path}/pause", min(ctx.now + _BLIND, until))
        else:
            if view is None:
                return
            sent.see(view.order)
        if sent.over or sent.differs is not None or ctx.now >= until:
            return


def ask_why(ctx: Context, sent: Sent, name: str) -> Acting[None]:
    """A rejection's reason may come after its state; without one it is a rejection all the same."""
    if sent.state != "Rejected" or sent.rejection:
        return
    with suppress(StepError):
        view = yield from watch(
            f"{name}/reason",
            "GetOrder",
            {"live_order_id": sent.order_id},
            GetOrderResult,
            ready="order_reason",
            until=ctx.now + _REASON_WITHIN,
        )
        if view is not None:
            sent.see(view.order)


def take_back(ctx: Context, sent: Sent, name: str) -> Acting[None]:
    """Cancel an order that is not over, and confirm it; call it in a shield. A fill that wins the race is a fill."""
    if not sent.over:
        yield from ask_back(sent, name)
        yield from confirm(ctx, sent, f"{name}/confirm")


def ask_back(sent: Sent, name: str) -> Acting[None]:
    """Ask for the cancel of an order. A filled one refuses it; what became of it is asked in any case."""
    sent.taken_back = True
    with suppress(StepError):
        yield from withdraw(f"{name}/cancel", "CancelOrder", {"live_order_id": sent.order_id})


def confirm(ctx: Context, sent: Sent, name: str, within: timedelta = CONFIRM_WITHIN) -> Acting[None]:
    """Watch until an order is terminal. Without an answer the run parks: nothing else may happen until it is known."""
    summary = f"order {sent.order_id} was to be cancelled, and nobody says what became of it"
    try:
        view = yield from insist(
            name,
            "GetOrder",
            {"live_order_id": sent.order_id},
            GetOrderResult,
            ready="order_terminal",
            until=ctx.now + within,
            code="outcome_unknown",
            summary=summary,
            overdue="park",
        )
    except StepError:  # the hub does not show it by itself; its plan's orders are another way to ask
        listed = yield from insist(
            f"{name}/listed",
            "ListOrders",
            {"exec_plan_id": sent.plan_id, "limit": 200},
            ListOrdersResult,
            ready="listed_order_terminal",
            params={"order_id": sent.order_id},
            until=ctx.now + within,
            code="outcome_unknown",
            summary=summary,
            overdue="park",
        )
        sent.see(next(order for order in listed.orders if order.order_id == sent.order_id))
    else:
        sent.see(view.order)


def find_order(ctx: Context, name: str, plan_id: int, group_id: int, known: set[int]) -> Acting[int]:
    """The id of an order that was accepted without one: the newest of its group that is not known yet."""
    listed = yield from insist(
        name,
        "ListOrders",
        {"exec_plan_id": plan_id, "limit": 200},
        ListOrdersResult,
        ready="order_listed",
        params={"group": group_id, "known": sorted(known)},
        until=ctx.now + CONFIRM_WITHIN,
        code="outcome_unknown",
        summary=f"an order of exec plan {plan_id} was accepted, and the hub does not show it",
        overdue="park",
    )
    return max(
        order.order_id
        for order in listed.orders
        if order.leg_group_id == group_id and order.order_id not in known
    )


def _rejection(order: Order) -> dict[str, Value]:
    """Why a broker refused, where the hub says it: no documented field of an order does, so any spelling is taken."""
    told = order.value().get("rejection")
    return {key: value for key, value in told.items() if value is not None} if isinstance(told, dict) else {}
