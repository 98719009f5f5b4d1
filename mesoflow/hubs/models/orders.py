"""Orders at a broker, and fills booked on paper."""

from decimal import Decimal

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire
from mesoflow.hubs.models.enums import AnOrderState, AnOrderType, ATimeInForce


class LegGroupOrder(Wire):
    """How one leg group is ordered. Names mirror Order; the sign of a package's price is inferred (`credit_sign`)."""

    order_type: AnOrderType
    time_in_force: ATimeInForce
    limit_price: Decimal | None  # points a package, for Limit and StopLimit
    stop_price: Decimal | None  # points a package, for Stop and StopLimit
    leg_names: list[str] | None = None


class SendOrderArgs(Args):
    """Place one leg group of an exec plan at the broker. Keyed. The nullable fields are sent as null, not left out."""

    idempotency_key: str
    replaces_order: int | None  # live order to replace
    broker_account_id: str
    exec_plan_id: int
    qty_multiplier: Decimal | None  # entries only: replaces the resolved one (inferred.py, `qty_multiplier`)
    leg_group_id: int
    leg_group_order: LegGroupOrder


class SendOrderResult(Wire):
    """The order's handle; the broker's own id may come later."""

    live_order_id: int | None = None


class PaperLegFill(Wire):
    """A fill given by the caller: points a share, dollars, and when (null: now)."""

    price: Decimal | None = None
    commission: Decimal | None = None
    filled_at: Instant | None = None


class ApplyPaperFillsArgs(Args):
    """Execute a whole exec plan on a paper account at given prices. Keyed."""

    idempotency_key: str
    broker_account_id: str | None = None
    exec_plan_id: int
    qty_multiplier: Decimal | None = None
    paper_leg_fills: dict[str, PaperLegFill]  # by leg name


class ApplyPaperFillsResult(Wire):
    """What was made; all names inferred."""

    position_id: int | None = None
    exec_plan_id: int | None = None
    live_order_ids: list[int] | None = None


class CancelOrderArgs(Args):
    """Ask the broker to cancel. Keyed. A cancelled order succeeds again, a filled one is rejected."""

    idempotency_key: str
    live_order_id: int


class CancelOrderResult(Wire):
    """Which order."""

    order_id: int | None = None


class Order(Wire):
    """One order of a leg group. Quantities are signed packages, prices points a package."""

    order_id: int
    created_at: Instant
    filled_at: Instant | None = None  # documented as never null, which cannot be before a fill
    exec_plan_id: int
    broker_account_id: str
    leg_group_id: int
    state: AnOrderState
    side: str  # B or S
    qty: Decimal
    cum_qty: Decimal  # filled so far
    avg_fill_price: Decimal | None = None
    last_fill_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    order_type: AnOrderType
    time_in_force: ATimeInForce
    last_updated: Instant


class GetOrderArgs(Args):
    """Which order."""

    live_order_id: int


class GetOrderResult(Wire):
    """One order."""

    order: Order


class ListOrdersArgs(PageArgs):
    """Orders of an exec plan or an account."""

    exec_plan_id: int | None = None
    broker_account_id: str | None = None


class ListOrdersResult(Page):
    """One page of orders."""

    orders: list[Order]


class OrderRejectionInfo(Wire):
    """Why a broker refused; content inferred."""

    code: str | None = None
    reason: str | None = None
    provider: str | None = None
