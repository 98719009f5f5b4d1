"""Schedules: when in a session something is looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.market.sessions import calendar
from mesoflow.simulator.signals.schedule import WINDOW, Schedule, read_schedule
from mesoflow.simulator.strategies.reading import Reader

# A Thursday from 14:30 to 21:15, and a day that closes at 18:15.
THURSDAY = calendar().begun(datetime(2025, 1, 16, 15, tzinfo=UTC))
EARLY = calendar().begun(datetime(2025, 7, 3, 15, tzinfo=UTC))


def schedule(**raw: Any) -> Schedule:
    reader = Reader()
    found = read_schedule(reader, raw, "S")
    assert found is not None and not reader.problems, reader.problems
    return found


def refused(**raw: Any) -> dict[str, list[str]]:
    reader = Reader()
    read_schedule(reader, raw, "S")
    return reader.problems


def at(hour: int, minute: int) -> datetime:
    return THURSDAY.opens.replace(hour=hour, minute=minute)


def windows(found: Schedule) -> list[tuple[str, str]]:
    """First and last minute of each window of that Thursday."""
    minutes = [THURSDAY.opens + timedelta(minutes=n) for n in range(-5, 420)]
    inside = [moment for moment in minutes if found.includes(moment, THURSDAY)]
    firsts = [moment for moment in inside if moment - timedelta(minutes=1) not in inside]
    lasts = [moment for moment in inside if moment + timedelta(minutes=1) not in inside]
    return [
        (first.strftime("%H:%M"), last.strftime("%H:%M")) for first, last in zip(firsts, lasts, strict=True)
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"AfterMarketOpenMinutes": 30, "Every": "day"}, [("15:00", "15:04")]),
        ({"AfterMarketOpenMinutes": "32", "Every": "thu"}, [("15:00", "15:04")]),
        ({"BeforeMarketCloseMinutes": 30, "AfterMarketOpenMinutes": None}, [("20:45", "20:49")]),
        ({"AfterMarketOpenMinutes": 30, "Every": "5min"}, [("15:00", "21:14")]),
        ({"BeforeMarketCloseMinutes": 15, "Every": "5min"}, [("14:30", "21:04")]),
        ({"BeforeMarketCloseMinutes": 0, "Every": "day"}, []),
        ({"AfterMarketOpenMinutes": 30, "Every": "mon,wed, Friday"}, []),
    ],
)
def test_a_window_is_five_minutes_and_five_minutes_repeat_all_day(
    raw: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert windows(schedule(**raw)) == expected


def test_an_early_close_counts() -> None:
    found = schedule(BeforeMarketCloseMinutes=30)
    begins = EARLY.closes - timedelta(minutes=30)
    assert EARLY.closes - EARLY.opens < THURSDAY.closes - THURSDAY.opens
    assert found.includes(begins, EARLY) and not found.includes(begins - timedelta(seconds=1), EARLY)


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        ({}, {"S": ["exactly one of AfterMarketOpenMinutes and BeforeMarketCloseMinutes is needed"]}),
        (
            {"AfterMarketOpenMinutes": 1, "BeforeMarketCloseMinutes": "2"},
            {"S": ["exactly one of AfterMarketOpenMinutes and BeforeMarketCloseMinutes is needed"]},
        ),
        (
            {"AfterMarketOpenMinutes": 5, "Every": "mon,someday"},
            {"S.Every": ["day, 5min, or weekdays such as mon,wed,fri"]},
        ),
        (
            {"AfterMarketOpenMinutes": "soon", "BeforeMarketCloseMinutes": 5},
            {"S.AfterMarketOpenMinutes": ["a number of zero or more is needed here"]},
        ),
    ],
)
def test_what_is_no_schedule_is_refused(raw: dict[str, Any], problems: dict[str, list[str]]) -> None:
    assert refused(**raw) == problems


def test_none_is_none() -> None:
    assert read_schedule(Reader(), None, "S") is None


@given(
    minutes=st.integers(0, 500), early=st.booleans(), repeats=st.booleans(), look=st.integers(-3600, 30_000)
)
def test_nothing_is_in_time_outside_the_session(minutes: int, early: bool, repeats: bool, look: int) -> None:
    span = timedelta(minutes=minutes)
    found = Schedule(None if early else span, span if early else None, frozenset(range(7)), repeats)
    moment = THURSDAY.opens + timedelta(seconds=look)
    inside = found.includes(moment, THURSDAY)
    assert not inside or THURSDAY.opens <= moment < THURSDAY.closes
    once = Schedule(found.after_open, found.before_close, found.weekdays, repeats=False)
    assert inside >= once.includes(moment, THURSDAY), "what repeats is in time whenever one window is"
    begins = THURSDAY.closes - span if early else THURSDAY.opens + span
    assert not once.includes(moment, THURSDAY) or begins <= moment < begins + WINDOW
