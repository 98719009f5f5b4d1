"""Accounts: `account.select`. What holds an account against our own journals is reconcile.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, account_of, action
from mesoflow.actions.hub import pages, read
from mesoflow.actions.kinds import Duration, Money, Percent
from mesoflow.actions.sessions import calendar_of
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.accounts import GetAccountResult, LiveAccount
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.positions import ListPositionsResult

_HUNDREDTH = Decimal("0.01")


class Requirements(Inputs):
    """What an account must be like."""

    paper: bool | None = Field(None, description="a paper account, or none", examples=[True])
    broker: str | None = Field(None, description="whose account", examples=["IBKR"])
    currency: str | None = Field(None, description="its currency", examples=["USD"])
    min_net_liquidation: Money | None = Field(
        None, description="least net liquidation value", examples=[100000]
    )
    min_cash: Money | None = Field(None, description="least cash", examples=[25000])
    max_age: Duration | None = Field(None, description="oldest figures accepted", examples=["5m"])


class Selection(Inputs):
    """Inputs of `account.select`."""

    broker_account_id: str | None = Field(
        None, description="the account; without it the one of risk.accounts", examples=["PAPER-1"]
    )
    require: Requirements = Field(
        Requirements(), description="what the account must be like", examples=[{"paper": True}]
    )


class Account(Outputs):
    """Outputs of `account.select`."""

    broker_account_id: str = Field(description="the account", examples=["PAPER-1"])
    broker: str = Field(description="whose account", examples=["Paper"])
    is_paper: bool = Field(description="fills are booked, no order goes to a broker", examples=[True])
    currency: str = Field(description="of all its figures", examples=["USD"])
    net_liquidation: Money | None = Field(description="net liquidation value", examples=["250000.00"])
    cash: Money | None = Field(description="cash", examples=["250000.00"])
    maintenance_margin: Money | None = Field(description="maintenance margin", examples=["0.00"])
    day_pnl: Money | None = Field(
        description="net liquidation now, less this state home's first read of it in the session",
        examples=["-120.50"],
    )
    day_pnl_percent: Percent | None = Field(description="the same, of that first read", examples=["-0.05"])
    open_positions: int = Field(description="how many positions are open", examples=[0])
    as_of: datetime = Field(description="when the figures were taken", examples=["2025-01-16T15:00:00Z"])


@action(
    "account.select",
    "read",
    inputs=Selection,
    outputs=Account,
    errors=("account_not_found", "account_not_allowed", "requirement_not_met"),
    methods=("GetAccount", "ListPositions"),
)
def account_select(ctx: Context, inputs: Selection) -> Acting[Account]:
    """Read one account, hold it against what is required; a second one later reads it afresh."""
    account_id = account_of(ctx, inputs.broker_account_id)
    require_allowed(ctx, account_id)
    live = yield from read_account("account", account_id)
    open_positions = live.active_positions
    if open_positions is None:
        open_positions = yield from _count_open(account_id)
    account = _figures(ctx, live, open_positions)
    unmet = list(_unmet(ctx, account, inputs.require))
    if unmet:
        raise StepError(
            "requirement_not_met", f"account {account_id}: {'; '.join(unmet)}", {"unmet": list(unmet)}
        )
    return account


def require_allowed(ctx: Context, account_id: str) -> None:
    """A playbook touches the accounts of its `risk.accounts` and no other."""
    allowed = ctx.risk.get("accounts")
    if isinstance(allowed, list) and account_id not in allowed:
        raise StepError(
            "account_not_allowed",
            f"account {account_id} is not among risk.accounts ({', '.join(map(str, allowed)) or 'none'})",
            {"broker_account_id": account_id},
        )


def read_account(name: str, account_id: str) -> Acting[LiveAccount]:
    """One account as the hub has it."""
    missing = ("account_not_found", f"the hub has no account {account_id}")
    answer = yield from read(
        name, "GetAccount", {"broker_account_id": account_id}, GetAccountResult, refused={"NotFound": missing}
    )
    return answer.account


def day_pnl(ctx: Context, live: LiveAccount) -> Decimal | None:
    """Net liquidation now less the first read of it in the session; the first read is remembered here."""
    now = live.net_liquidation_value
    return None if now is None else now - _first_read(ctx, live.broker_account_id, now)


def _first_read(ctx: Context, account_id: str, now: Decimal) -> Decimal:
    """The session's first read, this one where there was none. A run that lasts into another session begins anew there;
    what the context brought is of the session that the run began in."""
    session = calendar_of(ctx).session_of(ctx.now)
    key = account_id if ctx.session_date in (None, session) else f"{account_id}@{session.isoformat()}"
    return Decimal(ctx.first_net_liquidation.setdefault(key, now))


def _figures(ctx: Context, live: LiveAccount, open_positions: int) -> Account:
    change = day_pnl(ctx, live)
    first = ctx.first_net_liquidation.get(live.broker_account_id)
    percent = (
        (change / first * 100).quantize(_HUNDREDTH, ROUND_HALF_EVEN) if change is not None and first else None
    )
    return Account(
        broker_account_id=live.broker_account_id,
        broker=str(live.broker_type),
        is_paper=live.is_paper_account,
        currency=live.currency,
        net_liquidation=live.net_liquidation_value,
        cash=live.cash,
        maintenance_margin=live.maintenance_margin_req,
        day_pnl=change,
        day_pnl_percent=percent,
        open_positions=open_positions,
        as_of=live.last_updated or ctx.now,
    )


def _unmet(ctx: Context, account: Account, require: Requirements) -> Iterator[str]:
    """Each requirement that does not hold, in words. A figure that the hub does not tell meets nothing."""
    for wanted, found, what in (
        (require.paper, account.is_paper, "paper"),
        (require.broker, account.broker, "broker"),
        (require.currency, account.currency, "currency"),
    ):
        if wanted is not None and wanted != found:
            yield f"{what} is {str(found).lower() if isinstance(found, bool) else found}"
    for least, amount, what in (
        (require.min_net_liquidation, account.net_liquidation, "net liquidation"),
        (require.min_cash, account.cash, "cash"),
    ):
        if least is not None and (amount is None or amount < least):
            yield f"{what} is {'unknown' if amount is None else amount}, less than {least}"
    age = max(ctx.now - account.as_of, timedelta(0))
    if require.max_age is not None and age > require.max_age:
        yield f"its figures are {int(age.total_seconds())} s old"


def _count_open(account_id: str) -> Acting[int]:
    listed = yield from pages(
        "positions", "ListPositions", {"broker_account_id": account_id}, ListPositionsResult
    )
    return sum(
        1 for page in listed for position in page.positions if position.state == LivePositionState.OPEN
    )
