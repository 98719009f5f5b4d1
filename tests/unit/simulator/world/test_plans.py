"""Exec plans: what they tell of legs, groups and the market, and that they are kept whole."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from tests.support.worlds import Desk


def test_a_plan_tells_legs_groups_and_position(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.go_to(datetime(2025, 1, 17, 20, 30, tzinfo=UTC))
    plan = desk.prepare_entry(strategy=102)
    assert plan["LegGroups"] == {"1": ["short_put"], "2": ["short_call"]}
    assert plan["LegGroupQtys"] == {
        "1": {"LegQtys": {"short_put": -1}, "QtyMultiplier": 1},
        "2": {"LegQtys": {"short_call": -1}, "QtyMultiplier": 1},
    }
    put, call = plan["LegPrices"]["short_put"], plan["LegPrices"]["short_call"]
    # A group that sells: its bid is what selling it back costs with a minus, its ask what it brings.
    assert (plan["LegGroupPrices"]["1"]["Bid"], plan["LegGroupPrices"]["1"]["Ask"]) == (
        -put["Ask"],
        -put["Bid"],
    )
    assert plan["PositionPrice"]["Mark"] == -(put["Mark"] + call["Mark"])
    assert plan["Vars"]["credit"] == put["Mark"] + call["Mark"]
    deltas = [plan["LegGreeks"][name]["Mark"]["Delta"] for name in ("short_put", "short_call")]
    assert Decimal(9) < deltas[0] < Decimal(11) and Decimal(-11) < deltas[1] < Decimal(-9)
    assert plan["PositionGreeks"]["Mark"]["Delta"] == sum(deltas)
    assert plan["UnderlyingPrice"]["Mark"] > 5000
    assert {leg["Id"] for leg in plan["SelectedLegs"].values()} == {0}


def test_a_plan_is_kept_as_it_was(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    plan = desk.prepare_entry()
    events = desk.ok("GetEventsSince", event_seq_id=2)["Events"]
    desk.wait(3600)
    desk.close()
    again = Desk(tmp_path / "w")
    assert events[-1]["Event"]["Result"] == plan
    assert again.ok("GetPreparePositionEntryStatus", job_id=events[-1]["Event"]["JobId"])["Result"] == plan
