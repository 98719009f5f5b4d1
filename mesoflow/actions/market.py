"""What an order is priced with and judged by: account, underlying, quotes, open legs, each a journalled read.

Quotes are waited for, so the open legs are read after them: nothing here is older than `as_of`, the instant at which all
quotes were fresh and passed the gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from mesoflow.actions.accounts import day_pnl, read_account
from mesoflow.actions.agents import heard_from
from mesoflow.actions.base import Acting
from mesoflow.actions.contracts import contract_of, quote_of
from mesoflow.actions.data import underlying_prices
from mesoflow.actions.hub import PATIENCE, Overdue, pages
from mesoflow.actions.quotes import Asked, leg_quotes
from mesoflow.actions.values import ExecPlan
from mesoflow.actions.work import contracts_of
from mesoflow.engine.action import Context
from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.hubs.models.contracts import ListLegsResult, LiveLeg
from mesoflow.trading.orders import OpenLeg, OrderFacts, Quote
from mesoflow.trading.quotes import AGE_MAX_MS

_QUOTE_AGE_MAX = timedelta(milliseconds=AGE_MAX_MS)
# The mark that facts are given with; rails that need a fresher one refuse.
_MARK_AGE_MAX = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Market:
    """What one look at account and market has shown. `before` are the position's open legs."""

    quotes: Mapping[str, Quote]
    before: Mapping[str, Decimal]
    facts: OrderFacts


def look(
    ctx: Context,
    names: Mapping[str, str],
    plan: ExecPlan,
    legs: Iterable[str],
    until: datetime,
    *,
    account: LiveAccount | None = None,
    overdue: Overdue = "refuse",
) -> Acting[Market]:
    """Everything afresh, but an account that was read just now. `names` are those of the reads. Ends in `no_quote`
    (or `agent_stale`) where the market stays silent: for two minutes, or, where that is the caller's affair ("nothing"), until `until`."""
    if account is None:
        account = yield from read_account(names["account"], plan.broker_account_id)
    underlying = yield from underlying_prices(
        ctx,
        names["underlying"],
        plan.underlying.symbol,
        None,
        _MARK_AGE_MAX,
        until=until if overdue == "nothing" else None,
        overdue=overdue,
    )
    heard = None
    if not account.is_paper_account:  # a booking goes through no agent
        heard = yield from heard_from(ctx, names["agent"], account, until, overdue)
    quotes = yield from read_quotes(ctx, names["quotes"], plan, legs, until, overdue)
    as_of = ctx.now
    found = yield from open_legs(names["open-legs"], plan.broker_account_id)
    facts = OrderFacts(
        day_pnl=day_pnl(ctx, account),
        net_liquidation=account.net_liquidation_value,
        open_legs=tuple(_judged(found, plan)),
        underlying_mark=underlying.mark,
        as_of=as_of,
        is_paper=account.is_paper_account,
        agent_age_ms=None if heard is None else age_ms_at(heard, as_of),
    )
    return Market(quotes, held(found, plan.position_id), facts)


def read_quotes(
    ctx: Context,
    name: str,
    plan: ExecPlan,
    legs: Iterable[str],
    until: datetime,
    overdue: Overdue = "refuse",
) -> Acting[dict[str, Quote]]:
    """Quotes of legs that an order can be priced with; `no_quote` when they stay away."""
    limit = until if overdue == "nothing" else min(until, ctx.now + PATIENCE)
    prices = yield from leg_quotes(ctx, name, asked_legs(plan, legs), _QUOTE_AGE_MAX, limit, overdue)
    return {leg: quote_of(block, ctx.now) for leg, block in prices.items()}


def asked_legs(plan: ExecPlan, legs: Iterable[str]) -> dict[str, Asked]:
    """Legs of a plan as quotes are asked for. A leg that nobody bids for is waited for before an entry; an exit goes on to
    the rails, which pause it and call somebody (C07)."""
    contracts, opens = contracts_of(plan), plan.kind != "exit"
    return {
        name: Asked(contracts[name], plan.legs[name].leg_id, sold=opens and plan.legs[name].quantity < 0)
        for name in legs
    }


def open_legs(name: str, account_id: str) -> Acting[list[LiveLeg]]:
    """What is open on an account."""
    listed = yield from pages(name, "ListLegs", {"broker_account_id": account_id}, ListLegsResult)
    return [leg for page in listed for leg in page.legs if leg.closed_at is None and leg.qty]


def age_ms_at(heard: datetime, as_of: datetime) -> int:
    """How old a word was at a time."""
    return max(0, int((as_of - heard) / timedelta(milliseconds=1)))


def held(legs: Iterable[LiveLeg], position_id: int | None) -> dict[str, Decimal]:
    """Open contracts of a position, by leg."""
    return {leg.name: leg.qty for leg in legs if leg.live_position_id == position_id}


def _judged(legs: list[LiveLeg], plan: ExecPlan) -> list[OpenLeg]:
    """What is open on the account. What is no option cannot be judged: an entry beside it is refused, an exit is not."""
    judged = [leg for leg in legs if leg.live_contract.option_type is not None or plan.kind != "exit"]
    return [
        OpenLeg(leg.live_position_id, leg.name, contract_of(leg), leg.qty, leg.avg_entry_price)
        for leg in judged
    ]
