"""Call and put of one strike together: one evaluation of the smile serves both, and parity holds by construction.

This is the inner loop of a chain snapshot; prices are cents, on tick.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

from mesoflow.simulator.market.black76 import cumulative, density
from mesoflow.simulator.market.spread import Spread
from mesoflow.simulator.market.surface import Slice
from mesoflow.simulator.market.ticks import Ticks

# Strike, bid and ask of the call, bid and ask of the put.
QuotedPair: TypeAlias = tuple[float, int, int, int, int]


class Pair(NamedTuple):
    """Theoretical prices in points; the call's delta, and the vega of both, for a point of volatility."""

    call: float
    put: float
    delta: float
    vega: float


def pair(smile: Slice, strike: float) -> Pair:
    terms = smile.terms
    spread = smile.volatility(strike) * terms.root_years
    upper = math.log(terms.forward / strike) / spread + 0.5 * spread
    probability = cumulative(upper)
    call = terms.discount * (terms.forward * probability - strike * cumulative(upper - spread))
    put = call - terms.discount * (terms.forward - strike)
    vega = terms.carried * density(upper) * terms.root_years / 100.0
    # Parity cancels all digits of a worthless option; a price is never below nothing.
    return Pair(max(call, 0.0), max(put, 0.0), terms.dividend_discount * probability, vega)


def quoted_pair(smile: Slice, strike: float, spread: Spread, ticks: Ticks) -> QuotedPair:
    call, put, delta, vega = pair(smile, strike)
    call_bid, call_ask = _sides(call, delta, vega, spread, ticks)
    put_bid, put_ask = _sides(put, smile.terms.dividend_discount - delta, vega, spread, ticks)
    return strike, call_bid, call_ask, put_bid, put_ask


def _sides(price: float, delta: float, vega: float, spread: Spread, ticks: Ticks) -> tuple[int, int]:
    """The bid is rounded down and the ask up, so that rounding never narrows a spread; a bid may be zero."""
    half = spread.half_width(price, delta, vega, ticks.at(price * 100.0) / 100.0)
    bid = ticks.down((price - half) * 100.0) if price > half else 0
    ask = ticks.up((price + half) * 100.0)
    return bid, ask if ask > bid else bid + ticks.at(bid)
