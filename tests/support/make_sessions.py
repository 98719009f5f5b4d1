"""Makes mesoflow/data/sessions.json from exchange-calendars, in development: `python tests/support/make_sessions.py`.

The Cboe's index options trade on the days of the New York stock exchanges, from 09:30 to 16:15, and stop at 13:15 where
those stop at 13:00. Hence XNYS: exchange-calendars' XCBF is the futures exchange's and lacks the early closes before
4 July and Christmas. A day closed at short notice (2025-01-09) is a holiday like any other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import exchange_calendars
import pandas

FILE = Path(__file__).parents[2] / "mesoflow" / "data" / "sessions.json"
FIRST, LAST = "2024-01-02", "2029-12-31"
# The options' early close is a quarter of an hour after the stocks'.
EARLY_CLOSE = "13:15"


def cboe_index_options() -> dict[str, Any]:
    """The calendar as the file holds it."""
    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)
    sessions = {day.date() for day in calendar.sessions}
    weekdays = [day.date() for day in pandas.bdate_range(FIRST, LAST)]
    return {
        "timezone": "America/New_York",
        "open": "09:30",
        "close": "16:15",
        "first": FIRST,
        "last": LAST,
        "holidays": [day.isoformat() for day in weekdays if day not in sessions],
        "early_closes": {day.date().isoformat(): EARLY_CLOSE for day in calendar.early_closes},
    }


def text() -> str:
    return json.dumps({"cboe-index-options": cboe_index_options()}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
