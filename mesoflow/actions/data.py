"""Market data: `data.underlying`."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.hub import PATIENCE, Overdue, insist
from mesoflow.actions.kinds import Duration, Points, Seconds
from mesoflow.actions.ready import age_ms
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.data import UnderlyingDataEntry
from mesoflow.hubs.models.prices import LivePrices

_MARK_AGE_MAX = timedelta(seconds=15)
_THOUSAND = Decimal(1000)


class SymbolChoice(Inputs):
    """Inputs of `data.underlying`."""

    symbol: str = Field(min_length=1, description="which", examples=["SPX"])
    provider: str | None = Field(
        None, description="data provider; without it that of agent.require", examples=["IBKR"]
    )
    max_age: Duration = Field(_MARK_AGE_MAX, description="oldest mark accepted", examples=["15s"])


class UnderlyingPrices(Outputs):
    """Outputs of `data.underlying`."""

    symbol: str = Field(description="which", examples=["SPX"])
    mark: Points = Field(description="the hub's preferred price", examples=["6000.10"])
    bid: Points | None = Field(description="bid", examples=["5999.80"])
    ask: Points | None = Field(description="ask", examples=["6000.40"])
    last: Points | None = Field(description="last trade", examples=["6000.00"])
    age: Seconds = Field(description="age of the mark, in seconds", examples=["0.4"])
    as_of: datetime = Field(description="when the hub took it", examples=["2025-01-16T15:00:00Z"])


@action(
    "data.underlying",
    "read",
    inputs=SymbolChoice,
    outputs=UnderlyingPrices,
    errors=("no_quote",),
    methods=("GetUnderlyingSnapshot",),
)
def data_underlying(ctx: Context, inputs: SymbolChoice) -> Acting[UnderlyingPrices]:
    """Prices of a symbol; without a fresh mark it is an error, never a null."""
    prices = yield from underlying_prices(ctx, "snapshot", inputs.symbol, inputs.provider, inputs.max_age)
    assert prices.mark is not None and prices.snapshot_time is not None, "the watch has seen a fresh mark"
    return UnderlyingPrices(
        symbol=inputs.symbol,
        mark=prices.mark,
        bid=prices.bid,
        ask=prices.ask,
        last=prices.last,
        age=seconds_old(prices, "mark", ctx.now),
        as_of=prices.snapshot_time,
    )


def underlying_prices(
    ctx: Context,
    name: str,
    symbol: str,
    provider: str | None,
    max_age: timedelta,
    *,
    until: datetime | None = None,
    overdue: Overdue = "refuse",
) -> Acting[LivePrices]:
    """An underlying's prices with a fresh mark, waited for as long as what may pass by itself is."""
    milliseconds = int(max_age / timedelta(milliseconds=1))
    entry = yield from insist(
        name,
        "GetUnderlyingSnapshot",
        {"underlying": {"symbol": symbol}, "include": "Prices", "provider": provider_of(ctx, provider)},
        UnderlyingDataEntry,
        ready="underlying_fresh",
        params={"max_age_ms": milliseconds},
        until=until or ctx.now + PATIENCE,
        code="no_quote",
        summary=f"{symbol} has no mark that is at most {milliseconds / 1000:g} s old",
        overdue=overdue,
    )
    assert entry.prices is not None, "the watch has seen a fresh mark"
    return entry.prices


def provider_of(ctx: Context, asked: str | None) -> str:
    """Whose data: the one a step names, else that of the agent that serves the account."""
    provider = asked if asked is not None else ctx.provider
    if provider is None:
        raise StepError("bad_value", "provider is needed: no agent.require has run yet")
    return provider


def seconds_old(prices: LivePrices, basis: str, now: datetime) -> Decimal:
    """The age of a figure that is known to have one."""
    age = age_ms(prices.value(), basis, now)
    assert age is not None, f"{basis} has an age"
    return Decimal(age) / _THOUSAND
