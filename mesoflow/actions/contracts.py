"""From the wire's contracts, prices and greeks to ours: trading values for the arithmetic, value types for playbooks.

Nothing here adds up or decides. What a hub does not tell stays null; only a leg that is no option cannot be shown at all.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from mesoflow.actions.ready import quote_of_block
from mesoflow.actions.values import ContractQuote, Greeks
from mesoflow.engine.errors import StepError
from mesoflow.hubs.inferred import expiration_date
from mesoflow.hubs.models.contracts import LiveContract, LiveLeg
from mesoflow.hubs.models.enums import MesoOptionType
from mesoflow.hubs.models.prices import Greeks as LiveGreekSet
from mesoflow.hubs.models.prices import LiveGreeks, LivePrices
from mesoflow.trading.orders import Contract, Quote

_THOUSAND = Decimal(1000)
_TWO = Decimal(2)
# Every listed index and equity option; a contract that says otherwise says so itself.
MULTIPLIER = Decimal(100)


def contract_of(leg: LiveLeg) -> Contract:
    """The contract of a leg. Raises StepError `bad_value` for what is no option."""
    live = leg.live_contract
    option_type = _option_type(live)
    if option_type is None or live.expiration is None or live.strike is None:
        raise StepError(
            "bad_value", f"leg {leg.name} is no option, which mesoflow does not trade", {"leg": leg.name}
        )
    return Contract(
        underlying=live.underlying.symbol,
        root=live.root or live.underlying.symbol,
        option_type=option_type,
        expiration=expiration_date(live.expiration),
        strike=live.strike,
        multiplier=live.multiplier or MULTIPLIER,
    )


def _option_type(live: LiveContract) -> Literal["put", "call"] | None:
    if live.option_type == MesoOptionType.PUT:
        return "put"
    return "call" if live.option_type == MesoOptionType.CALL else None


def days_to(expiration: date, today: date) -> int:
    """Calendar days to an expiration."""
    return (expiration - today).days


def quote_of(prices: LivePrices, now: datetime) -> Quote:
    """A contract's market as the arithmetic and the rails take it; ages are by now."""
    return quote_of_block(prices.value(), now)


def shown_quote(prices: LivePrices, now: datetime) -> ContractQuote:
    """A contract's market as a playbook reads it, of a quote that has two sides."""
    assert prices.bid is not None and prices.ask is not None, "the quote was looked at before"
    quote = quote_of(prices, now)
    return ContractQuote(
        bid=prices.bid,
        ask=prices.ask,
        mid=(prices.bid + prices.ask) / _TWO,
        mark=prices.mark,
        last=prices.last,
        age=Decimal(max(quote.bid_age_ms or 0, quote.ask_age_ms or 0)) / _THOUSAND,
    )


def greek_set(greeks: LiveGreeks | None) -> LiveGreekSet:
    """The greeks at the mark; an empty set where the hub tells none."""
    found = None if greeks is None else greeks.mark
    return LiveGreekSet() if found is None else found


NO_GREEKS = Greeks(delta=None, gamma=None, theta=None, vega=None, wvega=None, rho=None)
_NAMES = ("delta", "gamma", "theta", "vega", "wvega", "rho")


def shown_greeks(greeks: LiveGreekSet, factor: Decimal) -> Greeks:
    """Greeks times a factor."""
    return Greeks(**{name: _times(getattr(greeks, name), factor) for name in _NAMES})


def summed_greeks(parts: list[Greeks]) -> Greeks:
    """Greeks of a whole; one that a part does not tell is not told of the whole."""
    return Greeks(**{name: _sum([getattr(part, name) for part in parts]) for name in _NAMES})


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if value is None else value * factor


def _sum(values: list[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None
