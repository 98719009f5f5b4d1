"""When a contract stops to be one: what has settled is held by nobody any more, whatever was traded of it.

Index options settle in cash: those of the morning at the open of their day, all others with the close of regular trading,
which is a quarter of an hour before the session's (data/symbols.json says which roots are the morning's).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from mesoflow.trading.orders import Contract
from mesoflow.trading.sessions import Calendar, NotCovered

_DATA: Final = Path(__file__).parent.parent / "data" / "symbols.json"
_CALENDAR: Final = "cboe-index-options"
_AFTER_HOURS: Final = timedelta(minutes=15)
_NO_SESSION: Final = timedelta(hours=21)  # 16:00 in New York, in winter


def settles_at(contract: Contract) -> datetime:
    """The instant from which nothing of it is held; where the calendar does not know the day, the afternoon's."""
    calendar, day = Calendar.load(_CALENDAR), contract.expiration
    try:
        if not calendar.is_session(day):
            return datetime(day.year, day.month, day.day, tzinfo=UTC) + _NO_SESSION
        return calendar.opens(day) if _in_the_morning(contract) else calendar.closes(day) - _AFTER_HOURS
    except NotCovered:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + _NO_SESSION


def _in_the_morning(contract: Contract) -> bool:
    root = _symbols().get(contract.underlying, {}).get("roots", {}).get(contract.root, {})
    return bool(root.get("settlement") == "am")


@cache
def _symbols() -> dict[str, Any]:
    symbols: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return symbols
