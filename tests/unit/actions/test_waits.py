"""wait.for and wait.until: resolved once, journalled, too late, moved."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from mesoflow.engine.effects import Note, Sleep
from mesoflow.expressions.unknown import Unknown
from tests.support.acting import NOW, act, context, foretell

CLOSE_LESS_30M = datetime(2025, 1, 16, 20, 45, tzinfo=UTC)


def test_a_time_passes() -> None:
    acted = act("wait.for", {"duration": "30s"})
    assert acted.effects == [Sleep("wait", NOW + timedelta(seconds=30))]
    assert acted.outputs == {"ended_at": NOW + timedelta(seconds=30)}


def test_a_moment_is_journalled_and_slept_for() -> None:
    acted = act("wait.until", {"at": "close - 30m"})
    assert acted.effects == [Note("at", CLOSE_LESS_30M), Sleep("sleep", CLOSE_LESS_30M)]
    assert acted.outputs == {"at": CLOSE_LESS_30M, "late": Decimal(0), "moved": False}


def test_a_moment_just_past_is_still_in_time() -> None:
    acted = act("wait.until", {"at": "09:55"})
    assert acted.asked == ["at: Note"]
    assert acted.outputs["late"] == Decimal(300)


def test_a_moment_too_long_past_is_missed() -> None:
    acted = act("wait.until", {"at": "09:54"})
    assert str(acted.error) == "window_missed: 09:54 was 360 s ago, more than the grace of 300 s"


def test_unlimited_grace_is_never_too_late() -> None:
    assert act("wait.until", {"at": "09:30", "grace": "unlimited"}).outputs["late"] == Decimal(1800)


def test_a_closed_exchange_moves_the_moment() -> None:
    # Resumed in the evening: 15:45 of the next session, which is Friday.
    evening = context(now=datetime(2025, 1, 16, 23, 0, tzinfo=UTC))
    acted = act("wait.until", {"at": "15:45", "grace": "unlimited"}, ctx=evening)
    friday = datetime(2025, 1, 17, 20, 45, tzinfo=UTC)
    assert acted.effects == [
        Note("at", CLOSE_LESS_30M),
        Note("at/moved-1", friday),
        Sleep("sleep/moved-1", friday),
    ]
    assert acted.outputs == {"at": friday, "late": Decimal(0), "moved": True}


@pytest.mark.parametrize("at", ["2025-01-20 open", "2031-01-02 open"])
def test_a_day_without_a_session(at: str) -> None:
    acted = act("wait.until", {"at": at})
    assert (acted.asked, acted.code) == ([], "no_session")


def test_another_session_is_not_known() -> None:
    assert act("wait.until", {"at": "open"}, ctx=context(session="mars")).code == "bad_value"


def test_forecasts_show_what_they_can() -> None:
    assert foretell("wait.until", {"at": "close - 30m"}).outputs["at"] == CLOSE_LESS_30M
    unknown = foretell("wait.until", {"at": Unknown("moment")})
    assert unknown.asked == ["sleep: Sleep"]
    assert unknown.outputs["at"] == Unknown("instant", 'step "step"')
    assert foretell("wait.for", {"duration": Unknown("duration")}).outputs == {
        "ended_at": Unknown("instant", 'step "step"')
    }
