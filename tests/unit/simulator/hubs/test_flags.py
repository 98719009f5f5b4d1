"""Flags of the Data Hub: what exists passes in any casing, all else is named."""

import pytest

from mesoflow.hubs.models.data import GetPositionSnapshotArgs
from mesoflow.simulator.hubs.flags import require_flags
from mesoflow.simulator.world.errors import Refused


def args(**flags: str) -> GetPositionSnapshotArgs:
    wanted = {"IncludePosition": "All", "IncludeLegs": "None", "IncludeLegGroups": "prices, PNL"} | flags
    return GetPositionSnapshotArgs.read({"PositionId": 1, **wanted})


def test_known_flags_pass() -> None:
    require_flags(args())
    require_flags(args(PriceFields="bid,Ask", PnlFields="Mark", IncludePosition="None"))


def test_unknown_flags_are_named_field_by_field() -> None:
    with pytest.raises(Refused) as refused:
        require_flags(args(IncludeLegs="Prices, Sizes", GreekFields="3", PnlFields="Middle"))
    assert refused.value.fields == {
        "IncludeLegs": ["there is no 'Sizes'"],
        "GreekFields": ["there is no '3'"],
        "PnlFields": ["there is no 'Middle'"],
    }
