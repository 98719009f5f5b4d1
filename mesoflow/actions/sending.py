"""`orders.send` and `fills.wait`: orders that are sent by one step and waited for by another.

Between the two they belong to the run (`Context.open_orders`, by exec plan): however it ends before a `fills.wait` has
taken them, closing.py takes them back. A single price is sent, nobody walks it; what a halt or a park took back goes on at
that price, as in a walk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from pydantic import Field

from mesoflow.actions.accounts import read_account
from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.fills import Compared, Traded, execution
from mesoflow.actions.foretold import known_of_plan, trading_forecast
from mesoflow.actions.groups import Desk, decide
from mesoflow.actions.groups import traded as filled_of
from mesoflow.actions.hub import PATIENCE, below, shielded, side_by_side
from mesoflow.actions.incomplete import compared_with_hub, conclude, hold, partial
from mesoflow.actions.kinds import Duration
from mesoflow.actions.orders import TRADING_ERRORS, TRADING_METHODS, on_paper
from mesoflow.actions.rungs import send_rung
from mesoflow.actions.sent import take_back
from mesoflow.actions.unknown import Unknown, unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan, Execution, Order
from mesoflow.actions.walk import walk
from mesoflow.actions.way import Walk
from mesoflow.actions.work import IfIncomplete, Sequence, Work, require_free, require_sense, require_young
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.paths import attempt
from mesoflow.trading.prices import PricePolicy

_PLAN_AGE_MAX = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Booked:
    """A plan that was booked on paper: there is nothing to wait for."""

    plan: ExecPlan
    traded: Traded
    compared: Compared


class Sending(Inputs):
    """Inputs of `orders.send`."""

    exec_plan: ExecPlan = Field(
        description="the whole result of a prepare step", examples=["{{ steps.entry }}"]
    )
    price: PricePolicy = Field(
        description="one price: without `step`, for nobody walks it", examples=[{"start": "mid"}]
    )
    sequence: Sequence = Field(
        "safest",
        description="order of sending; does not apply on a paper account",
        examples=["together", ["short_put", "short_call"]],
    )


class SentOrders(Outputs):
    """Outputs of `orders.send`."""

    exec_plan_id: int = Field(description="the hub's id", examples=[9001])
    orders: list[Order] = Field(description="the orders at the broker; none on a paper account")
    live: bool = Field(description="a broker was involved", examples=[True])


@action(
    "orders.send",
    "trade",
    inputs=Sending,
    outputs=SentOrders,
    errors=tuple(code for code in TRADING_ERRORS if code != "not_filled"),
    methods=TRADING_METHODS,
)
def orders_send(ctx: Context, inputs: Sending) -> Acting[SentOrders]:
    """Send one limit order for each leg group of an exec plan and go on; the fills are waited for by a later
    `fills.wait`. `check` refuses a playbook in which some path from here does not reach one."""
    plan = inputs.exec_plan
    if inputs.price.step is not None:
        raise StepError("bad_value", "price.step: nobody walks the price of orders.send; orders.work does")
    require_sense(plan, inputs.sequence)
    require_free(ctx, plan)
    work = Work(plan, inputs.price, PATIENCE, ctx.step, inputs.sequence, "worst", _PLAN_AGE_MAX)
    require_young(ctx, work)
    until = ctx.now + PATIENCE
    account = yield from read_account("account", plan.broker_account_id)
    if account.is_paper_account:
        traded, compared = yield from on_paper(ctx, work, account, until)
        ctx.open_orders[plan.exec_plan_id] = Booked(plan, traded, compared)
        return SentOrders(exec_plan_id=plan.exec_plan_id, orders=[], live=False)
    desk = yield from decide(ctx, work)
    ctx.open_orders[plan.exec_plan_id] = desk
    yield from _send_all(ctx, desk)
    orders = [sent.shown() for way in desk.walks for sent in way.orders]
    return SentOrders(exec_plan_id=plan.exec_plan_id, orders=orders, live=True)


def _send_all(ctx: Context, desk: Desk) -> Acting[None]:
    """One order a group, or none at all: where one cannot be sent the others are taken back."""
    for way in desk.walks:
        way.until = ctx.now + PATIENCE
        yield from below(f"group-{way.group.id}", _send_one(ctx, way))
        if way.why is not None or not way.orders:
            why = way.why or StepError(
                "no_quote", f"group {way.group.id} could not be priced", {}, retryable=True
            )
            raise (yield from shielded(_given_up(ctx, desk, why)))


def _send_one(ctx: Context, way: Walk) -> Acting[None]:
    """The one price, looked for as long as the market may stay away."""
    way.rungs = 1
    for again in count(1):
        name = attempt("rung-1", again)
        if (yield from send_rung(ctx, way, name, way.frozen.ladder.start)) is not None:
            return
        if way.ended(ctx.now):
            return


def _given_up(ctx: Context, desk: Desk, why: StepError) -> Acting[StepError]:
    """Take everything back; the error is that of the group that could not be sent, or what filled meanwhile."""
    yield from take_all_back(ctx, desk)
    ctx.open_orders.pop(desk.work.plan.exec_plan_id, None)
    if not desk.filled:
        return why
    compared = yield from compared_with_hub(ctx, desk, filled_of(desk))
    return (yield from hold(ctx, desk, compared, why))


def take_all_back(ctx: Context, desk: Desk) -> Acting[None]:
    """Cancel and confirm every order that is alive; call it in a shield."""
    for way in desk.walks:
        if way.live is not None:
            yield from below(f"group-{way.group.id}", take_back(ctx, way.live, "stop"))


# --- waiting -----------------------------------------------------------------------------------------------------------


class Waiting(Inputs):
    """Inputs of `fills.wait`."""

    orders: SentOrders = Field(
        description="the whole result of an `orders.send`", examples=["{{ steps.send }}"]
    )
    within: Duration = Field(description="time for all of them", examples=["5m"])
    if_incomplete: IfIncomplete = Field(
        "hold",
        description="something filled, not all: as in orders.work",
        examples=["keep"],
    )


@action(
    "fills.wait",
    "trade",
    inputs=Waiting,
    outputs=Execution,
    errors=("not_filled", "incomplete", "rejected", "combo_not_supported", "rail_refused"),
    methods=TRADING_METHODS,
)
def fills_wait(ctx: Context, inputs: Waiting) -> Acting[Execution]:
    """Wait until orders sent earlier are filled, or out of time; then they are cancelled, the cancel confirmed, and
    MesoLive's legs compared with the fills."""
    plan_id = inputs.orders.exec_plan_id
    found = ctx.open_orders.get(plan_id)
    if found is None:
        raise StepError("bad_value", f"no orders of exec plan {plan_id} are waited for")
    if isinstance(found, Booked):
        ctx.open_orders.pop(plan_id)
        return execution(ctx, found.plan, found.traded, found.compared)
    require_sense(found.work.plan, found.work.sequence, inputs.if_incomplete)
    try:
        yield from _wait_for_all(ctx, found, inputs.within)
    except Cancelled as cancelled:
        ctx.open_orders.pop(plan_id)
        yield from shielded(take_all_back(ctx, found))
        filled = yield from shielded(partial(ctx, found))
        raise Cancelled(cancelled.reason, filled) from None
    ctx.open_orders.pop(plan_id)
    return (yield from conclude(ctx, found, inputs.if_incomplete))


def _wait_for_all(ctx: Context, desk: Desk, within: timedelta) -> Acting[None]:
    """Every group is watched at once, whatever the order of sending was."""
    for way in desk.walks:
        way.until = ctx.now + within
    bodies = [below(f"group-{way.group.id}", walk(ctx, way)) for way in desk.walks]
    yield from side_by_side(bodies)


# --- forecasts ---------------------------------------------------------------------------------------------------------


@orders_send.forecasts
def _forecast_send(ctx: Context, inputs: Sending) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    yield from trading_forecast(inputs.exec_plan, until, stops=True)
    return unknown_outputs(SentOrders, until, known_of_plan(inputs.exec_plan, ("exec_plan_id",)))


@fills_wait.forecasts
def _forecast_wait(ctx: Context, inputs: Waiting) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    unwinds = inputs.if_incomplete not in ("hold", "keep")
    yield from trading_forecast(Unknown("ExecPlan", until), until, books=False, unwinds=unwinds, stops=True)
    return unknown_outputs(Execution, until, _plan_id(inputs.orders))


def _plan_id(orders: Any) -> dict[str, Value]:  # noqa: ANN401 - outputs of a step, or unknowns for them
    if isinstance(orders, SentOrders):
        return {"exec_plan_id": orders.exec_plan_id}
    return known_of_plan(orders, ("exec_plan_id",))
