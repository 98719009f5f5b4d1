"""Conditional adjustments, read: keys letter for letter, every fault at its path."""

import copy
from typing import Any

import pytest

from mesoflow.simulator.shared import data
from mesoflow.simulator.strategies.adjustments import Operation
from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.reading import DefinitionRefused
from mesoflow.simulator.strategies.rules import StrikeRule

KEYS = "Adjustment.ConditionalAdjustments"


def strangle(**keys: Any) -> dict[str, Any]:
    raw = copy.deepcopy(data("strategies/103.json"))
    raw["Adjustment"]["ConditionalAdjustments"] = keys
    return raw  # type: ignore[no-any-return]


def test_the_strangles_keys_and_what_stands_under_them() -> None:
    definition = read_definition(data("strategies/103.json"))
    assert {key: tuple(under) for key, under in definition.adjustments.items()} == {
        "pos_delta > 5 -- move call": ("MoveLeg",),
        "pos_delta < -5 -- move put": ("MoveLeg",),
        "leg_short_call_price <= 0.10 -- call is spent": ("RemoveLegs",),
        "leg_short_put_price <= 0.10 -- put is spent": ("RemoveLegs",),
        "days_in_trade >= 30 -- take less": ("UpdateVars",),
    }
    assert definition.adjustments["pos_delta > 5 -- move call"]["MoveLeg"] == Operation(
        {"moves": "moves + 1"},
        legs=("short_call",),
        strike=StrikeRule(
            "Delta", "abs(pos_delta - leg_short_call_delta) / abs(leg_short_call_qty)", None, None
        ),
    )


def test_a_definition_without_adjustments_has_none() -> None:
    assert read_definition(data("strategies/101.json")).adjustments == {}


def test_legs_that_are_added_are_known_to_other_adjustments() -> None:
    added = {"Name": "hedge", "Qty": "1", "OptionType": "Put", "ExpirationName": "later"}
    definition = read_definition(
        strangle(
            a={
                "AddLegsAdjustment": {
                    "Legs": [added | {"StrikeSelector": {"Delta": "4"}}],
                    "Expirations": [{"Name": "later", "DTE": "200"}],
                }
            },
            b={"RemoveLegsAdjustment": {"LegNames": ["hedge"]}},
        )
    )
    assert definition.leg_names == {"short_put", "short_call", "hedge"}


@pytest.mark.parametrize(
    ("under", "path", "problem"),
    [
        (
            {},
            f"{KEYS}[k]",
            "one of RemoveLegsAdjustment, MoveLegAdjustment, AddLegsAdjustment, UpdateVarsAdjustment is needed",
        ),
        (
            {"RemoveLegsAdjustment": {"LegNames": ["wing"]}},
            f"{KEYS}[k].RemoveLegsAdjustment",
            "there is no leg 'wing'",
        ),
        (
            {"RemoveLegsAdjustment": {"LegNames": []}},
            f"{KEYS}[k].RemoveLegsAdjustment.LegNames",
            "a list of 1 to 40 is needed here",
        ),
        (
            {"MoveLegAdjustment": {"LegName": "short_call", "StrikeSelector": {}}},
            f"{KEYS}[k].MoveLegAdjustment.StrikeSelector",
            "exactly one of Delta, StrikePrice, BidPrice, AskPrice, MidPrice, Complex is needed",
        ),
        (
            {
                "MoveLegAdjustment": {
                    "LegName": "short_call",
                    "StrikeSelector": {"Delta": "9"},
                    "ExpirationName": "other",
                }
            },
            f"{KEYS}[k].MoveLegAdjustment.ExpirationName",
            "there is no expiration 'other'",
        ),
        (
            {"UpdateVarsAdjustment": {}},
            f"{KEYS}[k].UpdateVarsAdjustment.VarDefines",
            "at least one variable is needed",
        ),
    ],
)
def test_faults_are_told_at_their_paths(under: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(DefinitionRefused) as caught:
        read_definition(strangle(k=under))
    assert caught.value.problems[path][0] == problem
