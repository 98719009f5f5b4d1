"""Which options are listed: expirations and strikes as a function of the day.

SPXW expires at the close of every session of the next weeks, then on Fridays, then monthly; SPX on third Fridays at the
open. A day that is no session gives way to the session before it. Strikes are 5, 10, 25, 50 or 100 apart by distance from
the money and by tenor. The money is that of the session's open, so a listing stays still within a session.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from mesoflow.simulator.market.sessions import Calendar
from mesoflow.simulator.shared import data

Right = Literal["Call", "Put"]
_DAILY, _WEEKLY, _MONTHLY, _YEARLY = 45, 80, 400, 1500  # calendar days ahead


@dataclass(frozen=True, slots=True)
class Option:
    """One contract."""

    underlying: str
    root: str
    expiration: date
    strike: Decimal
    right: Right

    @property
    def call(self) -> bool:
        return self.right == "Call"

    def __str__(self) -> str:
        return f"{self.root} {self.expiration} {self.strike} {self.right}"


@dataclass(frozen=True, slots=True)
class Expiry:
    """One expiration of one root. `until`: when its trade ends; `settles`: at which time its value is fixed."""

    root: str
    day: date
    settles: datetime
    until: datetime


def settlement_of(root: str, underlying: str) -> Literal["am", "pm"] | None:
    """At the open or at the close; None for a root that the underlying does not have."""
    found: Literal["am", "pm"] | None = (
        data("symbols.json").get(underlying, {}).get("roots", {}).get(root, {}).get("settlement")
    )
    return found


class Listing:
    """Expirations and strikes of one underlying."""

    def __init__(self, underlying: str, calendar: Calendar) -> None:
        self.underlying = underlying
        self._calendar = calendar
        self.roots = tuple(data("symbols.json")[underlying]["roots"])
        self.expiries = lru_cache(maxsize=8)(self._expiries)
        self.expiry = lru_cache(maxsize=4096)(self._expiry)

    def _expiry(self, root: str, day: date) -> Expiry | None:
        """The times of an expiration, listed or not; None where none can be."""
        index = self._calendar.index_of(day)
        kind = settlement_of(root, self.underlying)
        if index is None or kind is None or index == 0:
            return None
        session = self._calendar.session(index)
        if kind == "pm":
            return Expiry(root, day, session.stocks_close, session.stocks_close)
        return Expiry(root, day, session.opens, self._calendar.session(index - 1).closes)

    def _expiries(self, today: date) -> tuple[Expiry, ...]:
        """All that are listed on a day, by date, then by root in the order of the data file."""
        found: list[Expiry] = []
        days = self._calendar.days
        for day in days[bisect_left(days, today) : bisect_right(days, today + timedelta(days=_YEARLY))]:
            for root in self.roots:
                if self._listed(root, day, (day - today).days):
                    expiry = self.expiry(root, day)
                    if expiry is not None:
                        found.append(expiry)
        return tuple(found)

    def _listed(self, root: str, day: date, ahead: int) -> bool:
        if ahead > _MONTHLY and day.month != 12:
            return False
        monthly = self._stands_for(day, third_friday(day))
        if settlement_of(root, self.underlying) == "am":
            return monthly
        if ahead <= _DAILY:
            return True
        if ahead <= _WEEKLY:
            return self._stands_for(day, day + timedelta(days=(4 - day.weekday()) % 7))
        return ahead <= _MONTHLY and (monthly or self._ends_month(day))

    def _stands_for(self, day: date, wanted: date) -> bool:
        """`day` is the last session up to a wanted day."""
        return 0 <= (wanted - day).days < 7 and self._calendar.before(wanted + timedelta(days=1)).day == day

    def _ends_month(self, day: date) -> bool:
        index = self._calendar.index_of(day)
        return (
            index is not None
            and index + 1 < len(self._calendar.days)
            and self._calendar.days[index + 1].month != day.month
        )

    def strikes(self, level: float, ahead: int) -> tuple[int, ...]:
        """Strikes for an expiry so many days ahead, when the money is at `level`."""
        return _strikes(round(level / 100.0) * 100, 0 if ahead <= 60 else 1 if ahead <= 200 else 2)


def third_friday(day: date) -> date:
    first = day.replace(day=1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 14)


# By tenor: (percent of the level below, above, step), from the middle outwards.
_BANDS = (
    ((10, 6, 5), (20, 12, 10), (40, 20, 25), (60, 40, 100)),
    ((10, 10, 10), (40, 25, 25), (70, 50, 100)),
    ((20, 20, 25), (50, 40, 50), (80, 80, 100)),
)


@lru_cache(maxsize=64)
def _strikes(level: int, tenor: int) -> tuple[int, ...]:
    found: set[int] = set()
    for below, above, step in _BANDS[tenor]:
        low, high = level * (100 - below) // 100, level * (100 + above) // 100
        found.update(range(-(-low // step) * step, high + 1, step))
    return tuple(sorted(found))
