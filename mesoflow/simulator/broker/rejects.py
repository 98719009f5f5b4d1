"""What a broker refuses when an order reaches it. Each reason has a name; codes and texts are in data/rejects.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.enums import TimeInForce
from mesoflow.hubs.models.orders import OrderRejectionInfo
from mesoflow.simulator.broker.margin import requirement
from mesoflow.simulator.broker.orders import Orders, Placed
from mesoflow.simulator.broker.package import Package, PackageQuote
from mesoflow.simulator.broker.profiles import broker_traits
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.shared import data
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.contracts import multiplier_of
from mesoflow.simulator.world.positions import Positions

_ZERO = Decimal(0)
# `no_combo`: the same in words that no client of ours knows.
OTHERWISE: Mapping[str, str] = {"code": "4711", "reason": "strategy not enabled for this route"}


def rejection(reason: str, broker: str, faults: Faults | None = None) -> OrderRejectionInfo:
    """As the wire tells it."""
    told = data("rejects.json")[reason][broker]
    if reason == "combo" and faults is not None and faults.no_combo:
        told = OTHERWISE
    return OrderRejectionInfo(code=told["code"], reason=told["reason"], provider=broker)


class Judge:
    """Judges orders on arrival."""

    def __init__(
        self,
        market: Market,
        orders: Orders,
        accounts: Accounts,
        positions: Positions,
        package_of: Callable[[Placed], Package | None],
    ) -> None:
        self._market, self._orders, self._accounts = market, orders, accounts
        self._positions, self._package_of = positions, package_of

    def reason(self, order: Placed, at: datetime, *, without: int | None = None) -> str | None:
        """Why it is refused; None: it is taken. `without`: an order that ends as this one begins."""
        scripted = order.mishap("reject")
        if scripted is not None:
            return scripted.reason
        package = self._package_of(order)
        quote = None if package is None else package.quote(at)
        if package is None or quote is None or self._is_closed(order, at):
            return "market_closed"
        traits = broker_traits(order.broker)
        if not traits.takes(len(package.legs)):
            return "combo"
        if package.contracts * order.packages > traits.contracts_most:
            return "size_limit"
        if not all(on_tick(price, package) for price in (order.limit, order.stop) if price is not None):
            return "off_tick"
        if order.limit is not None and order.limit * 100 > _far_side(order, quote) + _collar(quote):
            return "precaution"
        others = self._others(order, without)
        if _overlaps(package, others):
            return "overlap"
        return None if self._is_covered(order, package, quote, at, others) else "margin"

    def _is_closed(self, order: Placed, at: datetime) -> bool:
        return order.doc.time_in_force == TimeInForce.DAY and not self._market.calendar.is_open(at)

    def _others(self, order: Placed, without: int | None) -> list[tuple[Placed, Package]]:
        """Of the same account, alive."""
        orders = [other for other in self._orders.alive(order.account) if other.id not in (order.id, without)]
        return [(other, found) for other in orders if (found := self._package_of(other)) is not None]

    def _is_covered(
        self,
        order: Placed,
        package: Package,
        quote: PackageQuote,
        at: datetime,
        others: list[tuple[Placed, Package]],
    ) -> bool:
        """Cash covers the margin with all open orders filled, or this order needs no more than before."""
        holdings = self._positions.held(order.account)
        before = [(holding.option, holding.qty) for holding in holdings]
        price = order.limit if order.limit is not None else Decimal(quote.natural) / 100
        paid = price * order.rest * multiplier_of(package.legs[0].option.underlying)
        for other, found in others:
            before += [(leg.option, Decimal(leg.ratio * other.rest)) for leg in found.legs]
        after = before + [(leg.option, Decimal(leg.ratio * order.rest)) for leg in package.legs]
        needed = self.margin(after, at)
        cash = self._accounts.kept(order.account)[1].cash or _ZERO
        return cash - paid >= needed or (paid <= 0 and needed <= self.margin(before, at))

    def margin(self, held: list[tuple[Option, Decimal]], at: datetime) -> Decimal:
        """Of all contracts of an account, underlying by underlying."""
        snapshot, by_symbol = self._market.at(at), dict[str, list[tuple[Option, Decimal]]]()
        for option, qty in held:
            by_symbol.setdefault(option.underlying, []).append((option, qty))

        def mark(option: Option) -> Decimal:
            found = snapshot.quote(option)
            return _ZERO if found is None or found.mark is None else found.mark

        total = _ZERO
        for symbol, options in by_symbol.items():
            level = snapshot.underlying(symbol)
            assert level is not None and level.mark is not None, f"{symbol} has a level"
            total += requirement(options, mark, level.mark, multiplier_of(symbol))
        return total


def _overlaps(package: Package, others: list[tuple[Placed, Package]]) -> bool:
    """Another order of the account stands on the other side of a contract."""
    own = {leg.option: leg.ratio for leg in package.legs}
    return any(own.get(leg.option, 0) * leg.ratio < 0 for _, other in others for leg in other.legs)


def on_tick(price: Decimal, package: Package) -> bool:
    cents = price * 100
    return cents == int(cents) and int(cents) % package.tick(float(cents)) == 0


def _far_side(order: Placed, quote: PackageQuote) -> Decimal:
    """What a limit is measured from. A stop that sleeps is not of this market yet, but of the one that wakes it."""
    stop = Decimal(quote.natural) if order.stop is None else order.stop * 100
    return max(Decimal(quote.natural), stop)


def _collar(quote: PackageQuote) -> Decimal:
    """How far, in cents, a limit may be past the far side."""
    own: Mapping[str, str] = data("broker.json")["precaution"]
    share = Decimal(own["percent"]) / 100 * abs(Decimal(quote.natural))
    return max(share, Decimal(own["least"]) * 100)
