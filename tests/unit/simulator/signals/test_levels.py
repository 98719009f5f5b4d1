"""Levels: what is on at one moment, and why."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.hubs.models.enums import ConditionType
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.shared import data
from mesoflow.simulator.signals.levels import (
    Found,
    Trouble,
    adjustment_levels,
    entry_level,
    evaluation,
    exit_level,
    words_of,
)
from mesoflow.simulator.signals.rules import read_signal_rules
from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.lua import Lua
from mesoflow.simulator.strategies.selection import Circumstances, Evaluated, Impossible, Selection

MARKET, LUA = Market(7), Lua(7)
NOON = datetime(2025, 1, 16, 17, 0, tzinfo=UTC)
SESSION = MARKET.calendar.begun(NOON)
IN_TIME = SESSION.closes - timedelta(minutes=28)


def document(**parts: Any) -> dict[str, Any]:
    """The strangle, with parts of Entry, Exit or ConditionalAdjustments replaced."""
    raw: dict[str, Any] = copy.deepcopy(data("strategies/103.json"))
    raw["Entry"] |= parts.get("entry", {})
    raw["Exit"] |= parts.get("leave", {})
    if "adjustments" in parts:
        raw["Adjustment"]["ConditionalAdjustments"] = parts["adjustments"]
    return raw


def chosen(**names: float | None) -> Selection:
    around = Circumstances(SESSION.day, names, frozenset(), True)
    return Selection("SPX", MARKET.at(NOON), around, LUA)


# --- entries -------------------------------------------------------------------------------------------------------


def enter(
    *judged: Evaluated, conditions: list[str], at: datetime = IN_TIME, gate: bool = True
) -> tuple[bool, bool, int]:
    """Whether it is on, whether it is in time, and how often somebody asked for conditions."""
    asked: list[int] = []

    def ask() -> tuple[Evaluated, ...]:
        asked.append(1)
        return judged

    raw = document(entry={"Conditions": conditions})
    found = entry_level(read_definition(raw), read_signal_rules(raw), at, SESSION, lambda: gate, ask)
    (level,) = found.levels
    return level.on, level.time_ok, len(asked)


def test_an_entry_needs_its_time_its_gate_and_one_true_condition() -> None:
    no, yes = Evaluated("a", False), Evaluated("b", True)
    assert enter(conditions=[]) == (True, True, 0), "no condition: always"
    assert enter(no, yes, conditions=["a", "b"]) == (True, True, 1)
    assert enter(no, conditions=["a"]) == (False, True, 1)
    assert enter(yes, conditions=["b"], at=NOON) == (False, False, 0)
    assert enter(yes, conditions=["b"], gate=False) == (False, True, 0)
    assert enter(conditions=[], gate=False) == (False, True, 0)


def test_an_entry_that_cannot_be_judged_is_trouble_and_not_on() -> None:
    raw = document(entry={"Conditions": ["a", "b"]})

    def impossible() -> tuple[Evaluated, ...]:
        raise Impossible("nothing is listed")

    def judge(conditions: Any) -> Found:
        rules = read_signal_rules(raw)
        return entry_level(read_definition(raw), rules, IN_TIME, SESSION, lambda: True, conditions)

    assert judge(impossible).troubles == (Trouble(ConditionType.ENTRY, "nothing is listed"),)
    assert not judge(impossible).levels[0].on
    partly = judge(lambda: (Evaluated("a", None, "there is no 'a' here"), Evaluated("b", True)))
    assert partly.troubles == (Trouble(ConditionType.ENTRY, "there is no 'a' here", "a"),)
    assert partly.levels[0].on
    assert partly.levels[0].fields() == {
        "entry_signal_result": {
            "entry_time_ok": True,
            "entry_conditions": [
                {"condition": "a", "result": None, "error": "there is no 'a' here", "values": None},
                {"condition": "b", "result": True, "error": None, "values": None},
            ],
        }
    }


# --- exits ---------------------------------------------------------------------------------------------------------


def leave(
    names: Mapping[str, float | None], conditions: list[str] | None = None
) -> tuple[bool, dict[str, bool]]:
    """Whether it is on, and what the rules that are set came to."""
    rules = read_signal_rules(document(leave={"Conditions": conditions or []}))
    (level,) = exit_level(rules, NOON, SESSION, chosen(**names)).levels
    told = level.fields()["exit_signal_result"]
    judged = {name: one["result"] for name, one in told.items() if isinstance(one, dict)}
    return level.on, judged | {one["condition"]: one["result"] for one in told["conditions"]}


POSITION = {"pos_pnl": 50.0, "days_in_trade": 3.0}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, (False, {})),
        ({"profit_target": 50.0}, (True, {"profit_target": True})),
        ({"profit_target": 50.1}, (False, {"profit_target": False})),
        ({"pos_pnl": -99.0, "stop_loss": 100.0}, (False, {"stop_loss": False})),
        ({"pos_pnl": -100.0, "stop_loss": 100.0}, (True, {"stop_loss": True})),
        ({"pos_pnl": -100.0, "stop_loss": -100.0}, (True, {"stop_loss": True})),
        ({"max_days_in_trade": 3.0}, (True, {"max_days_in_trade": True})),
        ({"max_days_in_trade": 4.0, "profit_target": None}, (False, {"max_days_in_trade": False})),
    ],
)
def test_an_exit_s_own_rules(names: dict[str, float | None], expected: tuple[bool, dict[str, bool]]) -> None:
    assert leave(POSITION | names) == expected


def test_any_condition_of_an_exit_is_enough_and_its_schedule_is_only_told() -> None:
    assert leave(POSITION, ["pos_pnl > 60", "pos_pnl > 40"]) == (
        True,
        {"pos_pnl > 60": False, "pos_pnl > 40": True},
    )
    rules = read_signal_rules(document(leave={"Conditions": ["true"]}))
    (level,) = exit_level(rules, NOON, SESSION, chosen(**POSITION)).levels
    assert (level.on, level.time_ok) == (True, False)


# --- adjustments ---------------------------------------------------------------------------------------------------

UPDATE = {"UpdateVarsAdjustment": {"VarDefines": {"moves": "1"}}}
REMOVE = {"RemoveLegsAdjustment": {"LegNames": ["short_call"]}}


def adjust(adjustments: dict[str, Any], held: set[str], **names: float) -> dict[str, bool]:
    raw = document(adjustments=adjustments)
    found = adjustment_levels(
        read_definition(raw), read_signal_rules(raw), NOON, SESSION, chosen(**names), held
    )
    assert found.troubles == ()
    return {level.condition: level.on for level in found.levels}


def test_each_key_is_a_signal_of_its_own_in_alphabetical_order() -> None:
    found = adjust({"x > 2 -- b": UPDATE, "x > 1": UPDATE}, set(), x=2.0)
    assert list(found.items()) == [("x > 1", True), ("x > 2 -- b", False)]


def test_an_adjustment_of_a_leg_that_is_gone_is_not_looked_at() -> None:
    both = {"leg_short_call_price < 1": REMOVE, "true -- both": REMOVE | UPDATE}
    assert adjust(both, {"short_put"}) == {"leg_short_call_price < 1": False, "true -- both": True}
    assert adjust(both, {"short_call"}, leg_short_call_price=0.5)["leg_short_call_price < 1"]


def test_an_adjustment_that_cannot_be_judged_is_trouble() -> None:
    raw = document(adjustments={"nobody > 1": UPDATE})
    found = adjustment_levels(read_definition(raw), read_signal_rules(raw), NOON, SESSION, chosen(), set())
    assert found.troubles == (Trouble(ConditionType.ADJUSTMENT, "there is no 'nobody' here", "nobody > 1"),)
    assert not found.levels[0].on


# --- what is told --------------------------------------------------------------------------------------------------


def test_an_evaluation_shows_the_figures_that_it_speaks_of() -> None:
    names = {"a": 1.25, "b": None, "c": 3.0}
    assert evaluation(Evaluated("a > b -- not c", True), names) == {
        "condition": "a > b -- not c",
        "result": True,
        "error": None,
        "values": {"a": Decimal("1.25")},
    }


def test_words_are_names_without_comments() -> None:
    assert words_of(["abs(x_1) > 2 -- because", "y"]) == {"abs", "x_1", "y"}
