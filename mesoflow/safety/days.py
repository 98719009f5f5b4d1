"""Which session an instant belongs to, and when it trades: asked for every order, worked out once a day.

An instant belongs to today's session until midnight of the exchange, and on other days to the next one (trading/sessions.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from mesoflow.trading.sessions import Calendar, NotCovered

_DAY: Final = timedelta(days=1)
_MIDNIGHT: Final = time(0)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the exchange. `session` is what counts as the day; `opens` and `closes` are None where `today` is no session, or
    is outside the calendar's years."""

    today: date
    session: date
    begins: datetime
    ends: datetime
    opens: datetime | None
    closes: datetime | None


class Days:
    """The days of one calendar, the newest kept."""

    __slots__ = ("_known", "calendar")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._known: Day | None = None

    def of(self, now: datetime) -> Day:
        """The day of an instant."""
        known = self._known
        if known is None or not known.begins <= now < known.ends:
            known = self._known = self._of(now)
        return known

    def _of(self, now: datetime) -> Day:
        calendar = self.calendar
        today = calendar.today(now)
        try:
            trades = calendar.is_session(today)
            session = calendar.session_on_or_after(today)
        except NotCovered:
            trades, session = False, today
        return Day(
            today=today,
            session=session,
            begins=calendar.at(today, _MIDNIGHT),
            ends=calendar.at(today + _DAY, _MIDNIGHT),
            opens=calendar.opens(today) if trades else None,
            closes=calendar.closes(today) if trades else None,
        )
