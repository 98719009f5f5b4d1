"""`pos_margin` by the models that a definition can name."""

from decimal import Decimal
from typing import Any

import pytest

from mesoflow.simulator.broker.scan import scanned
from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.reading import DefinitionRefused
from tests.unit.simulator.strategies.test_entry import MARKET, THURSDAY, enter, template


def margined(margin: object, id: int = 104) -> dict[str, Any]:
    raw = template(id)
    raw["Settings"]["Core"]["Margin"] = margin
    raw["Entry"]["VarDefines"]["needed"] = "pos_margin"
    return raw


@pytest.mark.parametrize("margin", [None, {}, {"Model": "None"}])
def test_without_a_model_there_is_no_margin(margin: object) -> None:
    with pytest.raises(Exception, match="'pos_margin': it needs a margin model"):
        enter(margined(margin))


def test_reg_t_of_a_condor_is_one_wing() -> None:
    assert enter(margined({"Model": "RegT"})).variables["needed"] == 2500
    assert enter(margined({"Model": "RegT", "HouseMultiplier": "1.5"})).variables["needed"] == 3750


def test_a_scan_of_a_condor_is_what_it_loses_in_it() -> None:
    entry = enter(margined({"Model": "PMLike"}))
    held = [(leg.option, leg.qty) for leg in entry.legs]
    whole = scanned(held, MARKET.at(THURSDAY), Decimal(100))
    assert entry.variables["needed"] == whole and 2000 < entry.variables["needed"] <= 2500
    near = {"Model": "PMLike", "PMConfig": {"LowerBoundPct": 0.1, "UpperBoundPct": 0.1}}
    assert enter(margined(near)).variables["needed"] == Decimal("150.00"), "at least 37.50 a contract"


@pytest.mark.parametrize(
    ("margin", "problem"),
    [
        ({"Model": "Portfolio"}, "Settings.Core.Margin.Model: 'Portfolio' is none of None, RegT, PMLike"),
        (
            {"Model": "RegT", "RegTMode": "CBOEPermissive"},
            "Settings.Core.Margin.RegTMode: CBOEPermissive is not in this version",
        ),
        (
            {"Model": "RegT", "HouseMultiplier": 0},
            "Settings.Core.Margin.HouseMultiplier: a number above 0 and up to 100 is needed here",
        ),
        (
            {"Model": "PMLike", "PMConfig": {"LowerBoundPct": 100}},
            "Settings.Core.Margin.PMConfig.LowerBoundPct: a number above 0 and up to 99 is needed here",
        ),
        (7, "Settings.Core.Margin: an object is needed here"),
    ],
)
def test_what_no_model_is(margin: object, problem: str) -> None:
    with pytest.raises(DefinitionRefused) as caught:
        read_definition(margined(margin))
    assert str(caught.value) == problem


def test_series_from_a_csv_are_refused_by_name() -> None:
    raw = template() | {"ExternalData": {"CsvUrl": "file:///x.csv"}}
    with pytest.raises(
        DefinitionRefused, match=r"^ExternalData: variables from a CSV are not in this version$"
    ):
        read_definition(raw)
