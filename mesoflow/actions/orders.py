"""`orders.work`: an exec plan, executed until filled or out of time. Paper accounts book fills (booking.py), brokers get
orders (groups.py, walk.py); the comparison with the hub at the end is the same (fills.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from mesoflow.actions.accounts import read_account
from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.booking import book_plan
from mesoflow.actions.fills import Compared, Traded, compare, execution
from mesoflow.actions.foretold import known_of_plan, trading_forecast
from mesoflow.actions.hub import shielded
from mesoflow.actions.incomplete import work_at_broker
from mesoflow.actions.kinds import Duration
from mesoflow.actions.ledger import remember
from mesoflow.actions.unknown import unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan, Execution
from mesoflow.actions.work import (
    IfIncomplete,
    Sequence,
    Work,
    require_free,
    require_sense,
    require_young,
)
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.trading.paper import PaperFill
from mesoflow.trading.prices import PricePolicy

# What a step that trades an exec plan can end with, and ask the hub for; its siblings add their own.
TRADING_ERRORS = (
    "account_not_allowed",
    "not_filled",
    "incomplete",
    "rejected",
    "combo_not_supported",
    "no_quote",
    "plan_too_old",
    "rail_refused",
    "credit_sign_unknown",
    "quantity_unproven",
    "approval_denied",
    "approval_expired",
)
TRADING_METHODS = (
    "GetAccount",
    "ListAgents",
    "ListLegs",
    "GetUnderlyingSnapshot",
    "GetContractSnapshot",
    "GetLegsSnapshot",
    "ApplyPaperFills",
    "SendOrder",
    "GetOrder",
    "ListOrders",
    "CancelOrder",
    "StartPreparePositionExit",
    "GetPreparePositionExitStatus",
    "CancelPreparePositionExit",
    "GetStrategy",
    "StartPreparePositionAdjustment",
    "GetPreparePositionAdjustmentStatus",
    "CancelPreparePositionAdjustment",
    "ListPositions",
    "ListExecutions",
    "GetPosition",
)


class OrderWork(Inputs):
    """Inputs of `orders.work`."""

    exec_plan: ExecPlan = Field(
        description="the whole result of a prepare step", examples=["{{ steps.entry }}"]
    )
    price: PricePolicy = Field(
        description="where it starts, how it gets worse, what it never passes",
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
    if_incomplete: IfIncomplete = Field(
        "hold",
        description="something filled, not all: hold calls a person, keep keeps whole packages of a single group, "
        "unwind trades back; cannot happen on a paper account",
        examples=["keep"],
    )
    max_plan_age: Duration = Field(
        timedelta(minutes=5), description="oldest plan that may open risk", examples=["5m"]
    )
    paper_fill: PaperFill = Field(
        "worst", description="price booked on a paper account, never beyond worst", examples=["natural"]
    )


@action(
    "orders.work",
    "trade",
    inputs=OrderWork,
    outputs=Execution,
    errors=TRADING_ERRORS,
    methods=TRADING_METHODS,
)
def orders_work(ctx: Context, inputs: OrderWork) -> Acting[Execution]:
    """Execute an exec plan, one order per leg group at a time, walking from start to worst, until filled or out of time;
    at the end nothing of it is working and MesoLive's legs have been compared with the fills. Paper accounts book paper
    fills, brokers get orders."""
    plan = inputs.exec_plan
    require_sense(plan, inputs.sequence, inputs.if_incomplete)
    work = Work(
        plan,
        inputs.price,
        inputs.within,
        ctx.step,
        inputs.sequence,
        inputs.paper_fill,
        inputs.max_plan_age,
    )
    return (yield from trade_plan(ctx, work, inputs.if_incomplete))


def trade_plan(ctx: Context, work: Work, if_incomplete: IfIncomplete) -> Acting[Execution]:
    """The account says how."""
    plan = work.plan
    require_free(ctx, plan)
    require_young(ctx, work)
    until = ctx.now + work.within
    account = yield from read_account("account", plan.broker_account_id)
    if not account.is_paper_account:
        return (yield from work_at_broker(ctx, work, if_incomplete))
    booked, compared = yield from on_paper(ctx, work, account, until)
    return execution(ctx, plan, booked, compared)


def on_paper(
    ctx: Context, work: Work, account: LiveAccount, until: datetime
) -> Acting[tuple[Traded, Compared]]:
    """Book, and compare: in a shield, so that a run that is cancelled while a booking is under way says what filled."""
    plan = work.plan
    booked = yield from book_plan(ctx, work, account, until)
    compared = yield from shielded(compare(ctx, plan, booked))
    assert compared.position_id is not None, "a booking makes or has a position"
    remember(ctx, plan.broker_account_id, compared.position_id, plan.exec_plan_id, compared.open_legs)
    return booked, compared


@orders_work.forecasts
def _forecast(ctx: Context, inputs: OrderWork) -> Acting[dict[str, Value]]:
    """One booking, or a walk: which of them the account says, and prices the quotes of that time."""
    until = until_of(ctx.step)
    unwinds = inputs.if_incomplete not in ("hold", "keep")
    yield from trading_forecast(inputs.exec_plan, until, unwinds=unwinds)
    known: Mapping[str, Value] = known_of_plan(
        inputs.exec_plan, ("exec_plan_id", "kind", "position_id", "lots")
    )
    return unknown_outputs(Execution, until, known)
