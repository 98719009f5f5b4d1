"""The namespace `timing` at moments of the exchange's calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mesoflow.simulator.market.sessions import calendar
from mesoflow.simulator.strategies.timing import FIELDS, timing

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> dict[str, float]:
    """Values at a New York time, without the namespace."""
    moment = datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)
    return {name.removeprefix("timing."): value for name, value in timing(calendar(), moment).items()}


@pytest.mark.parametrize(
    ("moment", "fields"),
    [
        ("2025-01-16T10:02", (4, 2025, 1, 16, 30, 370)),
        ("2025-01-16T10:04:59", (4, 2025, 1, 16, 30, 370)),
        ("2025-01-16T16:15", (4, 2025, 1, 16, 405, 0)),
        ("2025-07-03T13:00", (4, 2025, 7, 3, 210, 15)),  # an early close, a quarter past one
        ("2025-01-18T12:00", (6, 2025, 1, 18, 405, 0)),  # a Saturday
        ("2025-01-19T12:00", (0, 2025, 1, 19, 405, 0)),
    ],
)
def test_the_clock_is_the_exchanges_in_steps_of_five_minutes(moment: str, fields: tuple[int, ...]) -> None:
    assert tuple(at(moment)[name] for name in FIELDS) == fields


def test_sessions_count_down_with_the_part_of_the_one_that_runs() -> None:
    """The last session of January 2025 is Friday, the 31st."""
    names = ("trading_days_until next_month", "trading_days_until next_month first")
    for name in names:
        assert at("2025-01-31T09:30")[name] == 1.0
        assert at("2025-01-30T09:30")[name] == 2.0
        assert at("2025-01-31T16:15")[name] == 0.0
        assert 0 < at("2025-01-31T15:45")[name] < 0.1
    assert at("2025-01-31T12:00")["calendar_days_until next_month"] == 2.5, "Monday's midnight"


def test_the_monthly_expiration_is_a_third_friday_or_the_session_before() -> None:
    before, on, after = (at(f"2025-01-{day}T12:00") for day in (16, 17, 21))
    name = "trading_days_until monthly_opex"
    assert 0.6 < before[name] < 0.7 and on[name] == 0.0 and after[name] > 20
    assert on["trading_days_after monthly_opex"] < 1 < after["trading_days_after monthly_opex"] < 2
    assert before["calendar_days_after monthly_opex"] == 27.5, "the twentieth of December"
    assert before["calendar_days_in monthly_opex"] == 28
    # Good Friday 2025 is a third Friday.
    assert at("2025-04-17T10:00")[name] == 0.0
    assert at("2025-04-16T12:00")["calendar_days_until monthly_opex"] == 0.5


def test_periods_have_their_lengths() -> None:
    now = at("2025-01-16T10:00")
    assert (now["trading_days_in next_month"], now["calendar_days_in next_month"]) == (19, 28)
    assert now["trading_days_in monthly_opex"] == 17, "from 20 December: three holidays"


def test_nothing_is_after_next_month_and_nothing_else_is_known() -> None:
    assert sorted(at("2025-01-16T10:00")) == sorted(
        [
            *FIELDS,
            *(
                f"{unit}_days_{what} next_month{boundary}"
                for unit in ("calendar", "trading")
                for what in ("until", "in")
                for boundary in ("", " first")
            ),
            *(
                f"{unit}_days_{what} monthly_opex"
                for unit in ("calendar", "trading")
                for what in ("until", "after", "in")
            ),
        ]
    )


def test_at_its_ends_the_calendar_still_answers() -> None:
    for moment in ("2024-01-02T10:00", "2029-12-31T10:00"):
        assert all(value >= 0 for value in at(moment).values())
