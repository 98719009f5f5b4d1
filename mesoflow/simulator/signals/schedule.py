"""A definition's schedule: on which days, and when in the session, something is looked at.

Exactly one of two fields says when: minutes after the open, or before the close, rounded to five; early closes count. A day's
window is open for five minutes. With `5min` there are windows all day: from that minute on, or until it. What `5min` means
for the two fields is inferred from samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mesoflow.simulator.market.sessions import Session
from mesoflow.simulator.strategies.reading import Reader

WINDOW = timedelta(minutes=5)
_STEP = 5
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AFTER, _BEFORE = "AfterMarketOpenMinutes", "BeforeMarketCloseMinutes"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`after_open` or `before_close` is set; `weekdays` counts from Monday; `repeats`: every five minutes."""

    after_open: timedelta | None
    before_close: timedelta | None
    weekdays: frozenset[int]
    repeats: bool

    def includes(self, moment: datetime, session: Session) -> bool:
        """Whether a moment is inside a window of the session that has begun last."""
        if not session.opens <= moment < session.closes or session.day.weekday() not in self.weekdays:
            return False
        if self.after_open is not None:
            begins = session.opens + self.after_open
            return begins <= moment and (self.repeats or moment < begins + WINDOW)
        begins = session.closes - (self.before_close or timedelta(0))
        return moment < begins + WINDOW and (self.repeats or begins <= moment)


def read_schedule(reader: Reader, raw: object, path: str) -> Schedule | None:
    """None where there is none: then any time is right."""
    if raw is None:
        return None
    found = reader.mapping(raw, path)
    after, before = (_minutes(reader, found.get(name), f"{path}.{name}") for name in (_AFTER, _BEFORE))
    if (after is None) == (before is None):
        reader.wrong(path, f"exactly one of {_AFTER} and {_BEFORE} is needed")
    weekdays, repeats = _every(reader, found, path)
    return Schedule(after, before, weekdays, repeats)


def _minutes(reader: Reader, raw: object, path: str) -> timedelta | None:
    number = read_number(reader, raw, path)
    return None if number is None else timedelta(minutes=round(number / _STEP) * _STEP)


def read_number(reader: Reader, raw: object, path: str) -> float | None:
    """A number of zero or more, which may be written as text; blank text counts as none."""
    text = reader.optional(raw, path)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 100_000:
        reader.wrong(path, "a number of zero or more is needed here")
        return None
    return number


def _every(reader: Reader, schedule: Mapping[str, Any], path: str) -> tuple[frozenset[int], bool]:
    """Weekdays, and whether it is every five minutes of them."""
    text = str(schedule.get("Every") or "day").strip().lower()
    if text in ("day", "5min"):
        return frozenset(range(len(_WEEKDAYS))), text == "5min"
    names = [name.strip()[:3] for name in text.split(",")]
    if not all(name in _WEEKDAYS for name in names):
        reader.wrong(f"{path}.Every", "day, 5min, or weekdays such as mon,wed,fri")
        return frozenset(), False
    return frozenset(map(_WEEKDAYS.index, names)), False
