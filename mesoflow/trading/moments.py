"""Moments as a playbook writes them, `[DAY ]TIME`, and what instant they are.

    TIME   "15:45" · open · close · open + 15m · close - 30m
    DAY    today (default) · next · +5 sessions · mon … fri · 2025-01-21

How a moment is read. `today` and a weekday are taken as they stand, past or not: whether it is too late is the business
of `grace`. A weekday is this week's from today on, or the session after it where it is none. `next` is the session after
today, `+5 sessions` the fifth. An open or a close of a day that has none is NoSession.

When a moment has come the calendar is asked again (`moved`): a TIME that in a regular session falls while the exchange is
open, on a day when it is closed now, moves to the same TIME of the next session. A TIME that is always outside the hours
(`open - 15m`, `close`, "18:00") cannot wait for an open exchange; it only moves off a day without a session.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from mesoflow.trading.durations import Duration
from mesoflow.trading.sessions import Calendar

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")
# A year of sessions; more is a slip of the finger.
SESSIONS_MAX: Final = 250
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_FROM = re.compile(r"(open|close)(?:\s*([+-])\s*(\S+))?")
_SESSIONS = re.compile(r"\+(\d{1,4}) sessions?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS = re.compile(rf"(today|next|\+\d+ sessions?|{'|'.join(WEEKDAYS)}|\d{{4}}-\d{{2}}-\d{{2}})\s+(.*)")
_HELP = 'write "15:45", open + 15m, next open + 15m, fri close - 30m, +5 sessions 15:45 or 2025-01-21 15:45'


@dataclass(frozen=True, slots=True)
class Time:
    """The TIME of a moment: a clock time, or an offset from the open or the close."""

    anchor: Literal["clock", "open", "close"]
    clock: time = time(0)
    offset: timedelta = timedelta(0)

    def on(self, calendar: Calendar, day: date) -> datetime:
        """This TIME of a day. Raises NoSession where it counts from an open or a close that does not happen."""
        if self.anchor == "clock":
            return calendar.at(day, self.clock)
        return (calendar.opens(day) if self.anchor == "open" else calendar.closes(day)) + self.offset

    def within_hours(self, calendar: Calendar) -> bool:
        """Whether the exchange is open at this TIME of a regular session."""
        day = date(2000, 1, 3)  # any day: only the hours count
        opens, closes = datetime.combine(day, calendar.open), datetime.combine(day, calendar.close)
        anchors = {"clock": datetime.combine(day, self.clock), "open": opens, "close": closes}
        return opens <= anchors[self.anchor] + self.offset < closes


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that is not resolved yet. `day`: today, next, a number of sessions, a weekday, or a date."""

    day: Literal["today"] | int | str | date
    time: Time

    @classmethod
    def parse(cls, written: object) -> Moment:
        """Raises ValueError with what it should look like."""
        if not isinstance(written, str):
            raise ValueError(f"{written!r} is no moment; {_HELP}")
        match = _DAYS.fullmatch(written.strip())
        day, rest = (match[1], match[2]) if match else ("today", written.strip())
        return cls(_day(day, written), _time(rest, written))

    def resolve(self, calendar: Calendar, now: datetime) -> datetime:
        """The instant, in UTC. Journalled by whoever asks; never computed a second time."""
        return self.time.on(calendar, self._date(calendar, calendar.today(now)))

    def moved(self, calendar: Calendar, at: datetime, now: datetime) -> datetime | None:
        """`at` has come: None where it stands, else the same TIME of the next session."""
        if not self._must_move(calendar, at, now):
            return None
        day = calendar.session_on_or_after(calendar.today(now))
        moved = self.time.on(calendar, day)
        return moved if moved > now else self.time.on(calendar, calendar.next_session(day))

    def _must_move(self, calendar: Calendar, at: datetime, now: datetime) -> bool:
        if self.time.within_hours(calendar):
            return not calendar.is_open(now)
        return not calendar.is_session(calendar.today(at))

    def _date(self, calendar: Calendar, today: date) -> date:
        match self.day:
            case "today":
                return today
            case int(count):
                return calendar.next_session(today, count)
            case str(weekday):
                ahead = (WEEKDAYS.index(weekday) - today.weekday()) % 7
                return calendar.session_on_or_after(today + timedelta(days=ahead))
            case day:
                return day


def _day(word: str, written: str) -> int | str | date:
    if word == "next":
        return 1
    sessions = _SESSIONS.fullmatch(word)
    if sessions:
        count = int(sessions[1])
        if not 1 <= count <= SESSIONS_MAX:
            raise ValueError(f"{written!r}: sessions are counted from +1 to +{SESSIONS_MAX}")
        return count
    if _DATE.fullmatch(word):
        try:
            return date.fromisoformat(word)
        except ValueError:
            raise ValueError(f"{written!r}: there is no day {word}; {_HELP}") from None
    return word


def _time(text: str, written: str) -> Time:
    clock = _CLOCK.fullmatch(text)
    if clock:
        return Time("clock", time(int(clock[1]), int(clock[2])))
    match = _FROM.fullmatch(text)
    if match is None:
        raise ValueError(f"{written!r} is no moment; {_HELP}")
    anchor: Literal["open", "close"] = "open" if match[1] == "open" else "close"
    if match[2] is None:
        return Time(anchor)
    try:
        offset = Duration.parse(match[3])
    except ValueError:
        raise ValueError(
            f"{written!r}: {match[3]!r} is no duration; write open + 15m or close - 2h"
        ) from None
    return Time(anchor, offset=offset if match[2] == "+" else -offset)
