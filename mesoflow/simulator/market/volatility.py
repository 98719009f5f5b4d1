"""What the underlying's volatility is and was: implied by options of thirty days at the money, and realised by its closes.

Figures are fractions a year. Rank and percentile compare the implied one of now with the closes of a year.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise

from mesoflow.simulator.market.market import Market, Snapshot
from mesoflow.simulator.market.surface import Surface

_MINUTES = 30 * 24 * 60.0
_REALISED_OVER = timedelta(days=30)
_SESSIONS_A_YEAR = 252
# Fewer closes than a month's say nothing of a year.
_CLOSES_LEAST = 20


class Volatility:
    """Of SPX. Closes are kept: a year of them is asked for again and again."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._implied_at_close = lru_cache(maxsize=1024)(self._at_close)

    def implied(self, snapshot: Snapshot) -> float:
        return _at_the_money(snapshot.surface, snapshot.spot)

    def rank(self, snapshot: Snapshot) -> float | None:
        """Where it stands between the year's low (0) and high (100); None without a year, or a year that stood still."""
        now, year = self.implied(snapshot), self._year(snapshot)
        low, high = min([now, *year]), max([now, *year])
        if len(year) < _CLOSES_LEAST or high <= low:
            return None
        return (now - low) / (high - low) * 100.0

    def percentile(self, snapshot: Snapshot) -> float | None:
        """On how many of a hundred days of the year it was lower."""
        now, year = self.implied(snapshot), self._year(snapshot)
        if len(year) < _CLOSES_LEAST:
            return None
        return sum(value < now for value in year) / len(year) * 100.0

    def realised(self, snapshot: Snapshot) -> float | None:
        """Of the daily returns of thirty days of the calendar, up to the last close before today's session."""
        days, last = self._market.calendar.days, snapshot.session.index - 1
        first = bisect_left(days, snapshot.session.day - _REALISED_OVER)
        closes = [self._market.close(index)[0] for index in range(first, last + 1)]
        returns = [math.log(after / before) for before, after in pairwise(closes)]
        if len(returns) < 2:
            return None
        mean = math.fsum(returns) / len(returns)
        variance = math.fsum((value - mean) ** 2 for value in returns) / len(returns)
        return math.sqrt(variance * _SESSIONS_A_YEAR)

    def _year(self, snapshot: Snapshot) -> list[float]:
        last = snapshot.session.index
        return [self._implied_at_close(index) for index in range(max(last - _SESSIONS_A_YEAR, 0), last)]

    def _at_close(self, index: int) -> float:
        spot, vix = self._market.close(index)
        return _at_the_money(Surface(spot, vix), spot)


def _at_the_money(surface: Surface, spot: float) -> float:
    return surface.at(_MINUTES).volatility(spot)
