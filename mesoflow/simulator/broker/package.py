"""A package: what one order trades, priced from its legs. Prices are cents, signed: + is paid, − received.

The synthetic market is the sum of the legs' far sides (`natural`) and near sides (`near`). In the complex book packages
trade inside of it: `book` is its far side, nearer to the middle by the profile's improvement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from mesoflow.simulator.market.chain import Expiry, Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.market.ticks import from_cents, ticks, to_cents
from mesoflow.simulator.shared import data

_QUOTES_KEPT = 16


@dataclass(frozen=True, slots=True)
class PackageLeg:
    """`ratio`: signed contracts a package."""

    name: str
    option: Option
    ratio: int
    expiry: Expiry


@dataclass(frozen=True, slots=True)
class PackageQuote:
    """One moment, in cents. `sides`: each leg's bid and ask."""

    at: datetime
    near: int
    natural: int
    sides: tuple[tuple[int, int], ...]

    @property
    def mid(self) -> float:
        return (self.near + self.natural) / 2

    @property
    def width(self) -> int:
        """Of the whole market; never nothing, since every leg has a spread."""
        return self.natural - self.near

    def book(self, improvement: float, tick: int) -> int:
        """The far side of the complex book, on tick, never better than the middle nor worse than natural."""
        better = self.natural - improvement * self.width / 2
        return min(self.natural, -int(-better // tick) * tick)


@dataclass
class Package:
    """Legs with their ratios. Quotes of the last moments are kept: looking ahead asks for them again."""

    legs: tuple[PackageLeg, ...]
    market: Market
    _quotes: dict[datetime, PackageQuote | None] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Option], ratios: Mapping[str, int], market: Market) -> Package | None:
        """None where a contract has no expiration that can be."""
        legs: list[PackageLeg] = []
        for name, ratio in ratios.items():
            option = options[name]
            expiry = market.listing(option.underlying).expiry(option.root, option.expiration)
            if expiry is None:
                return None
            legs.append(PackageLeg(name, option, ratio, expiry))
        return cls(tuple(legs), market)

    @property
    def until(self) -> datetime:
        """When the first of its contracts stops to trade."""
        return min(leg.expiry.until for leg in self.legs)

    @property
    def contracts(self) -> int:
        """Of one package."""
        return sum(abs(leg.ratio) for leg in self.legs)

    def tick(self, cents: float) -> int:
        """The price step: a contract's own, a package's, or a box's."""
        symbol = self.legs[0].option.underlying
        if len(self.legs) == 1:
            return ticks(symbol).at(abs(cents))
        return to_cents(data("ticks.json")[symbol]["box" if self.is_box else "package"])

    @property
    def is_box(self) -> bool:
        """Two strikes of one expiration, calls one way and puts the other: a loan, priced to the cent."""
        if len(self.legs) != 4 or len({leg.expiry for leg in self.legs}) != 1:
            return False
        strikes = sorted({leg.option.strike for leg in self.legs})
        if len(strikes) != 2:
            return False
        held = {(leg.option.strike, leg.option.call): leg.ratio for leg in self.legs}
        low, high = strikes
        return (
            len(held) == 4 and held[low, True] == -held[high, True] == -held[low, False] == held[high, False]
        )

    def quote(self, moment: datetime) -> PackageQuote | None:
        """None where one of its contracts does not trade any more."""
        if moment >= self.until:
            return None
        snapshot = self.market.at(moment)
        if snapshot.at not in self._quotes:
            if len(self._quotes) >= _QUOTES_KEPT:
                self._quotes.pop(next(iter(self._quotes)))
            sides = tuple(snapshot.sides(leg.option, leg.expiry) for leg in self.legs)
            near = natural = 0
            for leg, (bid, ask) in zip(self.legs, sides, strict=True):
                near += leg.ratio * (bid if leg.ratio > 0 else ask)
                natural += leg.ratio * (ask if leg.ratio > 0 else bid)
            self._quotes[snapshot.at] = PackageQuote(snapshot.at, near, natural, sides)
        return self._quotes[snapshot.at]

    def split(self, price: int, quote: PackageQuote) -> dict[str, Decimal]:
        """A package's price on its legs, to the cent, summing up exactly: each as far from its middle as the package is."""
        way = (price - quote.mid) * 2 / quote.width
        cents = [
            max(0, round((bid + ask) / 2 + (1 if leg.ratio > 0 else -1) * way * (ask - bid) / 2))
            for leg, (bid, ask) in zip(self.legs, quote.sides, strict=True)
        ]
        return dict(zip((leg.name for leg in self.legs), self._exact(cents, price), strict=True))

    def _exact(self, cents: list[int], price: int) -> list[Decimal]:
        """What rounding left over goes to one leg, else to two, the dearest first."""
        left = price - sum(leg.ratio * value for leg, value in zip(self.legs, cents, strict=True))
        order = sorted(range(len(cents)), key=lambda i: (abs(self.legs[i].ratio), -cents[i], i))
        for second in (None, *order):
            for step in range(-abs(self.legs[order[0]].ratio), abs(self.legs[order[0]].ratio) + 1):
                rest = left if second is None else left - step * self.legs[second].ratio
                for first in order:
                    whole, odd = divmod(rest, self.legs[first].ratio)
                    moved = list(cents)
                    moved[first] += whole
                    if second is not None:
                        moved[second] += step
                    if not odd and min(moved) >= 0:
                        return [from_cents(value) for value in moved]
        # Ratios that no two legs can make up for: a fraction of a cent on the first.
        first = order[0]
        exact = [from_cents(value) for value in cents]
        exact[first] += from_cents(left) / self.legs[first].ratio
        return exact
