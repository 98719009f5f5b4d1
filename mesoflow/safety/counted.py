"""What the ledger counts by time and by day: messages, contracts, errors, runs. Each count is kept, none is worked out anew."""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
# Yesterday's numbers matter to nobody; an order that is sent at midnight may still be told of.
_DAYS_KEPT: Final = 2


class Minute:
    """The instants of the last minute's messages, in order."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: deque[datetime] = deque()

    def add(self, at: datetime) -> None:
        """Another one. Another run's may be told after ours."""
        if self._times and at < self._times[-1]:
            ordered = list(self._times)
            insort(ordered, at)
            self._times = deque(ordered)
        else:
            self._times.append(at)

    def count(self, now: datetime) -> int:
        """How many are less than a minute old; those of a later time count too."""
        times, since = self._times, now - _MINUTE
        while times and times[0] <= since:
            times.popleft()
        return len(times)

    def room_at(self, limit: int) -> datetime:
        """When fewer than `limit` will be left; only where there are as many."""
        return self._times[len(self._times) - limit] + _MINUTE


@dataclass(slots=True)
class DayCount:
    """One session day. `contracts` by account."""

    messages: int = 0
    errors: int = 0
    contracts: dict[str, Decimal] = field(default_factory=dict)


class DayCounts:
    """The newest days."""

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[date, DayCount] = {}

    def of(self, day: date) -> DayCount:
        """The counts of a day, from 0 on."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = DayCount()
            while len(self._days) > _DAYS_KEPT:
                del self._days[min(self._days)]
        return found


class PlaybookRuns:
    """How many runs of a playbook began in a session, since somebody has released it (C11)."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[str, date], int] = {}

    def began(self, playbook: str, session: date) -> int:
        """Another one: its number."""
        key = (playbook, session)
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key]

    def released(self, playbook: str) -> None:
        """A person lets it run again: counted from 0 on."""
        for key in [key for key in self._counts if key[0] == playbook]:
            del self._counts[key]

    def count(self, playbook: str, session: date) -> int:
        """How many there were."""
        return self._counts.get((playbook, session), 0)
