"""When and at what a resting order fills: asked of the market once a second of simulated time, from its arrival on.

What a look finds follows from the seed, the order's key and the time of the look. So a fill can be found ahead of its time,
and is the same however often and whenever somebody asks. Cursors remember until when an order was looked at in vain; they
are a cache, not needed for correctness.

A limit at or past the far side takes it. One inside the spread is hit at a rate that grows on its way to the far side
(profiles.py); `strict` counts only who trades through it, by a tick. Never more than is shown, less what we took lately.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from mesoflow.hubs.models.enums import OrderType
from mesoflow.simulator.broker.orders import Orders, Placed
from mesoflow.simulator.broker.package import Package, PackageLeg, PackageQuote
from mesoflow.simulator.broker.profiles import MarketProfile
from mesoflow.simulator.draws import uniform
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.shared import data

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_LIMITS = (OrderType.LIMIT, OrderType.STOP_LIMIT)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look came to: packages at a price in cents, or that a stop was reached (no packages)."""

    packages: int
    price: int
    quote: PackageQuote

    @property
    def is_trigger(self) -> bool:
        return not self.packages


@dataclass(slots=True)
class _Cursor:
    """Looked at until then in vain; `found`: when something was found."""

    clean: datetime
    found: datetime | None = None


class Matching:
    """Looks at the market for the orders of a world."""

    def __init__(
        self,
        market: Market,
        orders: Orders,
        profile: MarketProfile,
        faults: Faults,
        package_of: Callable[[Placed], Package | None],
    ) -> None:
        self._market, self._orders, self._profile, self._faults = market, orders, profile, faults
        self._package_of = package_of
        self._cursors: dict[int, _Cursor] = {}
        # A price level's size is drawn again each minute.
        self._shown = lru_cache(maxsize=1024)(self._draw_shown)

    # --- looking ahead ---------------------------------------------------------------------------------------------

    def next_found(
        self, orders: Iterable[Placed], since: datetime, until: datetime
    ) -> tuple[datetime, int] | None:
        """The first time up to `until` at which an order fills or its stop is reached, and which. Ties by id.

        `since`: up to before which everything that happens has happened.
        """
        best: tuple[datetime, int] | None = None
        for order in orders:
            at = self._ahead(order, since, until if best is None else best[0])
            if at is not None and (best is None or at < best[0]):
                best = at, order.id
        return best

    def passed(self, order: int, at: datetime) -> None:
        """The look at a time is over."""
        self._cursors[order] = _Cursor(at)

    def forget(self, order: int) -> None:
        self._cursors.pop(order, None)

    def _ahead(self, order: Placed, since: datetime, until: datetime) -> datetime | None:
        assert order.looked is not None, "a working order has arrived"
        cursor = self._cursors.get(order.id)
        if cursor is None:
            # What lies before `since` was looked at before the world was opened.
            before = since - timedelta(microseconds=1)
            cursor = self._cursors[order.id] = _Cursor(max(order.looked, before))
        if cursor.found is not None:
            return cursor.found if cursor.found <= until else None
        while (at := self._next_look(order, cursor.clean)) <= until:
            if self.look(order, at) is not None:
                cursor.found = at
                return at
            cursor.clean = at
        return None

    def _next_look(self, order: Placed, after: datetime) -> datetime:
        if order.arrived is not None and after < order.arrived:
            return order.arrived
        return self._market.next_step(after)

    # --- one look --------------------------------------------------------------------------------------------------

    def look(self, order: Placed, at: datetime) -> Found | None:
        """What happens to a working order at one of its looks."""
        package = self._package_of(order)
        if package is None or self._is_left_alone(order, at):
            return None
        quote = package.quote(at)
        if quote is None:
            return None
        if order.doc.order_type in _STOPS and not order.triggered:
            assert order.stop is not None, "a stop has a price"
            return Found(0, 0, quote) if quote.mid >= float(order.stop) * 100 else None
        price = self._price(order, package, quote, at)
        if price is None:
            return None
        packages = min(order.rest, self._drawn(order, at), self._there(package, at))
        return Found(packages, price, quote) if packages > 0 else None

    def _is_left_alone(self, order: Placed, at: datetime) -> bool:
        return (
            order.mishap("never_fills") is not None
            or not self._market.trades(at)
            or self._faults.broker_back(order.broker, at) is not None
        )

    def _price(self, order: Placed, package: Package, quote: PackageQuote, at: datetime) -> int | None:
        """At what it fills now; None: not now."""
        tick = package.tick(quote.mid)
        far = quote.book(self._profile.improvement, tick)
        if order.doc.order_type not in _LIMITS:
            return far
        assert order.limit is not None, "a limit order has a limit"
        limit = int(order.limit * 100)
        if limit >= far:
            return far
        if at == order.arrived:
            # Nobody has had a second to come by.
            return None
        way = (limit - self._profile.through_ticks * tick - quote.near) / quote.width
        rate = self._profile.hazard(way, self._against(package, quote, at))
        chance = -math.expm1(-rate)
        return limit if uniform(self._market.seed, "fill", order.key, at.isoformat()) < chance else None

    def _against(self, package: Package, quote: PackageQuote, at: datetime) -> float:
        before = package.quote(at - self._profile.adverse_window)
        return 0.0 if before is None else (before.mid - quote.mid) * 2 / quote.width

    # --- how much --------------------------------------------------------------------------------------------------

    def _drawn(self, order: Placed, at: datetime) -> int:
        """How many somebody wants to trade."""
        drawn = uniform(self._market.seed, "piece", order.key, at.isoformat())
        return 1 + int(-self._profile.piece_mean * math.log1p(-drawn))

    def _there(self, package: Package, at: datetime) -> int:
        """Packages that are shown and not taken by us lately."""
        taken = self._taken(at)
        return min(
            (self._shown_now(leg, at) - taken.get(leg.option, 0)) // abs(leg.ratio) for leg in package.legs
        )

    def _shown_now(self, leg: PackageLeg, at: datetime) -> int:
        every = timedelta(seconds=data("broker.json")["sizes"]["every"])
        session = self._market.calendar.begun(at)
        return self._shown(leg.option, leg.ratio > 0, session.opens + (at - session.opens) // every * every)

    def _draw_shown(self, option: Option, is_ask: bool, at: datetime) -> int:
        own = data("broker.json")["sizes"]
        spot = self._market.at(at).spot
        distance = abs(float(option.strike) - spot) / spot
        drawn = uniform(self._market.seed, "size", option, is_ask, at.isoformat())
        most = (own["most"] - own["least"]) * math.exp(-own["falling"] * distance)
        return int(own["least"] + most * drawn)

    def _taken(self, at: datetime) -> dict[Option, int]:
        """Contracts that our fills took away and that are not back yet."""
        returns = timedelta(seconds=data("broker.json")["sizes"]["returns_within"])
        found: dict[Option, float] = {}
        for fill in self._orders.fills_since(at - returns):
            order = self._orders.get(fill.order)
            package = None if order is None or fill.at > at else self._package_of(order)
            if package is None:
                continue
            for leg in package.legs:
                gone = fill.packages * abs(leg.ratio) * (1 - (at - fill.at) / returns)
                found[leg.option] = found.get(leg.option, 0.0) + gone
        return {option: math.ceil(gone) for option, gone in found.items()}
