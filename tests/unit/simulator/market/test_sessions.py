"""The shipped calendar is held against exchange-calendars, and the simulator's reading of it against both."""

from datetime import UTC, date, datetime

import exchange_calendars
import pytest

from mesoflow.simulator.market.sessions import CalendarEnds, calendar
from tests.support import make_sessions

CALENDAR = calendar()


def test_the_file_is_what_its_script_makes() -> None:
    assert make_sessions.FILE.read_text(encoding="utf-8") == make_sessions.text(), (
        "run: python tests/support/make_sessions.py"
    )


def test_every_session_is_the_exchanges() -> None:
    known = exchange_calendars.get_calendar("XNYS", start=make_sessions.FIRST, end=make_sessions.LAST)
    assert [day.date() for day in known.sessions] == CALENDAR.days
    for index, day in enumerate(known.sessions):
        session = CALENDAR.session(index)
        assert session.opens == known.session_open(day).to_pydatetime()
        assert session.stocks_close == known.session_close(day).to_pydatetime()


@pytest.mark.parametrize(
    ("moment", "day", "is_open"),
    [
        ("2025-01-16T14:29:59+00:00", "2025-01-15", False),
        ("2025-01-16T14:30:00+00:00", "2025-01-16", True),
        ("2025-01-16T21:14:59+00:00", "2025-01-16", True),
        ("2025-01-16T21:15:00+00:00", "2025-01-16", False),
        ("2025-01-19T18:00:00+00:00", "2025-01-17", False),  # Sunday before a Monday off
        ("2025-07-03T17:14:59+00:00", "2025-07-03", True),  # early close, in summer time
        ("2025-07-03T17:15:00+00:00", "2025-07-03", False),
        ("2025-03-10T13:30:00+00:00", "2025-03-10", True),  # the first day of summer time
    ],
)
def test_a_moment_belongs_to_the_last_session_that_has_begun(moment: str, day: str, is_open: bool) -> None:
    at = datetime.fromisoformat(moment)
    assert (CALENDAR.begun(at).day.isoformat(), CALENDAR.is_open(at)) == (day, is_open)


def test_the_next_open_skips_weekends_and_holidays() -> None:
    assert CALENDAR.next_open(datetime(2025, 1, 17, 22, tzinfo=UTC)) == datetime(
        2025, 1, 21, 14, 30, tzinfo=UTC
    )


def test_beyond_the_calendar_there_is_nothing() -> None:
    with pytest.raises(CalendarEnds, match="goes from 2024-01-02 to 2029-12-31, not to 2030-01-02"):
        CALENDAR.begun(datetime(2030, 1, 2, 15, tzinfo=UTC))
    with pytest.raises(CalendarEnds):
        CALENDAR.begun(datetime(2023, 12, 29, 15, tzinfo=UTC))
    assert CALENDAR.index_of(date(2025, 1, 18)) is None
