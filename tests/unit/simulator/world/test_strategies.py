"""Strategies as the Control Hub keeps them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.shared import data
from mesoflow.simulator.world.strategies import TEMPLATES
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def strategy(desk: Desk, id: int) -> dict[str, Any]:
    return desk.ok("GetStrategy", strategy_id=id)["Strategy"]  # type: ignore[no-any-return]


def test_a_new_world_has_its_templates(desk: Desk) -> None:
    listed = desk.ok("ListStrategies")["Strategies"]
    assert [(row["Id"], row["Name"], row["StrategyDefinition"]) for row in listed] == [
        (101, "SPX put calendar 30/60", None),
        (102, "SPX weekend strangle", None),
        (103, "SPX strangle adjusting", None),
        (104, "SPX 0DTE iron condor", None),
        (105, "NetZero 60-40-20", None),
        (106, "NetZero 60-40-20 split", None),
        (107, "BoxcarNG", None),
        (108, "Volatility hedged theta engine", None),
    ]
    assert strategy(desk, 101)["StrategyDefinition"] == data("strategies/101.json")


def test_a_clone_is_the_same_under_its_own_name(desk: Desk) -> None:
    args = {
        "strategy_definition": None,
        "clone_strategy_id": 101,
        "name": "mine",
        "active_on_accounts": ["PAPER-1"],
    }
    id = desk.ok("CreateStrategy", **args)["StrategyId"]
    clone, template = strategy(desk, id), strategy(desk, 101)
    assert (id, clone["Name"], clone["ActiveOnAccounts"]) == (201, "mine", ["PAPER-1"])
    assert clone["StrategyDefinition"] == template["StrategyDefinition"]
    unnamed = desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=201)["StrategyId"]
    assert strategy(desk, unnamed)["Name"] == "mine"


def test_a_definition_is_kept_as_it_came(desk: Desk) -> None:
    definition = data("strategies/102.json") | {"Mine": [1, Decimal("0.10"), None, {"b": 1, "a": "ü"}]}
    id = desk.ok("CreateStrategy", strategy_definition=definition)["StrategyId"]
    kept = strategy(desk, id)["StrategyDefinition"]
    assert kept == definition
    assert list(kept["Mine"][3]) == ["b", "a"] and str(kept["Mine"][1]) == "0.10"


def test_what_is_no_definition_is_refused_with_every_fault(desk: Desk) -> None:
    envelope = desk.call("CreateStrategy", strategy_definition={"MesoSimVersion": "2.9"}, name="x")
    assert envelope["Status"] == "BadRequest"
    assert sorted(envelope["Error"]["ValidationErrors"]) == [
        "StrategyDefinition.Entry",
        "StrategyDefinition.Exit",
        "StrategyDefinition.MesoSimVersion",
        "StrategyDefinition.StrategyName",
        "StrategyDefinition.Structure",
        "StrategyDefinition.Structure.Expirations",
        "StrategyDefinition.Structure.Legs",
        "StrategyDefinition.Symbol",
    ]


@pytest.mark.parametrize(
    ("args", "refusal"),
    [
        (
            {"strategy_definition": None, "clone_strategy_id": 9},
            ("NotFound", "NotFound", "there is no strategy 9"),
        ),
        (
            {"strategy_definition": {}, "clone_strategy_id": 101},
            (
                "BadRequest",
                "Strategy",
                "a clone has no definition of its own: give StrategyDefinition or CloneStrategyId",
            ),
        ),
        (
            {"strategy_definition": None, "clone_strategy_id": 101, "active_on_accounts": ["X"]},
            ("NotFound", "NotFound", "there is no account X"),
        ),
        (
            {"strategy_definition": None, "clone_strategy_id": 101, "name": "x" * 129},
            ("BadRequest", "Name", "a strategy's name is 1 to 128 characters"),
        ),
    ],
)
def test_a_creation_that_is_refused_makes_nothing(
    desk: Desk, args: dict[str, Any], refusal: tuple[str, ...]
) -> None:
    assert desk.refused("CreateStrategy", **args) == refusal
    assert [row["Id"] for row in desk.ok("ListStrategies")["Strategies"]] == list(TEMPLATES)


def test_an_update_changes_what_it_names(desk: Desk) -> None:
    desk.ok("UpdateStrategy", strategy_id=101, active_on_accounts=["PAPER-1", "IB-1"])
    desk.ok("UpdateStrategy", strategy_id=101, backtest_id="BT-1")
    found = strategy(desk, 101)
    assert (found["ActiveOnAccounts"], found["BacktestId"], found["Name"]) == (
        ["PAPER-1", "IB-1"],
        "BT-1",
        "SPX put calendar 30/60",
    )
    desk.ok(
        "UpdateStrategy",
        strategy_id=101,
        strategy_definition=data("strategies/102.json"),
        active_on_accounts=[],
    )
    found = strategy(desk, 101)
    assert found["StrategyDefinition"]["StrategyName"] == "SPX weekend strangle"
    assert found["ActiveOnAccounts"] == []


def test_strategies_are_listed_by_where_they_are_active(desk: Desk) -> None:
    desk.ok("UpdateStrategy", strategy_id=102, active_on_accounts=["TT-1"])
    listed = {
        tuple(accounts): [
            row["Id"] for row in desk.ok("ListStrategies", active_on_accounts=accounts)["Strategies"]
        ]
        for accounts in (["TT-1"], ["PAPER-1"], ["PAPER-1", "TT-1"], [])
    }
    assert listed == {("TT-1",): [102], ("PAPER-1",): [], ("PAPER-1", "TT-1"): [102], (): []}


def test_lists_come_in_pages(desk: Desk) -> None:
    for n in range(5):
        desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=101, name=f"copy {n}")
    token, ids = None, []
    for _ in range(7):
        answer = desk.ok("ListStrategies", limit=2, continuation_token=token)
        token = answer["ContinuationToken"]
        ids += [row["Id"] for row in answer["Strategies"]]
    assert (ids, token) == ([101, 102, 103, 104, 105, 106, 107, 108, 201, 202, 203, 204, 205], None)


def test_renamed_and_deleted(desk: Desk) -> None:
    desk.ok("RenameStrategy", strategy_id=101, name="mine")
    assert strategy(desk, 101)["Name"] == "mine"
    assert desk.refused("RenameStrategy", strategy_id=101, name=" ")[1] == "Name"
    desk.ok("DeleteStrategy", strategy_id=101)
    assert desk.refused("GetStrategy", strategy_id=101)[0] == "NotFound"


def test_an_id_is_never_given_twice(desk: Desk) -> None:
    first = desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=101)["StrategyId"]
    desk.ok("DeleteStrategy", strategy_id=first)
    assert (
        desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=101)["StrategyId"] == first + 1
    )


def test_a_strategy_with_positions_is_deleted_by_force(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    assert desk.refused("DeleteStrategy", strategy_id=101) == (
        "BadRequest",
        "HasPositions",
        "strategy 101 has 1 open positions: close them, or force",
    )
    desk.ok("DeleteStrategy", strategy_id=101, force=True)
    assert desk.prepare_exit(position)["StrategyName"] == "SPX put calendar 30/60"


def test_an_account_is_named_once(desk: Desk) -> None:
    desk.ok("UpdateStrategy", strategy_id=101, active_on_accounts=["IB-1", "PAPER-1", "IB-1"])
    assert strategy(desk, 101)["ActiveOnAccounts"] == ["IB-1", "PAPER-1"]


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"Schedule": {"Every": "day"}}, "Entry.Schedule"),
        ({"Schedule": {"AfterMarketOpenMinutes": 5, "Every": "often"}}, "Entry.Schedule.Every"),
        ({"ReentryDays": "soon"}, "Entry.ReentryDays"),
    ],
)
def test_what_signals_could_not_follow_is_refused(desk: Desk, entry: dict[str, Any], path: str) -> None:
    definition = data("strategies/101.json") | {"Entry": data("strategies/101.json")["Entry"] | entry}
    for method, args in (("CreateStrategy", {}), ("UpdateStrategy", {"strategy_id": 102})):
        envelope = desk.call(method, strategy_definition=definition, **args)
        assert list(envelope["Error"]["ValidationErrors"]) == [f"StrategyDefinition.{path}"]
    assert strategy(desk, 102)["StrategyDefinition"] == data("strategies/102.json")
