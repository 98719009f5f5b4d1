"""An order with today's quotes and facts: what the rails judge before the same bytes are sent again (EXECUTION.md §4, 7).

Prices and quantities stay, for the bytes do; only what they are judged by is read anew. The runtime runs this outside the
interpreter, so that its reads are no inputs of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from mesoflow.actions.accounts import day_pnl, read_account
from mesoflow.actions.agents import heard_from
from mesoflow.actions.base import Acting
from mesoflow.actions.contracts import contract_of, quote_of
from mesoflow.actions.data import underlying_prices
from mesoflow.actions.hub import PATIENCE, pages
from mesoflow.actions.market import age_ms_at
from mesoflow.actions.quotes import Asked, leg_quotes
from mesoflow.engine.action import Context
from mesoflow.hubs.models.contracts import ListLegsResult
from mesoflow.trading.combos import package_quote
from mesoflow.trading.orders import OpenLeg, Order, OrderFacts, OrderGroup, Quote
from mesoflow.trading.quotes import AGE_MAX_MS

_QUOTE_AGE_MAX = timedelta(milliseconds=AGE_MAX_MS)
_MARK_AGE_MAX = timedelta(seconds=15)


def refreshed(ctx: Context, order: Order) -> Acting[Order]:
    """Read account, underlying, quotes and open legs. Raises StepError where the market does not answer."""
    account = yield from read_account("account", order.account)
    underlying = yield from underlying_prices(ctx, "underlying", order.symbol, None, _MARK_AGE_MAX)
    heard = None
    if order.method == "SendOrder":
        heard = yield from heard_from(ctx, "agent", account, ctx.now + PATIENCE)
    asked = {leg.name: Asked(leg.contract, None, sold=leg.quantity < 0) for leg in order.legs}
    prices = yield from leg_quotes(ctx, "quotes", asked, _QUOTE_AGE_MAX, ctx.now + PATIENCE)
    as_of = ctx.now
    quotes = {name: quote_of(block, as_of) for name, block in prices.items()}
    listed = yield from pages("open-legs", "ListLegs", {"broker_account_id": order.account}, ListLegsResult)
    legs = [leg for page in listed for leg in page.legs if leg.closed_at is None and leg.qty]
    judged = [leg for leg in legs if leg.live_contract.option_type is not None or order.kind != "exit"]
    facts = OrderFacts(
        day_pnl=day_pnl(ctx, account),
        net_liquidation=account.net_liquidation_value,
        open_legs=tuple(
            OpenLeg(leg.live_position_id, leg.name, contract_of(leg), leg.qty, leg.avg_entry_price)
            for leg in judged
        ),
        underlying_mark=underlying.mark,
        as_of=as_of,
        is_paper=account.is_paper_account,
        agent_age_ms=None if heard is None else age_ms_at(heard, as_of),
    )
    return replace(
        order,
        legs=tuple(replace(leg, quote=quotes[leg.name]) for leg in order.legs),
        groups=tuple(_quoted(group, order, quotes) for group in order.groups),
        facts=facts,
    )


def _quoted(group: OrderGroup, order: Order, quotes: Mapping[str, Quote]) -> OrderGroup:
    legs = [leg for leg in order.legs if leg.name in group.legs]
    quote = package_quote((int(leg.quantity / group.packages), quotes[leg.name]) for leg in legs)
    return replace(group, near=quote.near, mid=quote.mid, natural=quote.natural)
