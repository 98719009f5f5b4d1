"""The table of exit codes."""

import pytest

from mesoflow.cli.exits import exit_of


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        ("done", "", 0),
        ("skipped", "", 0),
        ("failed", "", 1),
        ("cancelled", "", 6),
        ("superseded", "", 0),
        ("parked", "outcome_unknown", 4),
        ("parked", "legs_differ", 4),
        ("parked", "late_fill", 4),
        ("parked", "clock_lost", 4),
        ("parked", "account_not_found", 4),
        ("parked", "approval", 5),
        ("parked", "halted", 7),
        ("parked", "hub_unavailable", 8),
        ("parked", "agent_offline", 8),
        ("parked", "no_quote", 8),
        ("parked", "lock_lost", 9),
        ("parked", "interrupted", 130),
    ],
)
def test_how_a_run_stands_decides_the_code(state, reason, code):
    assert exit_of(state, reason) == code


def test_skipped_has_a_code_of_its_own_only_when_asked_for():
    assert exit_of("skipped", detailed=True) == 10
    assert exit_of("done", detailed=True) == 0


def test_a_state_that_nobody_knows_is_a_bug():
    with pytest.raises(KeyError):
        exit_of("frobnicated")
