"""session.get."""

from datetime import UTC, date, datetime

import pytest

from mesoflow.expressions.unknown import Unknown
from tests.support.acting import NOW, act, context, foretell


def test_today() -> None:
    assert act("session.get").outputs == {
        "now": NOW,
        "date": date(2025, 1, 16),
        "weekday": "thu",
        "is_session": True,
        "is_open": True,
        "early_close": False,
        "opens": datetime(2025, 1, 16, 14, 30, tzinfo=UTC),
        "closes": datetime(2025, 1, 16, 21, 15, tzinfo=UTC),
        "next_date": date(2025, 1, 17),
    }


def test_the_next_session_is_not_open_yet() -> None:
    outputs = act("session.get", {"day": "next"}).outputs
    assert (outputs["date"], outputs["is_session"], outputs["is_open"]) == (date(2025, 1, 17), True, False)


@pytest.mark.parametrize("day", ["2025-01-20", date(2025, 1, 20)])
def test_a_holiday_has_no_open(day: str | date) -> None:
    outputs = act("session.get", {"day": day}).outputs
    assert (outputs["is_session"], outputs["opens"], outputs["closes"]) == (False, None, None)
    assert outputs["next_date"] == date(2025, 1, 21)


def test_an_early_close() -> None:
    outputs = act("session.get", {"day": "2025-11-28"}).outputs
    assert (outputs["early_close"], outputs["closes"]) == (True, datetime(2025, 11, 28, 18, 15, tzinfo=UTC))


@pytest.mark.parametrize("day", ["tomorrow", "2025-13-01", "2090-01-01"])
def test_what_is_no_day(day: str) -> None:
    assert act("session.get", {"day": day}).code == "bad_value"


def test_another_calendar_is_not_known() -> None:
    assert act("session.get", ctx=context(session="mars")).code == "bad_value"


def test_a_preview_has_the_calendar_and_not_the_clock() -> None:
    told = foretell("session.get", {"day": "next"}).outputs
    assert told["date"] == date(2025, 1, 17)
    assert told["now"] == Unknown("instant", 'step "step"')
    assert foretell("session.get", {"day": Unknown("date")}).outputs["date"] == Unknown("date", 'step "step"')
