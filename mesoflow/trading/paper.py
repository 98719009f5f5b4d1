"""Paper fills: at which package price a paper account is filled, and what that makes each leg's price.

Paper is never kinder than the market: the price is the worst of the ladder unless the playbook says otherwise, and never
beyond it. The hub wants a price a leg, so the package price is split over the legs as mid ± λ × half-width (bought above,
sold below, one λ for all), to six decimals; what rounding leaves goes to the leg with the smallest ratio, so that the sum
over the ratio is exactly the package price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, TypeAlias

from mesoflow.trading.combos import NoPrice, PackageQuote
from mesoflow.trading.orders import Quote

PaperFill: TypeAlias = Literal["worst", "mid", "natural"]

_MICRO = Decimal("0.000001")
_TWO = Decimal(2)
_ZERO = Decimal(0)


class NotSplit(ValueError):
    """The package price cannot be reached with prices of legs that are not negative."""


@dataclass(frozen=True, slots=True)
class PaperLeg:
    """A leg of one package: its contracts (signed) and its quote."""

    name: str
    count: int
    quote: Quote


def paper_price(fill: PaperFill, quote: PackageQuote, worst: Decimal) -> Decimal | None:
    """The signed package price that is booked; None: the market is beyond worst, nothing fills."""
    price = worst if fill == "worst" else quote.mid if fill == "mid" else quote.natural
    return price if price <= worst else None


def split(price: Decimal, legs: Sequence[PaperLeg]) -> dict[str, Decimal]:
    """The price of each leg, such that Σ count × price is the package price exactly. Raises NotSplit and NoPrice."""
    if price != price.quantize(_MICRO):
        raise NotSplit(f"a package price of {price} has more than six decimals")
    prices = _settle_rest(price, legs, _spread(price, legs))
    negative = [name for name, each in prices.items() if each < 0]
    if negative or not prices:
        raise NotSplit(
            f"{price} cannot be split over {', '.join(leg.name for leg in legs)} without a negative price"
        )
    return prices


def _spread(price: Decimal, legs: Sequence[PaperLeg]) -> dict[str, Decimal]:
    """mid ± λ × half-width, rounded. A leg that would go below zero stands at zero, and λ is found anew without it."""
    at_zero: set[str] = set()
    while True:
        moving = [leg for leg in legs if leg.name not in at_zero]
        wide = sum((abs(leg.count) * _half(leg) for leg in moving), _ZERO)
        rest = price - sum((leg.count * _mid(leg) for leg in moving), _ZERO)
        share = rest / wide if wide else _ZERO
        prices = dict.fromkeys(at_zero, _ZERO)
        for leg in moving:
            worse = share * _half(leg)
            prices[leg.name] = (_mid(leg) + (worse if leg.count > 0 else -worse)).quantize(
                _MICRO, ROUND_HALF_EVEN
            )
        below = {leg.name for leg in moving if prices[leg.name] < 0}
        if not below:
            return prices
        at_zero |= below


def _settle_rest(price: Decimal, legs: Sequence[PaperLeg], prices: dict[str, Decimal]) -> dict[str, Decimal]:
    """Move the rounding's rest to the leg with the smallest ratio.

    Where the smallest ratio does not divide the rest (2 : 3), the other legs take a few millionths first; it always works
    out, for the ratios of a package have no common divisor.
    """
    rest = int((price - sum((leg.count * prices[leg.name] for leg in legs), _ZERO)) / _MICRO)
    if not rest:
        return {leg.name: prices[leg.name] for leg in legs}
    order = sorted(legs, key=lambda leg: (abs(leg.count), leg.name))
    smallest, others = order[0], order[1:]
    moves = _divisible(rest, abs(smallest.count), others)
    left = rest - sum(moves[leg.name] * leg.count for leg in others)
    moves[smallest.name] = left // smallest.count
    return {leg.name: prices[leg.name] + moves[leg.name] * _MICRO for leg in legs}


def _divisible(rest: int, by: int, legs: Sequence[PaperLeg]) -> dict[str, int]:
    """Millionths for each leg after which `rest` is a multiple of `by`: the fewest, leg by leg."""
    reached: dict[int, dict[str, int]] = {rest % by: {}}
    while 0 not in reached:
        found: dict[int, dict[str, int]] = {}
        for left, moves in reached.items():
            for leg in legs:
                after = (left - leg.count) % by
                if after not in reached and after not in found:
                    found[after] = {**moves, leg.name: moves.get(leg.name, 0) + 1}
        if not found:
            raise NotSplit("the ratios of a package have a common divisor; this is a bug in mesoflow")
        reached |= found
    return {leg.name: reached[0].get(leg.name, 0) for leg in legs}


def _mid(leg: PaperLeg) -> Decimal:
    if leg.quote.bid is None or leg.quote.ask is None:
        raise NoPrice(f"{leg.name} shows no bid or no ask")
    return (leg.quote.bid + leg.quote.ask) / _TWO


def _half(leg: PaperLeg) -> Decimal:
    if leg.quote.bid is None or leg.quote.ask is None:
        raise NoPrice(f"{leg.name} shows no bid or no ask")
    return (leg.quote.ask - leg.quote.bid) / _TWO
