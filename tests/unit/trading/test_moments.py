from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.moments import Moment
from mesoflow.trading.sessions import Calendar, NoSession, NotCovered

CALENDAR = Calendar.from_value(
    "small",
    {
        "timezone": "America/New_York",
        "open": "09:30",
        "close": "16:15",
        "first": "2025-01-02",
        "last": "2025-12-31",
        "holidays": ["2025-01-20", "2025-07-04", "2025-11-27", "2025-12-25"],
        "early_closes": {"2025-11-28": "13:15", "2025-12-24": "13:15"},
    },
)


def ny(text: str) -> datetime:
    """An instant, written as exchange time."""
    return datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone).astimezone(UTC)


FRIDAY = ny("2025-01-17T10:00")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("15:45", "2025-01-17T15:45"),
        ("today 15:45", "2025-01-17T15:45"),
        ("09:00", "2025-01-17T09:00"),
        ("open", "2025-01-17T09:30"),
        ("close", "2025-01-17T16:15"),
        ("open + 15m", "2025-01-17T09:45"),
        ("open+15m", "2025-01-17T09:45"),
        ("close - 2h", "2025-01-17T14:15"),
        ("next open + 15m", "2025-01-21T09:45"),
        ("next 15:45", "2025-01-21T15:45"),
        ("+1 session 15:45", "2025-01-21T15:45"),
        ("+5 sessions close - 30m", "2025-01-27T15:45"),
        ("fri 15:45", "2025-01-17T15:45"),
        ("mon 15:45", "2025-01-21T15:45"),
        ("wed open", "2025-01-22T09:30"),
        ("2025-01-21 15:45", "2025-01-21T15:45"),
        ("2025-01-20 15:45", "2025-01-20T15:45"),
        ("2025-11-28 close - 30m", "2025-11-28T12:45"),
        ("2025-07-03 open", "2025-07-03T09:30"),
    ],
)
def test_a_moment_is_a_day_and_a_time_of_the_exchange(written: str, expected: str) -> None:
    assert Moment.parse(written).resolve(CALENDAR, FRIDAY) == ny(expected)


@pytest.mark.parametrize(
    "written",
    ["", "tomorrow", "25:00", "9:30", "15.45", "open + 1d", "open 15m", "sat 15:45", "fri", "next", "+0 sessions open",
     "+999 sessions open", "2025-02-30 open", "open + ", "15:45 UTC", 945, None],
)  # fmt: skip
def test_what_is_no_moment_is_told_what_one_looks_like(written: object) -> None:
    with pytest.raises(ValueError) as refused:
        Moment.parse(written)
    assert repr(written) in str(refused.value)
    assert "open + 15m" in str(refused.value) or "sessions are counted" in str(refused.value)


def test_clock_times_follow_the_summer_time_of_new_york() -> None:
    before, after = ny("2025-03-07T12:00"), ny("2025-03-10T12:00")
    moment = Moment.parse("15:45")
    assert moment.resolve(CALENDAR, before) == datetime(2025, 3, 7, 20, 45, tzinfo=UTC)
    assert moment.resolve(CALENDAR, after) == datetime(2025, 3, 10, 19, 45, tzinfo=UTC)


def test_an_open_of_a_day_without_one_is_no_session() -> None:
    with pytest.raises(NoSession):
        Moment.parse("open + 15m").resolve(CALENDAR, ny("2025-01-18T12:00"))
    with pytest.raises(NoSession):
        Moment.parse("2025-12-25 close - 30m").resolve(CALENDAR, FRIDAY)


def test_beyond_the_calendar_is_said() -> None:
    with pytest.raises(NotCovered):
        Moment.parse("next open").resolve(CALENDAR, ny("2025-12-31T12:00"))


@pytest.mark.parametrize(
    ("written", "at", "now", "moved"),
    [
        # Open: it stands, on time or a little late.
        ("15:45", "2025-01-17T15:45", "2025-01-17T15:45", None),
        ("15:45", "2025-01-17T15:45", "2025-01-17T15:49", None),
        # A Saturday, a holiday, an early close: the same TIME of the next session.
        ("15:45", "2025-01-18T15:45", "2025-01-18T15:45", "2025-01-21T15:45"),
        ("2025-12-25 15:45", "2025-12-25T15:45", "2025-12-25T15:45", "2025-12-26T15:45"),
        ("15:45", "2025-11-28T15:45", "2025-11-28T15:45", "2025-12-01T15:45"),
        ("open + 5h", "2025-11-28T14:30", "2025-11-28T14:30", "2025-12-01T14:30"),
        # The machine was off: closed now, whatever it was then. Before the open, today's session is the next one.
        ("close - 30m", "2025-01-17T15:45", "2025-01-18T12:00", "2025-01-21T15:45"),
        ("close - 30m", "2025-01-17T15:45", "2025-01-21T08:00", "2025-01-21T15:45"),
        # Always outside the hours: it cannot wait for an open exchange, only for a session.
        ("close", "2025-01-17T16:15", "2025-01-17T16:15", None),
        ("open - 15m", "2025-01-17T09:15", "2025-01-17T09:15", None),
        ("18:00", "2025-01-17T18:00", "2025-01-17T18:00", None),
        ("18:00", "2025-01-18T18:00", "2025-01-18T18:00", "2025-01-21T18:00"),
    ],
)
def test_a_moment_that_has_come_while_the_exchange_is_closed_moves(
    written: str, at: str, now: str, moved: str | None
) -> None:
    expected = None if moved is None else ny(moved)
    assert Moment.parse(written).moved(CALENDAR, ny(at), ny(now)) == expected


@given(
    st.sampled_from(["15:45", "open + 15m", "close - 30m", "open - 15m", "close", "18:00", "08:00"]),
    st.datetimes(datetime(2025, 1, 2), datetime(2025, 12, 1)),
)
def test_moving_ends_after_two_steps_at_most(time: str, now: datetime) -> None:
    """Twice: an early close in between is only seen once it is there."""
    moment, at = Moment.parse(f"next {time}"), now.replace(tzinfo=UTC)
    due, steps = moment.resolve(CALENDAR, at), 0
    while (moved := moment.moved(CALENDAR, due, due)) is not None:
        assert moved > due
        due, steps = moved, steps + 1
    assert steps <= 2
    assert CALENDAR.is_session(CALENDAR.today(due))


@given(st.dates(date(2025, 1, 2), date(2025, 12, 1)), st.integers(1, 10))
def test_sessions_are_counted_one_by_one(day: date, count: int) -> None:
    now = CALENDAR.at(day, CALENDAR.open)
    found = Moment.parse(f"+{count} sessions open").resolve(CALENDAR, now)
    walked = day
    for _ in range(count):
        walked = CALENDAR.next_session(walked)
    assert found == CALENDAR.opens(walked)
