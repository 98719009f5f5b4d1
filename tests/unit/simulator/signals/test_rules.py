"""What signals need of a definition."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from mesoflow.simulator.shared import data
from mesoflow.simulator.signals.rules import read_signal_rules
from mesoflow.simulator.strategies.reading import DefinitionRefused


def document(**entry: Any) -> dict[str, Any]:
    raw: dict[str, Any] = copy.deepcopy(data("strategies/101.json"))
    raw["Entry"] |= entry
    return raw


def test_schedules_gates_and_the_exit_s_conditions() -> None:
    rules = read_signal_rules(data("strategies/103.json"))
    assert rules.entry_schedule is not None and rules.adjustment_schedule is not None
    assert (rules.reentry_days, rules.in_flight_max, rules.shift_days) == (1, 2, 3)
    assert rules.entry_schedule.before_close == timedelta(minutes=30)
    assert (rules.adjustment_schedule.after_open, rules.adjustment_schedule.repeats) == (
        timedelta(minutes=30),
        True,
    )
    assert read_signal_rules(data("strategies/101.json")).exit_conditions == (
        "pos_theta < initial_theta / 4",
    )


def test_what_is_not_there_gates_nothing() -> None:
    rules = read_signal_rules(document(Schedule=None, ReentryDays=None, Concurrency=None))
    assert (rules.entry_schedule, rules.reentry_days, rules.in_flight_max, rules.shift_days) == (
        None,
        None,
        None,
        None,
    )
    assert rules.adjustment_schedule is None


def test_every_fault_is_named() -> None:
    wrong = document(Schedule={}, ReentryDays=-1, Concurrency={"MaxPositionsInFlight": "many"})
    with pytest.raises(DefinitionRefused) as refused:
        read_signal_rules(wrong)
    assert sorted(refused.value.problems) == [
        "Entry.Concurrency.MaxPositionsInFlight",
        "Entry.ReentryDays",
        "Entry.Schedule",
    ]
