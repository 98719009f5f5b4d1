import copy
from typing import Any

import pytest

from mesoflow.simulator.shared import data
from mesoflow.simulator.strategies.definition import DefinitionRefused, read_definition
from mesoflow.simulator.world.strategies import TEMPLATES


def template(id: int = 101) -> dict[str, Any]:
    return copy.deepcopy(data(f"strategies/{id}.json"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("id", TEMPLATES)
def test_the_templates_are_definitions(id: int) -> None:
    definition = read_definition(template(id))
    assert definition.symbol == "SPX"
    assert {leg.name: leg.group for leg in definition.legs} == {
        101: {"short_put": "1", "long_put": "1"},
        102: {"short_put": "1", "short_call": "2"},
        103: {"short_put": "1", "short_call": "2"},
        104: {"short_put": "1", "long_put": "1", "short_call": "1", "long_call": "1"},
        105: {"upper_long": "1", "shorts": "1", "lower_long": "1"},
        106: {"upper_long": "1", "short_a": "1", "lower_long": "2", "short_b": "2"},
        107: {"pcs_short": "1", "pcs_long": "1", "pds_long": "2", "pds_short": "2"},
        108: {"short_put": "1"},
    }[id]


def test_numbers_and_blank_text_are_read_as_expressions_and_nothing() -> None:
    raw = template()
    raw["Structure"]["Legs"][0]["Qty"] = -1
    raw["Structure"]["Expirations"][0] |= {"DTE": 30, "Min": "", "Max": None, "Roots": None}
    definition = read_definition(raw)
    assert definition.legs[0].qty == "-1"
    rule = definition.expirations[0]
    assert (rule.dte, rule.least, rule.most, rule.include, rule.exclude) == ("30", None, None, None, ())


def test_every_fault_is_told_at_its_path() -> None:
    raw = template()
    raw["MesoSimVersion"] = "2.11"
    raw["StrategyName"] = " "
    raw["Structure"]["Expirations"][1]["Name"] = "front"
    raw["Structure"]["Legs"][0] |= {"Name": "short put", "OptionType": "put", "ExpirationName": "middle"}
    raw["Structure"]["Legs"][1]["StrikeSelector"]["Delta"] = "40"
    raw["Entry"]["Conditions"] = ["1 > 0", {}]
    with pytest.raises(DefinitionRefused) as caught:
        read_definition(raw)
    assert caught.value.problems == {
        "MesoSimVersion": ["version 3 or later is needed"],
        "StrategyName": ["text is needed here"],
        "Structure.Legs[0].Name": ["'short put' cannot be part of a variable's name"],
        "Structure.Legs[0].OptionType": ["Call or Put is needed here"],
        "Structure.Legs[1].StrikeSelector": [
            "exactly one of Delta, StrikePrice, BidPrice, AskPrice, MidPrice, Complex is needed"
        ],
        "Entry.Conditions[1]": ["an expression is text or a number", "an expression is needed here"],
        "Structure.Expirations": ["'front' is there twice"],
        "Structure.Legs[0].ExpirationName": ["there is no expiration 'middle'"],
        "Structure.Legs[1].ExpirationName": ["there is no expiration 'back'"],
    }


def test_a_definition_has_bounds() -> None:
    raw = template()
    raw["Entry"]["VarDefines"] = {f"v{n}": "1" for n in range(101)}
    raw["Entry"]["Conditions"] = ["1 > 0"] * 41
    with pytest.raises(DefinitionRefused) as caught:
        read_definition(raw)
    assert caught.value.problems == {
        "Entry.Conditions": ["a list of 0 to 40 is needed here"],
        "Entry.VarDefines": ["101 variables are more than 100"],
    }


@pytest.mark.parametrize("raw", [None, [], "text", 3, {}])
def test_what_is_no_definition_at_all(raw: object) -> None:
    with pytest.raises(DefinitionRefused):
        read_definition(raw)
