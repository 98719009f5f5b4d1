"""Entries: `entry.prepare`. The hub chooses the legs and judges the strategy's conditions; the size is decided here."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Acting, Inputs, account_of, action
from mesoflow.actions.definitions import symbol_of
from mesoflow.actions.jobs import JobKind, forecast_job, run_job
from mesoflow.actions.kinds import Duration
from mesoflow.actions.plans import Sized, conditions_of, exec_plan, traded, wire_quantities
from mesoflow.actions.sessions import calendar_of
from mesoflow.actions.strategies import StrategyRef, find_strategy
from mesoflow.actions.unknown import Unknown, unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.prepares import GetPreparePositionEntryStatusResult, PreparePositionEntryResult
from mesoflow.hubs.models.strategies import LiveStrategy

JOB = JobKind(
    "StartPreparePositionEntry",
    "GetPreparePositionEntryStatus",
    "CancelPreparePositionEntry",
    GetPreparePositionEntryStatusResult,
)
CONSTRAINTS = {"fully_unique": "FullyUnique", "unique_in_position": "UniqueInPosition", "none": "None"}


class EntryOrder(Inputs):
    """Inputs of `entry.prepare`."""

    strategy: StrategyRef = Field(description="id or exact name", examples=["put calendar campaign"])
    broker_account_id: str | None = Field(
        None, description="which account; without it the one of risk.accounts", examples=["PAPER-1"]
    )
    lots: int | None = Field(
        None,
        ge=1,
        description="multiplies every leg of the structure; without it what the strategy resolves",
        examples=[2],
    )
    position_name: str | None = Field(
        None,
        min_length=1,
        description="must be new on the account; without it strategy name, session date and run",
        examples=["calendar of Friday"],
    )
    leg_selection: Literal["fully_unique", "unique_in_position", "none"] = Field(
        "fully_unique", description="which contracts may be used again", examples=["unique_in_position"]
    )
    underlying: str | None = Field(
        None, min_length=1, description="another symbol than the strategy's", examples=["XSP"]
    )
    provider: str | None = Field(
        None, description="data provider; without it that of agent.require", examples=["IBKR"]
    )
    within: Duration = Field(timedelta(minutes=2), description="how long the job may take", examples=["2m"])


@action(
    "entry.prepare",
    "prepare",
    inputs=EntryOrder,
    outputs=ExecPlan,
    errors=(
        "strategy_not_found",
        "strategy_ambiguous",
        "account_not_allowed",
        "entry_not_allowed",
        "prepare_failed",
        "prepare_too_slow",
        "nothing_to_trade",
        "no_quote",
    ),
    methods=(
        "ListStrategies",
        "GetStrategy",
        "StartPreparePositionEntry",
        "GetPreparePositionEntryStatus",
        "CancelPreparePositionEntry",
        "GetContractSnapshot",
        "GetUnderlyingSnapshot",
    ),
)
def entry_prepare(ctx: Context, inputs: EntryOrder) -> Acting[ExecPlan]:
    """Let the hub choose legs and judge the strategy's conditions; ends in error when the entry is not allowed."""
    until = ctx.now + inputs.within
    account_id = account_of(ctx, inputs.broker_account_id)
    require_allowed(ctx, account_id)
    strategy = yield from find_strategy(inputs.strategy)
    args = _args(ctx, inputs, account_id, strategy)
    status = yield from run_job(JOB, args, until, f"the entry of {strategy.name!r}")
    if status.result is None:
        raise StepError("prepare_failed", f"the entry of {strategy.name!r} completed without a plan", {})
    _require_allowed_entry(status.result)
    return (yield from exec_plan(ctx, _sized(ctx, inputs, status.result, strategy)))


def _args(ctx: Context, inputs: EntryOrder, account_id: str, strategy: LiveStrategy) -> dict[str, Value]:
    day = ctx.session_date or calendar_of(ctx).today(ctx.now)
    symbol = inputs.underlying or symbol_of(strategy.strategy_definition)
    return {
        "position_name": inputs.position_name or f"{strategy.name} {day.isoformat()} {ctx.run_id}",
        "strategy_id": strategy.id,
        "broker_account_id": account_id,
        "leg_selection_constraint": CONSTRAINTS[inputs.leg_selection],
        "underlying": {"symbol": symbol} if symbol else None,
        "data_provider": inputs.provider or ctx.provider,
    }


def _require_allowed_entry(result: PreparePositionEntryResult) -> None:
    if result.entry_allowed:
        return
    conditions = conditions_of(result.entry_conditions, result.abort_conditions)
    against = [one for one in conditions if one.result is not (one.kind == "entry")]
    said = "; ".join(f"{one.kind} condition {one.text!r} is {_said(one.result)}" for one in against)
    raise StepError(
        "entry_not_allowed",
        f"the strategy {result.strategy_name!r} does not allow the entry" + (f": {said}" if said else ""),
        {"conditions": [one.value() for one in conditions]},
    )


def _said(result: bool | None) -> str:
    return "not known" if result is None else str(result).lower()


def _sized(
    ctx: Context, inputs: EntryOrder, result: PreparePositionEntryResult, strategy: LiveStrategy
) -> Sized:
    """Quantities contain the multiplier that the hub resolved; `lots` replaces it (hubs/inferred.py, qty_multiplier)."""
    resolved = result.qty_multiplier
    lots = Decimal(inputs.lots) if inputs.lots is not None else resolved
    ctx.resolved[result.exec_plan_id] = resolved
    if resolved <= 0 or lots <= 0:
        raise StepError("nothing_to_trade", f"the strategy resolves to {resolved} lots")
    scale = lots / resolved
    quantities = {
        name: quantity * lots / resolved
        for name, quantity in wire_quantities(result, result.selected_legs).items()
    }
    legs = traded(result, result.selected_legs, quantities, scale)
    symbol = next((leg.contract.underlying for leg in legs.values()), symbol_of(strategy.strategy_definition))
    return Sized(
        kind="entry",
        wire=result,
        legs=legs,
        lots=lots,
        symbol=symbol,
        position_id=None,
        conditions=conditions_of(result.entry_conditions, result.abort_conditions),
        provider=inputs.provider,
    )


@entry_prepare.forecasts
def _forecast(ctx: Context, inputs: EntryOrder) -> Acting[dict[str, Value]]:
    until = until_of(ctx.step)
    account = inputs.broker_account_id if inputs.broker_account_id is not None else ctx.account
    args: dict[str, Value] = {
        "strategy": inputs.strategy,
        "broker_account_id": account,
        "leg_selection_constraint": CONSTRAINTS.get(inputs.leg_selection, inputs.leg_selection),
        "position_name": inputs.position_name or Unknown("string", until),
        "data_provider": inputs.provider or ctx.provider or Unknown("string", until),
    }
    yield from forecast_job(JOB, args, until)
    known: dict[str, Value] = {"kind": "entry", "position_id": None}
    if account is not None:
        known["broker_account_id"] = account
    if inputs.lots is not None:
        known["lots"] = inputs.lots
    return unknown_outputs(ExecPlan, until, known)
