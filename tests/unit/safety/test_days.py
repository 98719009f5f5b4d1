from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.days import Days
from mesoflow.trading.sessions import Calendar

CALENDAR = Calendar.load("cboe-index-options")


@pytest.mark.parametrize(
    ("at", "today", "session", "trades"),
    [
        (datetime(2025, 1, 17, 20, 45, tzinfo=UTC), date(2025, 1, 17), date(2025, 1, 17), True),
        (datetime(2025, 1, 18, 4, 59, tzinfo=UTC), date(2025, 1, 17), date(2025, 1, 17), True),
        (datetime(2025, 1, 18, 5, 0, tzinfo=UTC), date(2025, 1, 18), date(2025, 1, 21), False),
        (datetime(2090, 1, 17, 20, 0, tzinfo=UTC), date(2090, 1, 17), date(2090, 1, 17), False),
    ],
)
def test_the_day_and_the_session_of_an_instant(
    at: datetime, today: date, session: date, trades: bool
) -> None:
    day = Days(CALENDAR).of(at)
    assert (day.today, day.session, day.opens is not None, day.closes is not None) == (
        today,
        session,
        trades,
        trades,
    )
    assert day.begins <= at < day.ends


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=20))
def test_asked_in_any_order_it_says_what_the_calendar_says(hours: list[int]) -> None:
    days, begin = Days(CALENDAR), datetime(2025, 1, 1, tzinfo=UTC)
    for hour in hours:
        at = begin + timedelta(hours=hour)
        assert days.of(at).session == CALENDAR.session_of(at)
