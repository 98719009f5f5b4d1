"""Blocks of market figures for the wire: prices, greeks and profit of legs, of leg groups and of whole positions.

A block is a dict in the models' field names: the four bases, their ages, and when it was computed. Of a group or position,
bid is what its packages would sell for and ask what they would cost: a held leg is sold at its bid, a sold one bought back
at its ask. Greeks are of the whole quantity (legs.py); prices are of one package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import gcd
from typing import Any, TypeAlias

from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market, Quote, Snapshot
from mesoflow.simulator.strategies.legs import GREEKS, scaled

Block: TypeAlias = dict[str, Any]
BASES = ("bid", "ask", "last", "mark")
_OPPOSITE = {"bid": "ask", "ask": "bid", "last": "last", "mark": "mark"}
_MILLISECOND = timedelta(milliseconds=1)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """A quantity of one contract and what it cost."""

    option: Option
    qty: Decimal
    multiplier: Decimal
    entry_price: Decimal = _ZERO
    realized: Decimal = _ZERO


class Figures:
    """What the market says at one moment. `seen`: the last moment of which anybody here knows, if not this one."""

    def __init__(self, market: Market, now: datetime, seen: datetime | None = None) -> None:
        self.now, self._market = now, market
        self._seen = now if seen is None else min(seen, now)
        self._today = market.calendar.local_date(now)
        self._snapshot: Snapshot = market.at(self._seen)
        self._quotes: dict[Option, Quote | None] = {}

    def quote(self, option: Option) -> Quote | None:
        if option not in self._quotes:
            self._quotes[option] = self._market.told(self._market, option, self._seen)
        return self._quotes[option]

    def dte(self, option: Option) -> int:
        return (option.expiration - self._today).days

    def underlying(self, symbol: str) -> Block | None:
        quote = self._snapshot.underlying(symbol)
        return None if quote is None else self.prices(quote)

    def prices(self, quote: Quote | None) -> Block:
        """Of one contract, as the market shows it."""
        if quote is None:
            return self._block({})
        values = {"bid": quote.bid, "ask": quote.ask, "last": quote.last, "mark": quote.mark}
        return self._block(values, quote.at, quote.last_at)

    def greeks(self, holding: Holding) -> Block:
        """Each basis at the volatility that its price implies, the mark at the surface's."""
        quote, values = self.quote(holding.option), {}
        if quote is None:
            return self._block({})
        for basis, price in (("bid", quote.bid), ("ask", quote.ask), ("last", quote.last), ("mark", None)):
            if basis != "mark" and price is None:
                continue
            found = self._snapshot.greeks(holding.option, price)
            if found is not None:
                amounts = scaled(found, holding.qty, self.dte(holding.option)) | {"iv": found.iv}
                values[basis] = {name: rounded(amount) for name, amount in amounts.items()}
        return self._block(values, quote.at, quote.last_at)

    def pnl(self, holding: Holding) -> Block:
        quote = self.quote(holding.option)
        realized = {"realized": holding.realized}
        if quote is None:
            return self._block({}) | realized
        values = {
            basis: None
            if (price := getattr(quote, basis)) is None
            else (price - holding.entry_price) * holding.qty * holding.multiplier
            for basis in BASES
        }
        return self._block(values, quote.at, quote.last_at) | realized

    def package(self, holdings: Sequence[Holding], divisor: Decimal | None = None) -> Block:
        """Prices of one package of several legs; `divisor`: how many there are, else as many as fit."""
        count = divisor or packages(holdings)
        values: dict[str, Decimal | None] = dict.fromkeys(BASES, _ZERO)
        quotes = [self.quote(holding.option) for holding in holdings]
        for holding, quote in zip(holdings, quotes, strict=True):
            for basis in BASES:
                side = basis if holding.qty > 0 else _OPPOSITE[basis]
                price: Decimal | None = None if quote is None else getattr(quote, side)
                so_far = values[basis]
                values[basis] = (
                    None if price is None or so_far is None else so_far + price * holding.qty / count
                )
        known = [quote for quote in quotes if quote is not None]
        if not known:
            return self._block({})
        last_at = [quote.last_at for quote in known if quote.last_at is not None]
        return self._block(values, min(quote.at for quote in known), min(last_at, default=None))

    def total_greeks(self, blocks: Sequence[Block]) -> Block:
        values = {basis: _summed([block.get(basis) for block in blocks]) for basis in BASES}
        return self._with_ages(values, blocks)

    def total_pnl(self, blocks: Sequence[Block]) -> Block:
        values = {basis: _sum([block.get(basis) for block in blocks]) for basis in BASES}
        realized = sum((block["realized"] for block in blocks), _ZERO)
        return self._with_ages(values, blocks) | {"realized": realized}

    def _block(
        self, values: Mapping[str, Any], at: datetime | None = None, last_at: datetime | None = None
    ) -> Block:
        block: Block = {"snapshot_time": self.now}
        for basis in BASES:
            value, since = values.get(basis), last_at if basis == "last" else at
            block[basis] = value
            block[f"{basis}_age_ms"] = (
                None if value is None or since is None else (self.now - since) // _MILLISECOND
            )
        return block

    def _with_ages(self, values: Mapping[str, Any], blocks: Sequence[Block]) -> Block:
        """A total is as old as its oldest part."""
        block: Block = {"snapshot_time": self.now}
        for basis in BASES:
            ages = [age for part in blocks if (age := part.get(f"{basis}_age_ms")) is not None]
            block[basis] = values[basis]
            block[f"{basis}_age_ms"] = None if values[basis] is None else max(ages, default=None)
        return block


def rounded(amount: float) -> Decimal:
    """A figure of the pricing as it leaves it: six decimals, so that the last digits of a libm do not show."""
    return Decimal(f"{amount:.6f}") + 0


def packages(holdings: Sequence[Holding]) -> Decimal:
    """How often the smallest whole ratio fits; 1 where nothing is held."""
    return Decimal(gcd(*(int(abs(holding.qty)) for holding in holdings)) or 1)


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, _ZERO) if len(known) == len(values) else None


def _summed(parts: Sequence[Mapping[str, Decimal] | None]) -> dict[str, Decimal] | None:
    known = [part for part in parts if part is not None]
    if len(known) != len(parts):
        return None
    return {name: sum((part[name] for part in known), _ZERO) for name in GREEKS}
