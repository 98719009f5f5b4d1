"""The `timing` namespace: what the exchange's calendar and clock say at one moment, as plain numbers.

An anchor is a day that recurs: the first session of the next month, the monthly expiration (a third Friday, or the session
before). Days until an anchor count down to the open of its session, in sessions or in days of the calendar, with the fraction
of the one that is running; on the anchor's own day they are 0. Days after one count from the same point. The length of a
period is that of the next month, or from one monthly expiration to the next: no page tells it, this is our reading.

Each value has a flat name, the function and its arguments in words: `timing.trading_days_until next_month first`. What is
not in the table is not in this version.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mesoflow.simulator.market.chain import third_friday
from mesoflow.simulator.market.sessions import Calendar

NAMESPACE = "timing"
NEXT_MONTH, MONTHLY_OPEX, FIRST = "next_month", "monthly_opex", "first"
# Words that stand bare in an expression.
WORDS = (NEXT_MONTH, MONTHLY_OPEX, FIRST)
FIELDS = ("day_of_week", "year", "month", "day", "minutes_after_open", "minutes_before_close")
FUNCTIONS = tuple(
    f"{unit}_days_{what}" for unit in ("trading", "calendar") for what in ("until", "after", "in")
)
_STEP_MINUTES = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Now:
    """Where the moment stands. `sessions`: how many are over, with the part of the one that is running."""

    calendar: Calendar
    moment: datetime
    today: date
    sessions: float

    def sessions_until(self, index: int) -> float:
        return max(0.0, index - self.sessions)

    def days_until(self, day: date) -> float:
        return max(0.0, (self._midnight(day) - self.moment) / _DAY)

    def days_after(self, day: date) -> float:
        return (self.moment - self._midnight(day)) / _DAY

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.calendar.zone)


def timing(calendar: Calendar, moment: datetime) -> dict[str, float]:
    """All values of a moment by their flat names."""
    session = calendar.begun(moment)
    passed = min((moment - session.opens) / (session.closes - session.opens), 1.0)
    now = _Now(calendar, moment, calendar.local_date(moment), session.index + passed)
    minutes = (min(moment, session.closes) - session.opens) / timedelta(minutes=1)
    whole = (session.closes - session.opens) / timedelta(minutes=1)
    found = {
        "day_of_week": float(now.today.isoweekday() % 7),
        "year": float(now.today.year),
        "month": float(now.today.month),
        "day": float(now.today.day),
        "minutes_after_open": float(minutes // _STEP_MINUTES * _STEP_MINUTES),
        "minutes_before_close": float((whole - minutes) // _STEP_MINUTES * _STEP_MINUTES),
        **_next_month(now),
        **_monthly_opex(now),
    }
    return {f"{NAMESPACE}.{name}": value for name, value in found.items()}


def _next_month(now: _Now) -> Mapping[str, float]:
    """It lies ahead by its name, so nothing is after it."""
    days = now.calendar.days
    begins = _month_after(now.today)
    first, following = bisect_left(days, begins), bisect_left(days, _month_after(begins))
    day = days[first] if first < len(days) else begins
    values = {
        "trading_days_until": now.sessions_until(first),
        "calendar_days_until": now.days_until(day),
        "trading_days_in": float(following - first),
        "calendar_days_in": float((_month_after(begins) - begins).days),
    }
    return {
        f"{name} {NEXT_MONTH}{boundary}": value
        for name, value in values.items()
        for boundary in ("", f" {FIRST}")
    }


def _monthly_opex(now: _Now) -> Mapping[str, float]:
    """The next is today's until its session is over; the last is today's from its open on."""
    days = now.calendar.days
    around = sorted({_opex(days, _months_on(now.today, months)) for months in (-2, -1, 0, 1, 2)})
    ahead = next(index for index in around if now.sessions < index + 1)
    # A session of a month that the calendar does not reach any more stands at its end.
    behind = max((index for index in around if index <= now.sessions), default=around[0])
    before = max((index for index in around if index < ahead), default=around[0])
    day, last, start = (days[min(index, len(days) - 1)] for index in (ahead, behind, before))
    values = {
        "trading_days_until": now.sessions_until(ahead),
        "calendar_days_until": now.days_until(day),
        "trading_days_after": now.sessions - behind,
        "calendar_days_after": now.days_after(last),
        "trading_days_in": float(ahead - before),
        "calendar_days_in": float((day - start).days),
    }
    return {f"{name} {MONTHLY_OPEX}": value for name, value in values.items()}


def _opex(days: list[date], month: date) -> int:
    """The session of a month's expiration."""
    return max(bisect_right(days, third_friday(month)) - 1, 0)


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _months_on(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
