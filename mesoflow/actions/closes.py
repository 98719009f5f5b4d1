"""`position.exit`: exit.prepare and orders.work as one step, done when the position is closed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.exits import ExitOrder, exit_prepare
from mesoflow.actions.fills import realized_pnl
from mesoflow.actions.foretold import prepare_forecast, trading_forecast
from mesoflow.actions.hub import below, read
from mesoflow.actions.kinds import Duration, Money
from mesoflow.actions.orders import TRADING_ERRORS, TRADING_METHODS, trade_plan
from mesoflow.actions.unknown import Unknown, unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan, Execution, Order, Price
from mesoflow.actions.work import Sequence, Work, require_sense
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.hubs.models.positions import GetPositionResult
from mesoflow.trading.paper import PaperFill
from mesoflow.trading.prices import PricePolicy


class PositionExit(Inputs):
    """Inputs of `position.exit`."""

    position_id: int = Field(description="which position", examples=[7])
    price: PricePolicy = Field(
        description="as in orders.work",
        examples=[
            {"start": "mid", "step": Decimal("0.05"), "every": "20s", "worst": {"from_mid": Decimal("0.30")}}
        ],
    )
    within: Duration = Field(description="time for each leg group", examples=["5m"])
    sequence: Sequence = Field(
        "safest",
        description="leg groups in order, each named by one of its legs; does not apply on a paper account",
        examples=["together", ["short_put", "short_call"]],
    )
    paper_fill: PaperFill = Field(
        "worst", description="price booked on a paper account, never beyond worst", examples=["natural"]
    )


class PositionClosed(Outputs):
    """Outputs of `position.exit`."""

    exec_plan_id: int = Field(description="the hub's id", examples=[9002])
    position_id: int = Field(description="of which position", examples=[7])
    price: Price = Field(description="of one lot, all groups added")
    cash: Money = Field(description="+ received, − paid", examples=["4195.00"])
    fees: Money | None = Field(description="commissions; null where the hub does not tell", examples=["0.00"])
    realized_pnl: Money = Field(description="of the whole position, as the hub has it", examples=["-60.00"])
    orders: list[Order] = Field(description="the orders at the broker; none on a paper account")
    live: bool = Field(description="a broker was involved", examples=[False])
    finished_at: datetime = Field(description="when the legs had been compared")


@action(
    "position.exit",
    "trade",
    inputs=PositionExit,
    outputs=PositionClosed,
    errors=(
        "position_not_found",
        "prepare_failed",
        "prepare_too_slow",
        "nothing_to_trade",
        *(code for code in TRADING_ERRORS if code not in ("plan_too_old", "quantity_unproven")),
    ),
    methods=TRADING_METHODS,
)
def position_exit(ctx: Context, inputs: PositionExit) -> Acting[PositionClosed]:
    """exit.prepare and orders.work as one step, done when the position is closed. With retry, each attempt closes what is
    still open."""
    order = ExitOrder(position_id=inputs.position_id)
    plan: ExecPlan = yield from below("prepare", exit_prepare.body(ctx, order))
    require_sense(plan, inputs.sequence)
    work = Work(plan, inputs.price, inputs.within, ctx.step, inputs.sequence, inputs.paper_fill)
    done: Execution = yield from trade_plan(ctx, work, "hold")
    closed = yield from read("closed", "GetPosition", {"position_id": inputs.position_id}, GetPositionResult)
    return PositionClosed(
        exec_plan_id=done.exec_plan_id,
        position_id=done.position_id,
        price=done.price,
        cash=done.cash,
        fees=done.fees,
        realized_pnl=realized_pnl(closed),
        orders=done.orders,
        live=done.live,
        finished_at=done.finished_at,
    )


@position_exit.forecasts
def _forecast(ctx: Context, inputs: PositionExit) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    yield from prepare_forecast("prepare", until)
    plan = {"kind": "exit", "position_id": inputs.position_id}
    known = {name: Unknown(word, until) for name, word in _OF_PLAN.items()}
    yield from trading_forecast({**known, **plan}, until)
    return unknown_outputs(PositionClosed, until, {"position_id": inputs.position_id})


_OF_PLAN = {
    "exec_plan_id": "integer",
    "broker_account_id": "string",
    "strategy_id": "integer",
    "lots": "decimal",
}
