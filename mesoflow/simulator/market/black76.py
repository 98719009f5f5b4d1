"""Black-76: the price of a European option on a forward, its greeks, and the volatility that a price implies.

Floats live here and in the pricing around it; what leaves the market is Decimal. Figures are per share: delta and gamma
by points of the underlying, theta a calendar day, vega and rho a point (0.01) of volatility or rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_DAYS = 365.0
# Newton's steps; four are usual, and what has not converged after these has no volatility.
_STEPS_MAX = 40
_VOLATILITY_MAX = 5.0


def cumulative(x: float) -> float:
    """Standard normal distribution."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


def density(x: float) -> float:
    """Standard normal density."""
    return _DENSITY * math.exp(-0.5 * x * x)


@dataclass(frozen=True, slots=True)
class Terms:
    """What all options of one expiry share: years to it, the forward, and the discount of money and of the underlying."""

    years: float
    root_years: float
    spot: float
    forward: float
    discount: float
    dividend_discount: float
    carried: float  # the spot, less the dividends until then
    interest: float
    dividend: float

    @classmethod
    def of(cls, spot: float, years: float, interest: float, dividend: float) -> Terms:
        discount, paid = math.exp(-interest * years), math.exp(-dividend * years)
        root = math.sqrt(years)
        return cls(years, root, spot, spot * paid / discount, discount, paid, spot * paid, interest, dividend)


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """Greeks of one option, long, per share."""

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float
    iv: float


def price(terms: Terms, strike: float, volatility: float, call: bool) -> float:
    spread = volatility * terms.root_years
    upper = math.log(terms.forward / strike) / spread + 0.5 * spread
    lower = upper - spread
    if call:
        return terms.discount * (terms.forward * cumulative(upper) - strike * cumulative(lower))
    return terms.discount * (strike * cumulative(-lower) - terms.forward * cumulative(-upper))


def delta(terms: Terms, strike: float, volatility: float, call: bool) -> float:
    """The same as of the sensitivities, to the last digit, for whoever looks for a strike."""
    spread = volatility * terms.root_years
    upper = math.log(terms.forward / strike) / spread + 0.5 * spread
    sign = 1.0 if call else -1.0
    return sign * terms.dividend_discount * cumulative(sign * upper)


def sensitivities(terms: Terms, strike: float, volatility: float, call: bool) -> Sensitivities:
    root = terms.root_years
    spread = volatility * root
    upper = math.log(terms.forward / strike) / spread + 0.5 * spread
    lower = upper - spread
    sign = 1.0 if call else -1.0
    peak, carried, owed = density(upper), terms.carried, strike * terms.discount
    decay = carried * peak * volatility / (2.0 * root)
    funding = sign * (
        terms.interest * owed * cumulative(sign * lower) - terms.dividend * carried * cumulative(sign * upper)
    )
    return Sensitivities(
        delta=sign * terms.dividend_discount * cumulative(sign * upper),
        gamma=terms.dividend_discount * peak / (terms.spot * spread),
        theta=-(decay + funding) / _DAYS,
        vega=carried * peak * root / 100.0,
        rho=sign * owed * terms.years * cumulative(sign * lower) / 100.0,
        iv=volatility,
    )


def implied(terms: Terms, strike: float, target: float, call: bool, guess: float) -> float | None:
    """The volatility at which the price is `target`; None where there is none."""
    parity = max(terms.discount * (terms.forward - strike) * (1.0 if call else -1.0), 0.0)
    most = terms.discount * (terms.forward if call else strike)
    if not parity < target < most:
        return None
    low, high, volatility = 1e-4, _VOLATILITY_MAX, guess
    root = terms.root_years
    for _ in range(_STEPS_MAX):
        difference = price(terms, strike, volatility, call) - target
        if abs(difference) < 1e-7:
            return volatility
        low, high = (low, volatility) if difference > 0 else (volatility, high)
        upper = math.log(terms.forward / strike) / (volatility * root) + 0.5 * volatility * root
        slope = terms.forward * terms.discount * density(upper) * root
        volatility = volatility - difference / slope if slope > 1e-12 else 0.0
        if not low < volatility < high:
            volatility = (low + high) / 2.0
    return volatility if high - low < 1e-6 else None
