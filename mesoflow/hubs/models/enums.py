"""Enumerations of the wire, by name. No numeric values are documented, so none are known here.

"Documented" or "inferred" stands at each; an unknown member is kept as text (base.py), so every field's type is the
enum or `str`. The aliases at the end are what fields use.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from mesoflow.hubs.models.base import flags_of, member_of


class StatusCode(StrEnum):
    """How a call ended at the hub. Three are documented; others surely exist (inferred.py, `status_codes`)."""

    SUCCESS = "Success"
    DUPLICATE_REQUEST = "DuplicateRequest"  # this key's first call has finished: read its record
    CONFLICT = "Conflict"  # this key's first call is still running, or was another call
    BAD_REQUEST = "BadRequest"  # inferred: the arguments do not fit
    NOT_FOUND = "NotFound"  # inferred: no such thing
    UNAUTHORIZED = "Unauthorized"  # inferred
    FORBIDDEN = "Forbidden"  # inferred
    PROVIDER_ERROR = "ProviderError"  # inferred: broker or agent failed; proves nothing about an order
    INTERNAL_ERROR = "InternalError"  # inferred: proves nothing about an order


class IdempotencyRecordStatus(StrEnum):
    """Documented."""

    PROCESSING = "Processing"
    COMPLETED = "Completed"
    FAILED = "Failed"


class IdempotencyOperation(StrEnum):
    """Which call a record is of; inferred, one a keyed method."""

    START_PREPARE_POSITION_ENTRY = "StartPreparePositionEntry"
    CANCEL_PREPARE_POSITION_ENTRY = "CancelPreparePositionEntry"
    START_PREPARE_POSITION_EXIT = "StartPreparePositionExit"
    CANCEL_PREPARE_POSITION_EXIT = "CancelPreparePositionExit"
    START_PREPARE_POSITION_ADJUSTMENT = "StartPreparePositionAdjustment"
    CANCEL_PREPARE_POSITION_ADJUSTMENT = "CancelPreparePositionAdjustment"
    SEND_ORDER = "SendOrder"
    APPLY_PAPER_FILLS = "ApplyPaperFills"
    CANCEL_ORDER = "CancelOrder"


class PreparationStatus(StrEnum):
    """A prepare job. The last three are terminal and documented, the first two inferred."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class PositionStatus(StrEnum):
    """What happened to a position; documented."""

    CREATED = "Created"
    CLOSED = "Closed"
    ADJUSTED = "Adjusted"
    REALIZED_PNL_CHANGED = "RealizedPnLChanged"


class LegStatus(StrEnum):
    """What happened to a leg; inferred."""

    CREATED = "Created"
    CLOSED = "Closed"
    ADJUSTED = "Adjusted"
    REALIZED_PNL_CHANGED = "RealizedPnLChanged"


class LivePositionState(StrEnum):
    """Inferred."""

    OPEN = "Open"
    CLOSED = "Closed"


class PositionAdjustmentOperation(StrEnum):
    """Documented. UpdateVars alone needs no execution."""

    ADD_LEGS = "AddLegs"
    REMOVE_LEGS = "RemoveLegs"
    MOVE_LEG = "MoveLeg"
    UPDATE_VARS = "UpdateVars"


class OrderType(StrEnum):
    """Documented."""

    MARKET = "Market"
    LIMIT = "Limit"
    STOP = "Stop"
    STOP_LIMIT = "StopLimit"


class TimeInForce(StrEnum):
    """Spelling inferred."""

    DAY = "DAY"
    GTC = "GTC"


class OrderState(StrEnum):
    """Inferred. The last four are terminal."""

    PENDING = "Pending"
    SUBMITTED = "Submitted"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    EXPIRED = "Expired"


class SignalState(StrEnum):
    """Documented."""

    ON = "On"
    OFF = "Off"


class ErrorState(StrEnum):
    """Inferred, like a signal's."""

    ON = "On"
    OFF = "Off"


class ConditionType(StrEnum):
    """Inferred."""

    ENTRY = "Entry"
    EXIT = "Exit"
    ADJUSTMENT = "Adjustment"


class AgentStatus(StrEnum):
    """Inferred."""

    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"


class AgentConnector(StrEnum):
    """Which broker's connector; spelling inferred."""

    IBKR = "IBKR"
    TASTYTRADE = "TastyTrade"


class BrokerType(StrEnum):
    """Whose account; inferred."""

    IBKR = "IBKR"
    TASTYTRADE = "TastyTrade"
    PAPER = "Paper"


class DataProviderType(StrEnum):
    """Whose quotes; inferred."""

    IBKR = "IBKR"
    TASTYTRADE = "TastyTrade"


class MesoContractType(StrEnum):
    """Documented."""

    STOCK = "Stock"
    INDEX = "Index"
    OPTIONS = "Options"
    FUTURES = "Futures"
    FUTURES_OPTIONS = "FuturesOptions"


class MesoOptionType(StrEnum):
    """Documented."""

    CALL = "Call"
    PUT = "Put"


class LiveLegSelectionConstraint(StrEnum):
    """Which contracts an entry may choose. Portal spelling; the hub offers only the first two for live use."""

    FULLY_UNIQUE = "FullyUnique"  # a contract is used by one leg over all open positions
    UNIQUE_IN_POSITION = "UniqueInPosition"
    NONE = "None"


class LiveDataInclude(StrEnum):
    """Which blocks to send; flags."""

    PRICES = "Prices"
    GREEKS = "Greeks"
    PNL = "PnL"
    ALL = "All"


class LiveQuoteFields(StrEnum):
    """On which quote bases; flags."""

    BID = "Bid"
    ASK = "Ask"
    LAST = "Last"
    MARK = "Mark"
    ALL = "All"


AStatusCode: TypeAlias = Annotated[StatusCode | str, member_of(StatusCode)]
ARecordStatus: TypeAlias = Annotated[IdempotencyRecordStatus | str, member_of(IdempotencyRecordStatus)]
AnOperation: TypeAlias = Annotated[IdempotencyOperation | str, member_of(IdempotencyOperation)]
APreparationStatus: TypeAlias = Annotated[PreparationStatus | str, member_of(PreparationStatus)]
APositionStatus: TypeAlias = Annotated[PositionStatus | str, member_of(PositionStatus)]
ALegStatus: TypeAlias = Annotated[LegStatus | str, member_of(LegStatus)]
APositionState: TypeAlias = Annotated[LivePositionState | str, member_of(LivePositionState)]
AnAdjustment: TypeAlias = Annotated[PositionAdjustmentOperation | str, member_of(PositionAdjustmentOperation)]
AnOrderType: TypeAlias = Annotated[OrderType | str, member_of(OrderType)]
ATimeInForce: TypeAlias = Annotated[TimeInForce | str, member_of(TimeInForce)]
AnOrderState: TypeAlias = Annotated[OrderState | str, member_of(OrderState)]
ASignalState: TypeAlias = Annotated[SignalState | str, member_of(SignalState)]
AnErrorState: TypeAlias = Annotated[ErrorState | str, member_of(ErrorState)]
AConditionType: TypeAlias = Annotated[ConditionType | str, member_of(ConditionType)]
AnAgentStatus: TypeAlias = Annotated[AgentStatus | str, member_of(AgentStatus)]
AConnector: TypeAlias = Annotated[AgentConnector | str, member_of(AgentConnector)]
ABroker: TypeAlias = Annotated[BrokerType | str, member_of(BrokerType)]
AProvider: TypeAlias = Annotated[DataProviderType | str, member_of(DataProviderType)]
AContractType: TypeAlias = Annotated[MesoContractType | str, member_of(MesoContractType)]
AnOptionType: TypeAlias = Annotated[MesoOptionType | str, member_of(MesoOptionType)]
AConstraint: TypeAlias = Annotated[LiveLegSelectionConstraint | str, member_of(LiveLegSelectionConstraint)]
Include: TypeAlias = Annotated[LiveDataInclude | str, flags_of(LiveDataInclude)]
QuoteFields: TypeAlias = Annotated[LiveQuoteFields | str, flags_of(LiveQuoteFields)]
