"""The market of one seed: ask it for a moment and get a snapshot, from which every quote and greek follows.

Quotes step once a second while the exchange is open; between steps, while it is closed and while trade is halted they stand
still and their ages grow. A snapshot is computed when asked and never stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from mesoflow.simulator.draws import uniform
from mesoflow.simulator.market import black76
from mesoflow.simulator.market.black76 import Sensitivities
from mesoflow.simulator.market.chain import Expiry, Listing, Option
from mesoflow.simulator.market.path import CELLS, Path
from mesoflow.simulator.market.pricing import QuotedPair, pair, quoted_pair
from mesoflow.simulator.market.sessions import Calendar, Session, calendar
from mesoflow.simulator.market.spread import Spread
from mesoflow.simulator.market.surface import Slice, Surface
from mesoflow.simulator.market.ticks import Ticks, from_cents, ticks
from mesoflow.simulator.shared import data

STEP = timedelta(seconds=1)
_INSTANT = timedelta(microseconds=1)
# How often a contract may trade; its last price is of the last such time.
_TRADES_EVERY = timedelta(minutes=1)
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Quote:
    """What the market shows of one instrument; None where it shows nothing. `at` and `last_at`: since when."""

    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    mark: Decimal | None = None
    last_at: datetime | None = None


class Snapshot:
    """The whole market at one step."""

    def __init__(self, market: Market, session: Session, at: datetime) -> None:
        self._market, self.session, self.at = market, session, at
        since = at - session.opens
        cell = session.index * CELLS + int(since.total_seconds())
        self.spot = market.path.spx(cell)
        self.vix = market.path.vix(cell)
        self.surface = Surface(self.spot, self.vix)
        self.spread = Spread.of(self.vix, session, since)
        self._slices: dict[datetime, Slice] = {}

    def slice_of(self, expiry: Expiry) -> Slice:
        """One smile an expiry; AM and PM series of one day differ."""
        found = self._slices.get(expiry.settles)
        if found is None:
            found = self.surface.at((expiry.settles - self.at).total_seconds() / 60.0)
            self._slices[expiry.settles] = found
        return found

    def underlying(self, symbol: str) -> Quote | None:
        """SPX and VIX; None for anything else."""
        level = {"SPX": self.spot, "VIX": self.vix}.get(symbol)
        if level is None:
            return None
        mark = Decimal(repr(level)).quantize(_HUNDREDTH)
        half = Decimal(data("market.json")["underlying_half_width"][symbol])
        return Quote(self.at, mark - half, mark + half, mark, mark, self.at)

    def quote(self, option: Option) -> Quote | None:
        """None for what cannot be traded: unknown, expired, or past its last trade."""
        expiry = self.expiry_of(option)
        if expiry is None:
            return None
        bid, ask = self.sides(option, expiry)
        last_at, last = self._market.last_trade(option, expiry, self)
        return Quote(self.at, from_cents(bid), from_cents(ask), last, _middle(bid, ask), last_at)

    def sides(self, option: Option, expiry: Expiry) -> tuple[int, int]:
        """Bid and ask in cents, on tick, the bid possibly zero."""
        _, *both = self._both(expiry, float(option.strike))
        return (both[0], both[1]) if option.call else (both[2], both[3])

    def theoretical(self, option: Option) -> float | None:
        """What the option is worth; bid and ask stand around it."""
        expiry = self.expiry_of(option)
        if expiry is None:
            return None
        found = pair(self.slice_of(expiry), float(option.strike))
        return found.call if option.call else found.put

    def greeks(self, option: Option, price: Decimal | None = None) -> Sensitivities | None:
        """Greeks at the surface's volatility, or at the one that a price implies; None where that has none."""
        expiry = self.expiry_of(option)
        if expiry is None:
            return None
        smile, strike = self.slice_of(expiry), float(option.strike)
        volatility: float | None = smile.volatility(strike)
        if price is not None and volatility is not None:
            volatility = black76.implied(smile.terms, strike, float(price), option.call, volatility)
        if volatility is None:
            return None
        return black76.sensitivities(smile.terms, strike, volatility, option.call)

    def delta(self, expiry: Expiry, strike: float, call: bool) -> float:
        """Of one contract of an expiry that still trades."""
        smile = self.slice_of(expiry)
        return black76.delta(smile.terms, strike, smile.volatility(strike), call)

    def expiries(self, underlying: str) -> list[Expiry]:
        """Listed and still traded."""
        return [
            expiry
            for expiry in self._market.listing(underlying).expiries(self.session.day)
            if self.at < expiry.until
        ]

    def strikes(self, underlying: str, expiry: Expiry) -> tuple[int, ...]:
        level = self._market.path.spx(self.session.index * CELLS)
        return self._market.listing(underlying).strikes(level, (expiry.day - self.session.day).days)

    def chain(self, underlying: str, expiry: Expiry) -> list[QuotedPair]:
        """Every strike of an expiry."""
        return [self._both(expiry, float(strike)) for strike in self.strikes(underlying, expiry)]

    def expiry_of(self, option: Option) -> Expiry | None:
        """None for what is unknown, expired, or past its last trade."""
        if option.underlying not in self._market.optioned:
            return None
        expiry = self._market.listing(option.underlying).expiry(option.root, option.expiration)
        return expiry if expiry is not None and self.at < expiry.until else None

    def _both(self, expiry: Expiry, strike: float) -> QuotedPair:
        return quoted_pair(self.slice_of(expiry), strike, self.spread, self._market.ticks)


class Halt(Protocol):
    """The exchange halts trade from `start` until just before `end`."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


class Market:
    """All snapshots of one seed. `halts`: the caller's own list, which may grow."""

    def __init__(self, seed: int, halts: Sequence[Halt] = ()) -> None:
        self.seed, self._halts = seed, halts
        self.calendar: Calendar = calendar()
        self.path = Path(seed, self.calendar)
        self.ticks: Ticks = ticks("SPX")
        self.optioned = frozenset(name for name, symbol in data("symbols.json").items() if symbol["roots"])
        self.listing = lru_cache(maxsize=None)(self._listing)
        self._snapshot = lru_cache(maxsize=32)(self._compute)
        self.close = lru_cache(maxsize=1024)(self._close)
        # What the hubs tell of an option: what is there, unless the world has it told otherwise (telltale.py).
        self.told: Callable[[Market, Option, datetime], Quote | None] = _as_it_is

    def halted(self, moment: datetime) -> Halt | None:
        """The halt that a moment is in; of several the one that ends last."""
        around = [halt for halt in self._halts if halt.start <= moment < halt.end]
        return max(around, key=lambda halt: halt.end, default=None)

    def trades(self, moment: datetime) -> bool:
        """Whether anything can trade: the exchange is open, and trade is not halted."""
        return self.calendar.is_open(moment) and self.halted(moment) is None

    def at(self, moment: datetime) -> Snapshot:
        """The last step up to a moment; in a halt the last before it."""
        while self.halted(moment) is not None:
            moment = min(one.start for one in self._halts if one.start <= moment < one.end) - _INSTANT
        session = self.calendar.begun(moment)
        since = min(moment, session.closes) - session.opens
        return self._snapshot(session, session.opens + since // STEP * STEP)

    def next_step(self, moment: datetime) -> datetime:
        """When quotes may change next."""
        session = self.calendar.begun(moment)
        if moment >= session.closes:
            return self.calendar.next_open(moment)
        halt = self.halted(moment)
        if halt is not None:
            return min(halt.end, session.closes)
        return min(self.at(moment).at + STEP, session.closes)

    def last_trade(
        self, option: Option, expiry: Expiry, snapshot: Snapshot
    ) -> tuple[datetime | None, Decimal | None]:
        """The last trade is at the last whole minute, on one of the two sides; where nobody bids nobody has traded."""
        since = snapshot.at - snapshot.session.opens
        at = snapshot.session.opens + since // _TRADES_EVERY * _TRADES_EVERY
        bid, ask = self._snapshot(snapshot.session, at).sides(option, expiry)
        if not bid:
            return None, None
        side = ask if uniform(self.seed, "last", option, at.isoformat()) < 0.5 else bid
        return at, from_cents(side)

    def _close(self, index: int) -> tuple[float, float]:
        """SPX and VIX at the close of a session."""
        session = self.calendar.session(index)
        cell = index * CELLS + int((session.closes - session.opens).total_seconds())
        return self.path.spx(cell), self.path.vix(cell)

    def _compute(self, session: Session, at: datetime) -> Snapshot:
        return Snapshot(self, session, at)

    def _listing(self, underlying: str) -> Listing:
        return Listing(underlying, self.calendar)


def _as_it_is(market: Market, option: Option, now: datetime) -> Quote | None:
    return market.at(now).quote(option)


def _middle(bid: int, ask: int) -> Decimal:
    both = bid + ask
    return Decimal(both // 2).scaleb(-2) if both % 2 == 0 else Decimal(both * 5).scaleb(-3)
