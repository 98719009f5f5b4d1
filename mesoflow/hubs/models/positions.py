"""Positions, their summary and their detail."""

from decimal import Decimal

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire
from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import APositionState
from mesoflow.hubs.models.prices import LiveGreeks, LivePnL, LivePrices


class LivePosition(Wire):
    """One position, in short."""

    id: int
    state: APositionState
    created_at: Instant
    closed_at: Instant | None = None  # null while open
    name: str
    broker_account_id: str
    live_strategy_id: int
    strategy_name: str
    qty_multiplier: Decimal | None = None


class ListPositionsArgs(PageArgs):
    """Positions of a strategy, an exec plan or an account."""

    broker_account_id: str | None = None
    live_strategy_id: int | None = None
    live_exec_plan_id: int | None = None


class ListPositionsResult(Page):
    """One page of positions."""

    positions: list[LivePosition]


class GetPositionArgs(Args):
    """Which position."""

    position_id: int


class GetPositionResult(Wire):
    """A position with legs, variables and figures; that all are included is documented, the names are inferred."""

    position: LivePosition
    legs: list[LiveLeg]
    vars: dict[str, Decimal] | None = None
    position_prices: LivePrices | None = None
    position_greeks: LiveGreeks | None = None
    position_pnls: LivePnL | None = None
