"""When the exchange is open: the simulator's own reading of data/sessions.json. The client has its own, on purpose."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from mesoflow.simulator.shared import data

# An expiring PM series and the stocks beneath it close this much before the options.
STOCKS_CLOSE_EARLIER = timedelta(minutes=15)


class CalendarEnds(Exception):
    """A time that the calendar does not cover."""

    def __init__(self, moment: datetime | date, first: date, last: date) -> None:
        super().__init__(moment)
        self.moment, self.first, self.last = moment, first, last

    def __str__(self) -> str:
        return f"the simulator's calendar goes from {self.first} to {self.last}, not to {self.moment}"


@dataclass(frozen=True, slots=True)
class Session:
    """One day of trade. `index` counts sessions from the calendar's first."""

    index: int
    day: date
    opens: datetime
    closes: datetime

    @property
    def stocks_close(self) -> datetime:
        return self.closes - STOCKS_CLOSE_EARLIER


class Calendar:
    """The sessions of one exchange. Times come and go aware, in UTC."""

    def __init__(self, name: str) -> None:
        table = data("sessions.json")[name]
        self.zone = ZoneInfo(table["timezone"])
        self.first = date.fromisoformat(table["first"])
        self.last = date.fromisoformat(table["last"])
        self._open = time.fromisoformat(table["open"])
        self._close = time.fromisoformat(table["close"])
        self._early = {
            date.fromisoformat(day): time.fromisoformat(at) for day, at in table["early_closes"].items()
        }
        holidays = set(map(date.fromisoformat, table["holidays"]))
        weekdays = (
            day
            for offset in range((self.last - self.first).days + 1)
            if (day := self.first + timedelta(days=offset)).weekday() < 5
        )
        self.days = [day for day in weekdays if day not in holidays]
        self.session = lru_cache(maxsize=512)(self._session)

    def _session(self, index: int) -> Session:
        if not 0 <= index < len(self.days):
            raise CalendarEnds(self.last if index > 0 else self.first, self.first, self.last)
        day = self.days[index]
        close = self._early.get(day, self._close)
        return Session(index, day, self._utc(day, self._open), self._utc(day, close))

    def _utc(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    def local_date(self, moment: datetime) -> date:
        """The exchange's date."""
        return moment.astimezone(self.zone).date()

    def index_of(self, day: date) -> int | None:
        """The session of that day; None when there is none."""
        index = bisect_left(self.days, day)
        return index if index < len(self.days) and self.days[index] == day else None

    def begun(self, moment: datetime) -> Session:
        """The last session that has opened by then, open or over."""
        day = self.local_date(moment)
        index = bisect_right(self.days, day) - 1
        if index >= 0 and day <= self.last and moment < self.session(index).opens:
            index -= 1
        if index < 0 or day > self.last:
            raise CalendarEnds(moment, self.first, self.last)
        return self.session(index)

    def is_open(self, moment: datetime) -> bool:
        return moment < self.begun(moment).closes

    def next_open(self, moment: datetime) -> datetime:
        """When the next session after the begun one opens."""
        return self.session(self.begun(moment).index + 1).opens

    def before(self, day: date) -> Session:
        """The last session of an earlier day."""
        return self.session(bisect_left(self.days, day) - 1)


@cache
def calendar(name: str = "cboe-index-options") -> Calendar:
    """One of each, for all worlds: a calendar is data and never changes."""
    return Calendar(name)
