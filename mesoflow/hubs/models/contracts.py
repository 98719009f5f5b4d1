"""What is traded: underlyings, contracts, and the legs that hold them."""

from decimal import Decimal

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire
from mesoflow.hubs.models.enums import AContractType, AnOptionType


class LiveUnderlying(Wire):
    """An underlying; only that it carries symbol information is documented."""

    symbol: str
    contract_type: AContractType | None = None
    exchange: str | None = None
    currency: str | None = None


class LiveContract(Wire):
    """One contract. Root, expiration and strike are null where the kind of contract has none."""

    contract_type: AContractType
    underlying: LiveUnderlying
    root: str | None = None  # the option's root or trading class: SPXW
    option_type: AnOptionType | None = None
    expiration: Instant | None = None  # its date in UTC is the expiration's (inferred.py, `expiration_date`)
    strike: Decimal | None = None
    multiplier: Decimal | None = None  # dollars a point


class LiveLeg(Wire):
    """One contract of a position, or of a plan that is not executed yet (ids may be 0 there)."""

    id: int
    name: str  # the key inside an exec plan
    live_contract: LiveContract
    leg_group_id: int  # 0: ungrouped or unknown
    created_at: Instant
    closed_at: Instant | None = None  # null while open
    live_position_id: int
    account_id: str  # broker account id
    underlying: str  # symbol
    qty: Decimal  # contracts, + long, − short; 0 is a marker leg
    avg_entry_price: Decimal  # points, with commission (an execution's price is without)
    user_set_realized_pnl: Decimal | None = None  # set by hand, overrides
    tracked_realized_pnl: Decimal | None = None  # from executions


class ListLegsArgs(PageArgs):
    """Legs of a position, or of an account."""

    live_position_id: int | None = None
    broker_account_id: str | None = None


class ListLegsResult(Page):
    """One page of legs."""

    legs: list[LiveLeg]


class GetLegArgs(Args):
    """Which leg."""

    leg_id: int


class GetLegResult(Wire):
    """One leg."""

    leg: LiveLeg


class GetLegsArgs(Args):
    """Which legs."""

    leg_ids: list[int]


class GetLegsResult(Wire):
    """Several legs."""

    legs: list[LiveLeg]
