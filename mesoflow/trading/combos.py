"""Packages: the smallest whole ratio of a leg group, its near, mid and natural price, and how far its strikes lie apart.

All prices of a package come from the quotes of its legs and the ratio, in points per share of one package, signed:
+ debit, − credit. near ≤ mid ≤ natural, from best to worst for you.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import gcd
from typing import NamedTuple

from mesoflow.trading.orders import Contract, Quote

_TWO = Decimal(2)
_ZERO = Decimal(0)


class NoPrice(ValueError):
    """A leg shows no price on the side that is needed. No price is never a zero."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """What one package holds, contracts by leg, signed; and how many packages. Markers (quantity 0) are left out."""

    legs: Mapping[str, int]
    packages: int


class PackageQuote(NamedTuple):
    """A package's market, signed."""

    near: Decimal
    mid: Decimal
    natural: Decimal

    @property
    def width(self) -> Decimal:
        """From near to natural, never negative where no leg is crossed."""
        return self.natural - self.near


def ratio_of(quantities: Mapping[str, Decimal | int]) -> Ratio:
    """−10/+10 is 10 packages of −1/+1. Raises ValueError for a part of a contract."""
    whole = {name: int(quantity) for name, quantity in quantities.items() if quantity}
    for name, quantity in whole.items():
        if quantity != quantities[name]:
            raise ValueError(f"leg {name} has {quantities[name]} contracts; an order takes whole ones")
    packages = gcd(*whole.values())
    return Ratio({name: quantity // packages for name, quantity in whole.items()}, packages)


def package_quote(legs: Iterable[tuple[int, Quote]]) -> PackageQuote:
    """near, mid and natural of (contracts in one package, quote). Raises NoPrice."""
    near = natural = _ZERO
    for count, quote in legs:
        bid, ask = quote.bid, quote.ask
        if bid is None or ask is None:
            raise NoPrice("a leg shows no bid or no ask")
        if count > 0:
            near, natural = near + count * bid, natural + count * ask
        else:
            near, natural = near + count * ask, natural + count * bid
    return PackageQuote(near, (near + natural) / _TWO, natural)


def strike_width(contracts: Iterable[Contract]) -> Decimal | None:
    """The widest distance of strikes among puts, or among calls; None where there is none (a calendar, a straddle)."""
    strikes: dict[str, list[Decimal]] = {}
    for contract in contracts:
        strikes.setdefault(contract.option_type, []).append(contract.strike)
    widest = max((max(some) - min(some) for some in strikes.values()), default=_ZERO)
    return widest or None
