from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.sessions import Calendar, NoSession, NotCovered

CBOE = Calendar.load("cboe-index-options")
SMALL = Calendar.from_value(
    "small",
    {
        "timezone": "America/New_York",
        "open": "09:30",
        "close": "16:15",
        "first": "2025-01-02",
        "last": "2025-12-31",
        "holidays": ["2025-01-20", "2025-11-27"],
        "early_closes": {"2025-11-28": "13:15"},
    },
)


def test_a_session_opens_and_closes_at_exchange_time_in_winter_and_in_summer() -> None:
    assert (CBOE.opens(date(2025, 1, 17)), CBOE.closes(date(2025, 1, 17))) == (
        datetime(2025, 1, 17, 14, 30, tzinfo=UTC),
        datetime(2025, 1, 17, 21, 15, tzinfo=UTC),
    )
    assert CBOE.opens(date(2025, 7, 1)) == datetime(2025, 7, 1, 13, 30, tzinfo=UTC)


def test_an_early_close_is_real() -> None:
    assert SMALL.early_close(date(2025, 11, 28))
    assert SMALL.closes(date(2025, 11, 28)) == datetime(2025, 11, 28, 18, 15, tzinfo=UTC)
    assert not SMALL.early_close(date(2025, 11, 26))


def test_weekends_and_holidays_are_no_sessions() -> None:
    days = [date(2025, 1, day) for day in range(17, 23)]
    assert [SMALL.is_session(day) for day in days] == [True, False, False, False, True, True]
    with pytest.raises(NoSession) as refused:
        SMALL.opens(date(2025, 1, 20))
    assert (
        str(refused.value)
        == "2025-01-20 is no session of small: it has no open and no close; write next instead"
    )


def test_the_next_session_is_found_from_any_day() -> None:
    assert SMALL.next_session(date(2025, 1, 17)) == date(2025, 1, 21)
    assert SMALL.next_session(date(2025, 1, 18)) == date(2025, 1, 21)
    assert SMALL.next_session(date(2025, 1, 17), 5) == date(2025, 1, 27)
    assert SMALL.session_on_or_after(date(2025, 1, 17)) == date(2025, 1, 17)


def test_it_is_open_from_the_open_until_the_close() -> None:
    opens, closes = SMALL.opens(date(2025, 1, 17)), SMALL.closes(date(2025, 1, 17))
    second = timedelta(seconds=1)
    assert [SMALL.is_open(at) for at in (opens - second, opens, closes - second, closes)] == [
        False,
        True,
        True,
        False,
    ]


def test_an_evening_in_new_york_belongs_to_its_own_day() -> None:
    late = datetime(2025, 1, 18, 2, 0, tzinfo=UTC)  # Friday, nine in the evening
    assert SMALL.session_of(late) == date(2025, 1, 17)
    assert SMALL.session_of(datetime(2025, 1, 18, 20, 0, tzinfo=UTC)) == date(2025, 1, 21)


def test_outside_its_years_a_calendar_says_so() -> None:
    with pytest.raises(NotCovered) as refused:
        SMALL.is_session(date(2026, 1, 2))
    assert str(refused.value) == (
        "the calendar small covers 2025-01-02 to 2025-12-31, not 2026-01-02; a newer version of mesoflow has more years"
    )


def test_an_unknown_calendar_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="there is no calendar 'nyse'; there is cboe-index-options"):
        Calendar.load("nyse")


@given(st.dates(date(2024, 1, 2), date(2029, 12, 20)))
def test_a_session_closes_after_it_opens_and_the_next_one_opens_later(day: date) -> None:
    session = CBOE.session_on_or_after(day)
    assert CBOE.opens(session) < CBOE.closes(session) < CBOE.opens(CBOE.next_session(session))
