"""Lesson Lean #9292: an entry right at the close. The calendar knows early closes and holidays; outside its years nothing opens."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.safety.making import closing, judged, order, with_facts


def codes(at: datetime, kind: str = "entry", **risk: object) -> list[str]:
    made = closing() if kind == "exit" else order(kind=kind)
    made = with_facts(made, as_of=at - timedelta(milliseconds=200))
    return [line.code for line in judged(made, now=at, **risk).refusals if line.control == "C13"]


def new_york(day: str, clock: str) -> datetime:
    """In winter, five hours behind."""
    return datetime.fromisoformat(f"{day}T{clock}+00:00").astimezone(UTC) + timedelta(hours=5)


@pytest.mark.parametrize(
    ("day", "clock", "refused"),
    [
        ("2025-01-17", "09:30:59", True),
        ("2025-01-17", "09:31:00", False),
        ("2025-01-17", "16:09:59", False),
        ("2025-01-17", "16:10:00", True),
        ("2025-01-17", "20:00:00", True),
        ("2025-01-18", "11:00:00", True),  # a Saturday
        ("2025-01-20", "11:00:00", True),  # a holiday
        ("2024-12-24", "13:09:59", False),  # an early close at 13:15
        ("2024-12-24", "13:10:00", True),
        ("2090-01-17", "11:00:00", True),  # years after the calendar
    ],
)
def test_entries_leave_inside_the_session_only(day: str, clock: str, refused: bool) -> None:
    at = new_york(day, clock)
    assert codes(at) == (["session_window"] if refused else [])
    assert codes(at, "adjustment") == codes(at)
    assert codes(at, "exit") == []


def test_a_playbook_may_be_stricter() -> None:
    at = new_york("2025-01-17", "09:34:00")
    assert codes(at, session_window={"after_open": "5m"}) == ["session_window"]
    assert codes(at, session_window={"before_close": "1h"}) == []
    assert codes(new_york("2025-01-18", "11:00:00"), session_window="unlimited") == []


def test_dates_that_somebody_has_struck_out() -> None:
    at = new_york("2025-01-17", "11:00:00")
    assert codes(at, no_trade_dates=["2025-01-17"]) == ["no_trade_date"]
    assert codes(at, no_trade_dates=["2025-01-16"]) == []
    assert codes(at, "exit", no_trade_dates=["2025-01-17"]) == []
