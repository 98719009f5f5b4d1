"""Prepare jobs: their arguments, their status, and the exec plans that they make.

A job has no effect on the market. Its result comes by polling and as an event (events.py); both carry the same model.
"""

from decimal import Decimal

from mesoflow.hubs.models.base import Args, Instant, Wire
from mesoflow.hubs.models.contracts import LiveLeg, LiveUnderlying
from mesoflow.hubs.models.enums import AConstraint, AnAdjustment, APreparationStatus, AProvider
from mesoflow.hubs.models.prices import LiveGreeks, LivePrices


class ConditionEvaluation(Wire):
    """One condition and what it came to; all names inferred."""

    condition: str
    result: bool | None = None
    error: str | None = None
    values: dict[str, Decimal] | None = None


class LegGroupQtys(Wire):
    """Quantities of one leg group. They contain the resolved multiplier (inferred.py, `qty_multiplier`)."""

    leg_qtys: dict[str, Decimal] | None = None  # leg name → signed contracts
    qty_multiplier: Decimal | None = None


class ExecPlan(Wire):
    """What the three kinds of plan share. Leg groups: id → names of legs; figures by leg, group and position."""

    exec_plan_id: int
    position_name: str
    strategy_id: int
    strategy_name: str
    broker_account_id: str
    leg_groups: dict[int, list[str]]
    leg_group_qtys: dict[int, LegGroupQtys]
    vars: dict[str, Decimal]
    leg_greeks: dict[str, LiveGreeks]
    leg_prices: dict[str, LivePrices]
    leg_group_greeks: dict[int, LiveGreeks]
    leg_group_prices: dict[int, LivePrices]
    position_greeks: LiveGreeks
    position_price: LivePrices
    underlying_price: LivePrices


class PreparePositionEntryArgs(Args):
    """Prepare a new position. Keyed."""

    idempotency_key: str
    position_name: str
    strategy_id: int
    broker_account_id: str
    leg_selection_constraint: AConstraint
    underlying: LiveUnderlying | None  # null: the strategy's symbol (the simulator's reading)
    data_provider: AProvider | None  # null: the hub's choice


class PreparePositionEntryResult(ExecPlan):
    """The plan of an entry. `entry_allowed` is the gate; quantities contain `qty_multiplier`."""

    selected_legs: dict[str, LiveLeg]  # by leg name
    abort_conditions: list[ConditionEvaluation]
    entry_conditions: list[ConditionEvaluation]
    entry_allowed: bool
    qty_multiplier: Decimal


class PreparePositionExitArgs(Args):
    """Prepare the closing of a position. Keyed."""

    idempotency_key: str
    position_id: int
    data_provider: AProvider | None  # null: the hub's choice


class PreparePositionExitResult(ExecPlan):
    """The plan of an exit; it has no gate."""

    position_id: int
    position_legs: dict[str, LiveLeg]  # by leg name


class PreparePositionAdjustmentArgs(Args):
    """Prepare an adjustment that the strategy defines; `condition` is its key, letter for letter. Keyed."""

    idempotency_key: str
    position_id: int
    operation: AnAdjustment
    condition: str
    leg_selection_constraint: AConstraint | None = None  # as of an entry; UpdateVars chooses nothing
    data_provider: AProvider | None  # null: the hub's choice


class PreparePositionAdjustmentResult(ExecPlan):
    """The plan of an adjustment. Its legs are those to trade, with the quantities to trade: a leg that has an id is closed
    or made smaller, one without (0) is opened. An absent `adjustment_allowed` says nothing."""

    operation: AnAdjustment
    condition: str
    position_id: int
    order_legs: dict[str, LiveLeg]  # by leg name
    qty_multiplier: Decimal | None = None
    abort_conditions: list[ConditionEvaluation] | None = None
    adjustment_allowed: bool | None = None


class StartPreparePositionEntryResult(Wire):
    """The job that was started."""

    job_id: str


class StartPreparePositionExitResult(Wire):
    """The job that was started."""

    job_id: str


class StartPreparePositionAdjustmentResult(Wire):
    """The job that was started."""

    job_id: str


class JobArgs(Args):
    """Which job."""

    job_id: str


class GetPreparePositionEntryStatusArgs(JobArgs):
    """Which entry job."""


class GetPreparePositionExitStatusArgs(JobArgs):
    """Which exit job."""


class GetPreparePositionAdjustmentStatusArgs(JobArgs):
    """Which adjustment job."""


class JobStatus(Wire):
    """What the status answers share. `error` is set when the job failed."""

    job_id: str
    status: APreparationStatus
    error: str | None = None
    created_at: Instant
    updated_at: Instant


class GetPreparePositionEntryStatusResult(JobStatus):
    """`result` is set when the job completed."""

    result: PreparePositionEntryResult | None = None


class GetPreparePositionExitStatusResult(JobStatus):
    """`result` is set when the job completed."""

    result: PreparePositionExitResult | None = None


class GetPreparePositionAdjustmentStatusResult(JobStatus):
    """`result` is set when the job completed."""

    result: PreparePositionAdjustmentResult | None = None


class CancelJobArgs(Args):
    """Which job to stop. Keyed, best effort."""

    idempotency_key: str
    job_id: str


class CancelPreparePositionEntryArgs(CancelJobArgs):
    """Stop an entry job."""


class CancelPreparePositionExitArgs(CancelJobArgs):
    """Stop an exit job."""


class CancelPreparePositionAdjustmentArgs(CancelJobArgs):
    """Stop an adjustment job."""


class CancelJobResult(Wire):
    """What the job's status was after the attempt."""

    job_id: str | None = None
    status: APreparationStatus | None = None


class CancelPreparePositionEntryResult(CancelJobResult):
    """Of an entry job."""


class CancelPreparePositionExitResult(CancelJobResult):
    """Of an exit job."""


class CancelPreparePositionAdjustmentResult(CancelJobResult):
    """Of an adjustment job."""
