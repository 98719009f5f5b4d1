"""Exits: `exit.prepare`. Everything that a position still holds is closed; the quantities are the hub's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.hub import read
from mesoflow.actions.jobs import JobKind, forecast_job, run_job
from mesoflow.actions.kinds import Duration
from mesoflow.actions.plans import Sized, exec_plan, traded, wire_quantities
from mesoflow.actions.unknown import unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.positions import GetPositionResult
from mesoflow.hubs.models.prepares import GetPreparePositionExitStatusResult, PreparePositionExitResult
from mesoflow.trading.combos import ratio_of

JOB = JobKind(
    "StartPreparePositionExit",
    "GetPreparePositionExitStatus",
    "CancelPreparePositionExit",
    GetPreparePositionExitStatusResult,
)
_ZERO = Decimal(0)
# The hub's greeks are of what is held; those of what closes it are the opposite.
_OPPOSITE = Decimal(-1)


class ExitOrder(Inputs):
    """Inputs of `exit.prepare`."""

    position_id: int = Field(description="which position", examples=[7])
    provider: str | None = Field(
        None, description="data provider; without it that of the position", examples=["IBKR"]
    )
    within: Duration = Field(timedelta(minutes=2), description="how long the job may take", examples=["2m"])


@action(
    "exit.prepare",
    "prepare",
    inputs=ExitOrder,
    outputs=ExecPlan,
    errors=(
        "position_not_found",
        "account_not_allowed",
        "prepare_failed",
        "prepare_too_slow",
        "nothing_to_trade",
        "no_quote",
    ),
    methods=(
        "GetPosition",
        "StartPreparePositionExit",
        "GetPreparePositionExitStatus",
        "CancelPreparePositionExit",
        "GetLegsSnapshot",
        "GetUnderlyingSnapshot",
    ),
)
def exit_prepare(ctx: Context, inputs: ExitOrder) -> Acting[ExecPlan]:
    """Plan the closing of everything a position still holds; quantities are the hub's."""
    until = ctx.now + inputs.within
    position_id = inputs.position_id
    missing = {"NotFound": ("position_not_found", f"the hub has no position {position_id}")}
    found = yield from read(
        "position", "GetPosition", {"position_id": position_id}, GetPositionResult, refused=missing
    )
    require_allowed(ctx, found.position.broker_account_id)
    if found.position.state == LivePositionState.CLOSED:
        raise StepError("nothing_to_trade", f"position {position_id} is closed", {"position_id": position_id})
    args: dict[str, Value] = {"position_id": position_id, "data_provider": inputs.provider}
    status = yield from run_job(JOB, args, until, f"the exit of position {position_id}", missing)
    if status.result is None:
        raise StepError("prepare_failed", f"the exit of position {position_id} completed without a plan", {})
    return (yield from exec_plan(ctx, _sized(inputs, status.result, found.position.qty_multiplier)))


def _sized(inputs: ExitOrder, result: PreparePositionExitResult, multiplier: Decimal | None) -> Sized:
    """What closes: the plan's quantities, against what is held. Whichever sign the plan writes, a leg is closed."""
    held = result.position_legs
    quantities = {
        name: _closing(held[name].qty, quantity) for name, quantity in wire_quantities(result, held).items()
    }
    legs = traded(result, held, quantities, _OPPOSITE)
    symbol = next((leg.contract.underlying for leg in legs.values()), "")
    lots = multiplier or Decimal(ratio_of(quantities).packages or 1)
    return Sized("exit", result, legs, lots, symbol, result.position_id, provider=inputs.provider)


def _closing(held: Decimal, quantity: Decimal) -> Decimal:
    return -abs(quantity) if held > _ZERO else abs(quantity) if held < _ZERO else _ZERO


@exit_prepare.forecasts
def _forecast(ctx: Context, inputs: ExitOrder) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    args: dict[str, Value] = {"position_id": inputs.position_id, "data_provider": inputs.provider}
    yield from forecast_job(JOB, args, until)
    return unknown_outputs(ExecPlan, until, {"kind": "exit", "position_id": inputs.position_id})
