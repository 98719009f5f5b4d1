"""The exchange's calendar: which days are sessions, when they open and close, and whether the exchange is open at an instant.

The days are data (data/sessions.json, shared with the simulator, which reads it with code of its own). All instants that
go in and come out are aware; what comes out is UTC.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

_DATA = Path(__file__).parent.parent / "data" / "sessions.json"
_DAY = timedelta(days=1)
_SATURDAY = 5


class NotCovered(ValueError):
    """The calendar has no data for a day. An unknown day is never taken for a session, nor for a holiday."""

    def __init__(self, calendar: str, day: date, first: date, last: date) -> None:
        super().__init__(
            f"the calendar {calendar} covers {first} to {last}, not {day}; a newer version of mesoflow has more years"
        )
        self.day = day


class NoSession(ValueError):
    """A day without a session was asked for its open or close."""

    def __init__(self, calendar: str, day: date) -> None:
        super().__init__(
            f"{day} is no session of {calendar}: it has no open and no close; write next instead"
        )
        self.day = day


@dataclass(frozen=True, slots=True)
class Calendar:
    """One exchange's sessions. `open` and `close` are the regular hours, exchange time."""

    name: str
    zone: tzinfo
    open: time
    close: time
    first: date
    last: date
    holidays: frozenset[date]
    early_closes: dict[date, time]

    @classmethod
    def load(cls, name: str) -> Calendar:
        """A calendar by the name that playbooks give under `session`. Read once a process."""
        return _load(name)

    @classmethod
    def from_value(cls, name: str, value: dict[str, Any]) -> Calendar:
        """From an entry of sessions.json."""
        return cls(
            name=name,
            zone=ZoneInfo(value["timezone"]),
            open=time.fromisoformat(value["open"]),
            close=time.fromisoformat(value["close"]),
            first=date.fromisoformat(value["first"]),
            last=date.fromisoformat(value["last"]),
            holidays=frozenset(map(date.fromisoformat, value["holidays"])),
            early_closes={
                date.fromisoformat(d): time.fromisoformat(t) for d, t in value["early_closes"].items()
            },
        )

    def is_session(self, day: date) -> bool:
        """Whether the exchange opens on this day. Raises NotCovered outside the calendar's years."""
        if not self.first <= day <= self.last:
            raise NotCovered(self.name, day, self.first, self.last)
        return day.weekday() < _SATURDAY and day not in self.holidays

    def early_close(self, day: date) -> bool:
        """Whether the session of this day is a shortened one."""
        return self.is_session(day) and day in self.early_closes

    def opens(self, day: date) -> datetime:
        """When the session of this day begins. Raises NoSession."""
        return self.at(self._session(day), self.open)

    def closes(self, day: date) -> datetime:
        """When the session of this day ends. Raises NoSession."""
        return self.at(self._session(day), self.early_closes.get(day, self.close))

    def next_session(self, after: date, count: int = 1) -> date:
        """The session that is `count` sessions after a day, which itself need not be one."""
        day = after
        for _ in range(count):
            day += _DAY
            while not self.is_session(day):
                day += _DAY
        return day

    def session_on_or_after(self, day: date) -> date:
        """This day where it is a session, else the next one."""
        return day if self.is_session(day) else self.next_session(day)

    def today(self, now: datetime) -> date:
        """The exchange's date of an instant."""
        return now.astimezone(self.zone).date()

    def session_of(self, now: datetime) -> date:
        """The session that an instant belongs to: today's until midnight, and on other days the next one."""
        return self.session_on_or_after(self.today(now))

    def is_open(self, now: datetime) -> bool:
        """Whether the exchange trades at this instant: from the open on, and no more at the close."""
        day = self.today(now)
        return self.is_session(day) and self.opens(day) <= now < self.closes(day)

    def at(self, day: date, clock: time) -> datetime:
        """A clock time of the exchange on a day, as an instant."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def _session(self, day: date) -> date:
        if not self.is_session(day):
            raise NoSession(self.name, day)
        return day


@cache
def _load(name: str) -> Calendar:
    calendars = json.loads(_DATA.read_text(encoding="utf-8"))
    if name not in calendars:
        raise ValueError(f"there is no calendar {name!r}; there is {', '.join(sorted(calendars))}")
    return Calendar.from_value(name, calendars[name])
