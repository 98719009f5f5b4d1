"""`orders.cancel`: take back orders that this state home has sent and that still work, and confirm each one."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Acting, Inputs, Outputs, account_of, action
from mesoflow.actions.hub import pages, shielded, withdraw
from mesoflow.actions.kinds import Duration
from mesoflow.actions.ledger import orders_of
from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.actions.sent import CONFIRM_WITHIN, Sent, ask_back, confirm
from mesoflow.actions.unknown import Unknown, unknown_outputs, until_of
from mesoflow.actions.values import Order
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import Cancelled
from mesoflow.hubs.models.orders import ListOrdersResult
from mesoflow.hubs.models.orders import Order as WireOrder

_KINDS: list[Literal["entry", "exit", "adjustment"]] = ["entry", "adjustment"]


class Cancels(Inputs):
    """Inputs of `orders.cancel`."""

    of: Literal["this_playbook", "account"] = Field(
        description="whose: all runs of this playbook, or all runs of mesoflow on the account",
        examples=["account"],
    )
    broker_account_id: str | None = Field(
        None, description="which account; without it the one of risk.accounts", examples=["IB-1"]
    )
    kinds: list[Literal["entry", "exit", "adjustment"]] = Field(
        _KINDS, description="also exit, when exits shall die too", examples=[["entry", "adjustment", "exit"]]
    )
    within: Duration = Field(CONFIRM_WITHIN, description="time to confirm each", examples=["60s"])


class CancelledOrders(Outputs):
    """Outputs of `orders.cancel`."""

    cancelled: int = Field(description="how many were taken back", examples=[2])
    filled_meanwhile: int = Field(description="how many filled before they could be", examples=[0])
    orders: list[Order] = Field(description="each of them, as it ended")


@action(
    "orders.cancel",
    "trade",
    inputs=Cancels,
    outputs=CancelledOrders,
    errors=("account_not_allowed", "rail_refused"),
    methods=("ListOrders", "CancelOrder", "GetOrder"),
)
def orders_cancel(ctx: Context, inputs: Cancels) -> Acting[CancelledOrders]:
    """Cancel orders that mesoflow sent and are still working, confirm each one; a fill that wins the race is reported."""
    account_id = account_of(ctx, inputs.broker_account_id)
    require_allowed(ctx, account_id)
    listed = yield from pages("orders", "ListOrders", {"broker_account_id": account_id}, ListOrdersResult)
    ours = {
        order_id
        for order_id, entry in orders_of(ctx, account_id).items()
        if entry["kind"] in inputs.kinds and inputs.of in ("account", _whose(ctx, entry["playbook"]))
    }
    rows = [order for page in listed for order in page.orders]
    working = [row for row in rows if row.order_id in ours and str(row.state) not in ORDER_ENDS]
    ended: list[Sent] = []
    try:
        for row in working:
            sent, name = _sent(row), f"order-{row.order_id}"
            yield from ask_back(sent, name)
            yield from shielded(confirm(ctx, sent, f"{name}/confirm", inputs.within))
            ended.append(sent)
    except Cancelled as cancelled:
        raise Cancelled(cancelled.reason, _ended(ended).value()) from None
    return _ended(ended)


def _ended(ended: list[Sent]) -> CancelledOrders:
    return CancelledOrders(
        cancelled=sum(1 for sent in ended if sent.state != "Filled"),
        filled_meanwhile=sum(1 for sent in ended if sent.state == "Filled"),
        orders=[sent.shown() for sent in ended],
    )


def _whose(ctx: Context, playbook: str) -> str:
    return "this_playbook" if playbook == ctx.playbook else "another"


def _sent(row: WireOrder) -> Sent:
    """The order as this run comes to know it; the sign of its limit is the hub's."""
    limit = row.limit_price if row.limit_price is not None else Decimal(0)
    packages = int(abs(row.qty))
    sent = Sent(row.order_id, row.exec_plan_id, row.leg_group_id, packages, limit, limit, row.created_at)
    sent.see(row)
    return sent


@orders_cancel.forecasts
def _forecast(ctx: Context, inputs: Cancels) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    yield from withdraw("order-*/cancel", "CancelOrder", {"live_order_id": Unknown("integer", until)})
    return unknown_outputs(CancelledOrders, until)
