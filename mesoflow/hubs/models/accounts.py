"""Broker accounts, paper and live."""

from decimal import Decimal

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire
from mesoflow.hubs.models.enums import ABroker


class LiveAccount(Wire):
    """One account; amounts in its currency."""

    broker_account_id: str  # as the broker shows it
    broker_type: ABroker
    account_type: str  # the broker's own text (Individual, Joint …)
    currency: str
    is_paper_account: bool  # true: fills are booked with ApplyPaperFills, no order goes to a broker
    net_liquidation_value: Decimal | None = None
    maintenance_margin_req: Decimal | None = None
    cash: Decimal | None = None
    last_updated: Instant | None = None
    created_at: Instant | None = None
    active_positions: int | None = None  # how many are open


class ListAccountsArgs(PageArgs):
    """All accounts, page by page."""


class ListAccountsResult(Page):
    """One page of accounts."""

    accounts: list[LiveAccount]


class GetAccountArgs(Args):
    """Which account."""

    broker_account_id: str


class GetAccountResult(Wire):
    """One account."""

    account: LiveAccount
