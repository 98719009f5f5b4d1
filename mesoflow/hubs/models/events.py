"""The Event Hub: subscriptions, history, and the payload of every callback.

Every event has an id that is unique (dedupe by it), a number in the server's order (the cursor of a replay) and a time.
"""

from decimal import Decimal
from typing import Any

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire
from mesoflow.hubs.models.contracts import LiveContract
from mesoflow.hubs.models.enums import (
    AConditionType,
    AConnector,
    ALegStatus,
    AnAgentStatus,
    AnErrorState,
    AnOrderState,
    APositionStatus,
    ASignalState,
)
from mesoflow.hubs.models.orders import OrderRejectionInfo
from mesoflow.hubs.models.prepares import (
    ConditionEvaluation,
    PreparePositionAdjustmentResult,
    PreparePositionEntryResult,
    PreparePositionExitResult,
)


class SubscribeToStrategiesArgs(Args):
    """Null: all of the user's strategies. An empty list: nothing happens."""

    strategies: list[int] | None = None


class UnsubscribeFromStrategiesArgs(Args):
    """Null: all. An empty list: nothing happens."""

    strategies: list[int] | None = None


class SubscribeToStrategiesResult(Wire):
    """Which ids worked and which did not."""

    successful_strategies: list[int]
    failed_strategies: list[int]


class UnsubscribeFromStrategiesResult(Wire):
    """Which ids worked and which did not."""

    successful_strategies: list[int]
    failed_strategies: list[int]


class GetLatestEventSeqIdArgs(Args):
    """No fields."""


class GetLatestEventSeqIdResult(Wire):
    """The newest number of this user's events, and when it was read."""

    latest_event_seq_id: int
    snapshot_time: Instant


class GetEventsSinceArgs(PageArgs):
    """Events after a number, oldest first; the number itself is not included (inferred.py, `events_since`)."""

    event_seq_id: int


class EventEnvelope(Wire):
    """One event of the history: which kind (the payload model's name), and the payload unread."""

    event_type: str | None = None
    event_seq_id: int | None = None
    event: Any = None


class GetEventsSinceResult(Page):
    """One page of the history."""

    events: list[EventEnvelope]


class Event(Wire):
    """What every event has."""

    event_id: str
    event_seq_id: int
    event_time: Instant


class StrategyEvent(Event):
    """An event of a strategy's group."""

    strategy_id: int
    strategy_name: str
    broker_account_id: str | None = None


class EntrySignalsResult(Wire):
    """Why an entry signal is on; names inferred."""

    entry_time_ok: bool | None = None  # inside the entry's schedule
    entry_conditions: list[ConditionEvaluation] | None = None


class ExitSignalsResult(Wire):
    """Why an exit signal is on; names inferred."""

    exit_time_ok: bool | None = None
    max_days_in_trade: ConditionEvaluation | None = None
    profit_target: ConditionEvaluation | None = None
    stop_loss: ConditionEvaluation | None = None
    conditions: list[ConditionEvaluation] | None = None


class EntrySignalEvent(StrategyEvent):
    """An entry signal went on or off, for a strategy on an account."""

    state: ASignalState
    entry_signal_result: EntrySignalsResult | None = None


class ExitSignalEvent(StrategyEvent):
    """An exit signal of a position went on or off."""

    state: ASignalState
    position_id: int
    position_name: str
    exit_signal_result: ExitSignalsResult | None = None


class AdjustmentSignalEvent(StrategyEvent):
    """An adjustment signal of a position went on or off; `condition` says which adjustment."""

    state: ASignalState
    position_id: int
    position_name: str
    adjustment_time_ok: bool  # inside the adjustment's schedule
    condition: ConditionEvaluation


class ErrorEvent(Event):
    """An error of a strategy's evaluation came or went. `error_id` stays the same over its events."""

    state: AnErrorState
    error_id: str
    strategy_id: int | None = None
    strategy_name: str | None = None
    position_id: int | None = None
    position_name: str | None = None
    broker_account_id: str | None = None
    message: str | None = None
    condition_type: AConditionType | None = None
    statement: str | None = None  # the expression that failed


class AgentStatusEvent(Event):
    """An agent connected or went."""

    status: AnAgentStatus
    message: str
    connector: AConnector | None = None


class OrderUpdateEvent(StrategyEvent):
    """An order changed. Quantities are signed packages, prices points a package."""

    order_id: int
    exec_plan_id: int | None = None
    leg_group_id: int | None = None
    state: AnOrderState
    filled_qty: Decimal | None = None
    remaining_qty: Decimal | None = None
    fill_price: Decimal | None = None  # of the last fill
    avg_fill_price: Decimal | None = None
    rejection: OrderRejectionInfo | None = None


class PositionUpdateEvent(StrategyEvent):
    """A position changed."""

    position_id: int
    position_name: str
    status: APositionStatus
    realized_pnl: Decimal | None = None


class LegUpdateEvent(StrategyEvent):
    """A leg changed."""

    position_id: int
    position_name: str
    leg_id: int
    leg_name: str
    contract: LiveContract
    status: ALegStatus
    qty: Decimal | None = None
    realized_pnl: Decimal | None = None


class PreparationEvent(StrategyEvent):
    """A prepare job ended; `job_id` is what its start answered."""

    job_id: str


class PositionEntryPreparationCompletedEvent(PreparationEvent):
    """An entry's plan is there."""

    result: PreparePositionEntryResult


class PositionEntryPreparationFailedEvent(PreparationEvent):
    """An entry could not be prepared."""

    error: str


class PositionExitPreparationCompletedEvent(PreparationEvent):
    """An exit's plan is there."""

    result: PreparePositionExitResult


class PositionExitPreparationFailedEvent(PreparationEvent):
    """An exit could not be prepared."""

    error: str


class PositionAdjustmentPreparationCompletedEvent(PreparationEvent):
    """An adjustment's plan is there."""

    result: PreparePositionAdjustmentResult


class PositionAdjustmentPreparationFailedEvent(PreparationEvent):
    """An adjustment could not be prepared."""

    error: str
