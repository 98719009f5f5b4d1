"""The Control Hub's answers, where they are not the world's own business (tests/unit/simulator/world)."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import Desk

ORDER: dict[str, Any] = {
    "idempotency_key": "o1",
    "replaces_order": None,
    "exec_plan_id": 5001,
    "qty_multiplier": None,
    "leg_group_id": 1,
    "leg_group_order": {
        "order_type": "Limit",
        "time_in_force": "DAY",
        "limit_price": "1",
        "stop_price": None,
    },
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def test_agents_are_connected_and_fresh_also_at_night(desk: Desk) -> None:
    desk.wait(12 * 3600)
    agents = desk.ok("ListAgents")["Agents"]
    assert [(row["Provider"], row["Connector"], row["IsConnected"]) for row in agents] == [
        ("IBKR", "IBKR", True),
        ("TastyTrade", "TastyTrade", True),
    ]
    assert {row["LastSnapshotAt"] for row in agents} == {"2025-01-17T03:00:00Z"}


def test_a_paper_account_takes_no_orders(desk: Desk) -> None:
    assert desk.refused("SendOrder", broker_account_id="PAPER-1", **ORDER) == (
        "BadRequest",
        "Paper",
        "PAPER-1 is a paper account: its fills are booked (ApplyPaperFills)",
    )


def test_there_are_no_orders(desk: Desk) -> None:
    assert desk.ok("ListOrders") == {"ContinuationToken": None, "Orders": []}
    assert desk.refused("GetOrder", live_order_id=1)[0] == "NotFound"
    assert desk.refused("CancelOrder", idempotency_key="c", live_order_id=1)[0] == "NotFound"


def test_positions_are_listed_by_account_strategy_and_plan(desk: Desk) -> None:
    plan = desk.prepare_entry()
    position = desk.fill(plan)["PositionId"]
    leave = desk.prepare_exit(position)
    desk.fill(leave, key="fill-2")
    for args, found in (
        ({}, [position]),
        ({"broker_account_id": "PAPER-1"}, [position]),
        ({"broker_account_id": "IB-1"}, []),
        ({"live_strategy_id": 101}, [position]),
        ({"live_strategy_id": 102}, []),
        ({"live_exec_plan_id": plan["ExecPlanId"]}, [position]),
        ({"live_exec_plan_id": leave["ExecPlanId"]}, [position]),
        ({"live_exec_plan_id": plan["ExecPlanId"], "broker_account_id": "IB-1"}, []),
    ):
        assert [row["Id"] for row in desk.ok("ListPositions", **args)["Positions"]] == found, args


def test_a_position_in_full(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry(), qty_multiplier=2)["PositionId"]
    detail = desk.ok("GetPosition", position_id=position)
    prices, legs = detail["PositionPrices"], detail["Legs"]
    assert detail["Position"]["State"] == "Open"
    assert [leg["Name"] for leg in legs] == ["short_put", "long_put"]
    # Prices are of one lot, profit is of all.
    assert Decimal(30) < prices["Bid"] < prices["Mark"] < prices["Ask"] < Decimal(50)
    assert detail["PositionPnLs"]["Mark"] == (prices["Mark"] - detail["Vars"]["initial_debit"]) * 200
    assert detail["PositionGreeks"]["Mark"]["Theta"] > 0


def test_days_to_expiration_stay_current(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    desk.wait(3 * 86400)
    variables = desk.ok("GetPosition", position_id=position)["Vars"]
    assert (variables["expiration_front_dte"], variables["expiration_back_dte"]) == (26, 54)
    assert variables["max_days_in_trade"] == 23


def test_legs_one_by_one_and_several(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    listed = desk.ok("ListLegs", live_position_id=position)["Legs"]
    ids = [leg["Id"] for leg in listed]
    assert desk.ok("GetLegs", leg_ids=ids)["Legs"] == listed
    assert desk.ok("GetLeg", leg_id=ids[0])["Leg"] == listed[0]
    assert desk.ok("GetLegs", leg_ids=[])["Legs"] == []
    assert desk.refused("GetLeg", leg_id=1)[0] == "NotFound"


def test_executions_are_read_one_by_one_and_several_at_once(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    listed = desk.ok("ListExecutions")["Executions"]
    assert [row["Id"] for row in listed] == [3001, 3002]
    assert desk.ok("GetExecution", execution_id=3002) == {"Execution": listed[1]}
    assert desk.ok("GetExecutions", execution_ids=[3002, 9, 3001]) == {"Executions": listed}
    assert desk.refused("GetExecution", execution_id=9)[2] == "there is no execution 9"
