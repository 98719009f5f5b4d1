from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.counted import DayCounts, Minute, PlaybookRuns

NOW = datetime(2025, 1, 17, 20, 45, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@given(st.lists(st.integers(0, 120), max_size=30), st.integers(0, 60))
def test_a_minute_counts_what_is_less_than_a_minute_old(ago: list[int], later: int) -> None:
    """In whatever order it is told: other runs are told of later."""
    minute = Minute()
    for seconds in ago:
        minute.add(NOW - seconds * SECOND)
    assert minute.count(NOW + later * SECOND) == sum(seconds + later < 60 for seconds in ago)


@given(st.lists(st.integers(0, 59), min_size=1, max_size=30), st.integers(1, 30))
def test_there_is_room_when_enough_of_them_are_a_minute_old(ago: list[int], limit: int) -> None:
    minute = Minute()
    for seconds in ago:
        minute.add(NOW - seconds * SECOND)
    if minute.count(NOW) >= limit:
        room = minute.room_at(limit)
        assert minute.count(room - SECOND) >= limit
        assert minute.count(room) < limit


def test_a_clock_that_went_backwards_counts_what_is_ahead() -> None:
    minute = Minute()
    minute.add(NOW + timedelta(hours=1))
    assert minute.count(NOW) == 1


def test_two_days_are_kept() -> None:
    days = DayCounts()
    for day in (15, 16, 17):
        days.of(date(2025, 1, day)).messages += day
        days.of(date(2025, 1, day)).contracts["PAPER-1"] = D(day)
    assert days.of(date(2025, 1, 17)).messages == 17
    assert days.of(date(2025, 1, 16)).contracts == {"PAPER-1": D(16)}
    assert days.of(date(2025, 1, 15)).messages == 0


def test_runs_of_a_playbook_count_until_somebody_releases_it() -> None:
    runs, session = PlaybookRuns(), date(2025, 1, 17)
    assert [runs.began("condor", session) for _ in range(3)] == [1, 2, 3]
    assert runs.began("strangle", session) == 1
    assert runs.began("condor", date(2025, 1, 16)) == 1
    runs.released("condor")
    assert (runs.count("condor", session), runs.count("strangle", session)) == (0, 1)
