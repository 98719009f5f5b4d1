"""Adjustments: `adjustment.prepare` plans what the strategy defines, `position.update_vars` lets the hub apply variables.

Both name the strategy's own key, letter for letter, and look it up in the definition first: a key that is not there never
reaches the hub. What a plan does is held against what the position holds: legs that are open are closed or made smaller,
others are opened, each under a name of its own (hubs/inferred.py, moved_leg_name).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.contracts import MULTIPLIER, contract_of
from mesoflow.actions.definitions import as_object
from mesoflow.actions.entries import CONSTRAINTS
from mesoflow.actions.hub import call, read
from mesoflow.actions.jobs import JobKind, ended_job, forecast_job, run_job
from mesoflow.actions.kinds import Duration, Number
from mesoflow.actions.plans import Sized, conditions_of, exec_plan, traded, wire_quantities
from mesoflow.actions.unknown import unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.positions import GetPositionResult
from mesoflow.hubs.models.prepares import (
    GetPreparePositionAdjustmentStatusResult,
    PreparePositionAdjustmentResult,
)
from mesoflow.hubs.models.strategies import GetStrategyResult
from mesoflow.trading.combos import ratio_of
from mesoflow.trading.payoff import Holding

JOB = JobKind(
    "StartPreparePositionAdjustment",
    "GetPreparePositionAdjustmentStatus",
    "CancelPreparePositionAdjustment",
    GetPreparePositionAdjustmentStatusResult,
)
_OPERATIONS = {"add_legs": "AddLegs", "remove_legs": "RemoveLegs", "move_leg": "MoveLeg"}
_UPDATE_VARS = "UpdateVars"
_ZERO = Decimal(0)
_CENT = Decimal("0.01")


class AdjustmentOrder(Inputs):
    """Inputs of `adjustment.prepare`."""

    position_id: int = Field(description="which position", examples=[7])
    operation: Literal["add_legs", "remove_legs", "move_leg"] = Field(
        description="kind of adjustment; variables are position.update_vars", examples=["move_leg"]
    )
    condition: str = Field(
        min_length=1,
        description="the strategy's own key, letter for letter; usually the condition of a signal",
        examples=["pos_delta > 5 -- move call"],
    )
    leg_selection: Literal["fully_unique", "unique_in_position", "none"] = Field(
        "fully_unique", description="which contracts may be used again", examples=["unique_in_position"]
    )
    provider: str | None = Field(
        None, description="data provider; without it that of the position", examples=["IBKR"]
    )
    within: Duration = Field(timedelta(minutes=2), description="how long the job may take", examples=["2m"])


@action(
    "adjustment.prepare",
    "prepare",
    inputs=AdjustmentOrder,
    outputs=ExecPlan,
    errors=(
        "position_not_found",
        "account_not_allowed",
        "adjustment_not_allowed",
        "no_such_condition",
        "prepare_failed",
        "prepare_too_slow",
        "nothing_to_trade",
        "no_quote",
    ),
    methods=(
        "GetPosition",
        "GetStrategy",
        "StartPreparePositionAdjustment",
        "GetPreparePositionAdjustmentStatus",
        "CancelPreparePositionAdjustment",
        "GetContractSnapshot",
        "GetLegsSnapshot",
        "GetUnderlyingSnapshot",
    ),
)
def adjustment_prepare(ctx: Context, inputs: AdjustmentOrder) -> Acting[ExecPlan]:
    """Plan an adjustment that the strategy defines; ends in error when it is not allowed."""
    until = ctx.now + inputs.within
    operation = _OPERATIONS[inputs.operation]
    found = yield from _position(ctx, inputs.position_id, "nothing_to_trade")
    yield from _require_defined(found, inputs.condition, operation)
    what = f"the adjustment of position {inputs.position_id}"
    args: dict[str, Value] = {
        "position_id": inputs.position_id,
        "operation": operation,
        "condition": inputs.condition,
        "leg_selection_constraint": CONSTRAINTS[inputs.leg_selection],
        "data_provider": inputs.provider,
    }
    status = yield from run_job(JOB, args, until, what, _missing(inputs.position_id))
    if status.result is None:
        raise StepError("prepare_failed", f"{what} completed without a plan", {})
    _require_allowed_adjustment(status.result, inputs.operation)
    ctx.prepared[status.result.exec_plan_id] = inputs  # what is left of it may be prepared again (renewal.py)
    return (yield from exec_plan(ctx, _sized(inputs, status.result, found)))


# --- the position and its strategy -------------------------------------------------------------------------------------


def _missing(position_id: int) -> Mapping[str, tuple[str, str]]:
    return {"NotFound": ("position_not_found", f"the hub has no position {position_id}")}


def _position(ctx: Context, position_id: int, closed: str) -> Acting[GetPositionResult]:
    """An open position of an account of ours; `closed`: the error of one that is not open."""
    found = yield from read(
        "position",
        "GetPosition",
        {"position_id": position_id},
        GetPositionResult,
        refused=_missing(position_id),
    )
    require_allowed(ctx, found.position.broker_account_id)
    if found.position.state == LivePositionState.CLOSED:
        raise StepError(closed, f"position {position_id} is closed", {"position_id": position_id})
    return found


def _require_defined(found: GetPositionResult, condition: str, operation: str) -> Acting[tuple[str, ...]]:
    """The strategy has the operation under this key. Gives the variables that it defines."""
    strategy_id = found.position.live_strategy_id
    gone = {"NotFound": ("no_such_condition", f"strategy {strategy_id} of the position is gone")}
    answer = yield from read(
        "strategy", "GetStrategy", {"strategy_id": strategy_id}, GetStrategyResult, refused=gone
    )
    definition = as_object(answer.strategy.strategy_definition)
    if definition is None:
        return ()  # the hub does not tell; it will judge
    keys = _object(_object(definition.get("Adjustment")).get("ConditionalAdjustments"))
    defined = _object(keys.get(condition)).get(f"{operation}Adjustment")
    if defined is None:
        raise _no_such_condition(answer.strategy.name, keys, condition, operation)
    return tuple(_object(_object(defined).get("VarDefines")))


def _object(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}


def _no_such_condition(strategy: str, keys: Mapping[str, Value], condition: str, operation: str) -> StepError:
    known = [
        key for key, actions in keys.items() if _object(actions).get(f"{operation}Adjustment") is not None
    ]
    said = "; it has " + ", ".join(map(repr, known)) if known else "; it has none"
    return StepError(
        "no_such_condition",
        f"the strategy {strategy!r} has no {operation} under the key {condition!r}{said}",
        {"condition": condition, "operation": operation, "conditions": known},
    )


# --- the plan ----------------------------------------------------------------------------------------------------------


def _require_allowed_adjustment(result: PreparePositionAdjustmentResult, operation: str) -> None:
    """A hub that does not say counts as no, but for what only takes legs away."""
    allowed = result.adjustment_allowed
    if allowed or (allowed is None and operation == "remove_legs"):
        return
    conditions = conditions_of([], result.abort_conditions or [])
    against = [one for one in conditions if one.result is not False]
    said = "; ".join(f"abort condition {one.text!r} is {_said(one.result)}" for one in against)
    how = "does not say that it allows" if allowed is None else "does not allow"
    raise StepError(
        "adjustment_not_allowed",
        f"the strategy {result.strategy_name!r} {how} the adjustment {result.condition!r}"
        + (f": {said}" if said else ""),
        {"condition": result.condition, "conditions": [one.value() for one in conditions]},
    )


def _said(result: bool | None) -> str:
    return "not known" if result is None else str(result).lower()


def _sized(
    inputs: AdjustmentOrder, result: PreparePositionAdjustmentResult, found: GetPositionResult
) -> Sized:
    held = {leg.id: leg for leg in found.legs if leg.closed_at is None}
    planned = result.order_legs
    _require_names(planned, held)
    quantities = {
        name: _quantity(inputs, planned[name], quantity, held)
        for name, quantity in wire_quantities(result, planned).items()
    }
    legs = traded(result, planned, quantities)
    open_legs = [leg for leg in held.values() if leg.qty]
    return Sized(
        kind="adjustment",
        wire=result,
        legs=legs,
        lots=found.position.qty_multiplier or _packages(open_legs),
        symbol=next((leg.contract.underlying for leg in legs.values()), ""),
        position_id=result.position_id,
        conditions=conditions_of([], result.abort_conditions or []),
        provider=inputs.provider,
        held=tuple(Holding(contract_of(leg), leg.qty) for leg in open_legs),
        held_cash=sum((-leg.qty * leg.avg_entry_price * MULTIPLIER for leg in open_legs), _ZERO).quantize(
            _CENT
        ),
    )


def _packages(legs: list[LiveLeg]) -> Decimal:
    return Decimal(ratio_of({leg.name: leg.qty for leg in legs}).packages or 1)


def _require_names(planned: Mapping[str, LiveLeg], held: Mapping[int, LiveLeg]) -> None:
    """Legs are followed by name: a plan that gives a new leg the name of another cannot be followed."""
    names = {leg.name for leg in held.values()}
    for key, leg in planned.items():
        if key != leg.name or (leg.id not in held and leg.name in names):
            raise StepError(
                "prepare_failed",
                f"the plan calls leg {key!r} {leg.name!r}, a name that another leg has; mesoflow cannot tell them apart",
                {"leg": key, "guess": "moved_leg_name"},
            )


def _quantity(
    inputs: AdjustmentOrder, leg: LiveLeg, quantity: Decimal, held: Mapping[int, LiveLeg]
) -> Decimal:
    """Of an open leg what closes, whichever sign the plan writes; of any other what opens."""
    there = held.get(leg.id)
    if there is None:
        if inputs.operation == "remove_legs" and quantity:
            raise _strange(leg, f"opens leg {leg.name}, where legs are only removed")
        return quantity
    if inputs.operation == "add_legs" and quantity:
        raise _strange(leg, f"trades leg {leg.name}, which is open, where legs are only added")
    if abs(quantity) > abs(there.qty):
        raise _strange(leg, f"closes {abs(quantity)} of leg {leg.name}, of which {abs(there.qty)} are open")
    return -abs(quantity) if there.qty > _ZERO else abs(quantity)


def _strange(leg: LiveLeg, what: str) -> StepError:
    return StepError("prepare_failed", f"the plan {what}", {"leg": leg.name})


@adjustment_prepare.forecasts
def _forecast(ctx: Context, inputs: AdjustmentOrder) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    args: dict[str, Value] = {
        "position_id": inputs.position_id,
        "operation": _OPERATIONS.get(inputs.operation, inputs.operation),
        "condition": inputs.condition,
        "leg_selection_constraint": CONSTRAINTS.get(inputs.leg_selection, inputs.leg_selection),
        "data_provider": inputs.provider,
    }
    yield from forecast_job(JOB, args, until)
    return unknown_outputs(ExecPlan, until, {"kind": "adjustment", "position_id": inputs.position_id})


# --- variables ---------------------------------------------------------------------------------------------------------


class VarsUpdate(Inputs):
    """Inputs of `position.update_vars`."""

    position_id: int = Field(description="which position", examples=[7])
    condition: str = Field(
        min_length=1,
        description="the strategy's own key, letter for letter, as in adjustment.prepare",
        examples=["days_in_trade >= 30 -- take less"],
    )


class UpdatedVars(Outputs):
    """Outputs of `position.update_vars`."""

    vars: dict[str, Number] = Field(description="all variables of the position, after it")


# The job chooses no contract; a hub that takes longer than that is in trouble.
_UPDATE_WITHIN = timedelta(minutes=2)


@action(
    "position.update_vars",
    "change",
    inputs=VarsUpdate,
    outputs=UpdatedVars,
    errors=(
        "position_not_found",
        "account_not_allowed",
        "no_such_condition",
        "prepare_failed",
        "prepare_too_slow",
    ),
    methods=(
        "GetPosition",
        "GetStrategy",
        "StartPreparePositionAdjustment",
        "GetPreparePositionAdjustmentStatus",
        "CancelPreparePositionAdjustment",
    ),
)
def position_update_vars(ctx: Context, inputs: VarsUpdate) -> Acting[UpdatedVars]:
    """Apply an UpdateVars adjustment of the strategy; no order."""
    until = ctx.now + _UPDATE_WITHIN
    position_id = inputs.position_id
    found = yield from _position(ctx, position_id, "prepare_failed")
    names = yield from _require_defined(found, inputs.condition, _UPDATE_VARS)
    # Should the answer be lost: what the variables were before says whether they were set (runtime/reconcile.py).
    before = {name: value for name, value in (found.vars or {}).items() if not names or name in names}
    started = yield from call(
        "start",
        JOB.start,
        {
            "position_id": position_id,
            "operation": _UPDATE_VARS,
            "condition": inputs.condition,
            "leg_selection_constraint": None,
            "data_provider": None,
        },
        hints={"vars_before": before, "vars_names": list(names)},
        refused=_missing(position_id),
    )
    if started["job_id"] is not None:  # null: applied, as the variables themselves say
        yield from ended_job(
            JOB, str(started["job_id"]), until, f"the update of variables of position {position_id}"
        )
    after = yield from read("applied", "GetPosition", {"position_id": position_id}, GetPositionResult)
    return UpdatedVars(vars=dict(after.vars or {}))


@position_update_vars.forecasts
def _foretold(ctx: Context, inputs: VarsUpdate) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    args: dict[str, Value] = {
        "position_id": inputs.position_id,
        "operation": _UPDATE_VARS,
        "condition": inputs.condition,
    }
    yield from forecast_job(JOB, args, until)
    return unknown_outputs(UpdatedVars, until)
