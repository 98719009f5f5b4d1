"""The Control Hub's answers, where they are not the world's own business (tests/unit/simulator/world)."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.hubs.contract import METHODS
from mesoflow.simulator.world.strategies import TEMPLATES
from tests.support.broker_desk import STRANGLE, BrokerDesk
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


PAGED = sorted(name for name, method in METHODS.items() if method.items is not None)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> BrokerDesk:
    """A world with something on every list: two orders that filled, a position of two legs, a third order that rests."""
    desk = BrokerDesk(tmp_path_factory.mktemp("full") / "w")
    plan = desk.plan(STRANGLE)
    for group in (1, 2):
        price = desk.price(plan, "1", group)
        desk.ended(desk.send(plan, price, f"order-{group}", leg_group_id=group))
    desk.send(desk.plan(STRANGLE), "-1000.00", "order-3")
    desk.prepare_entry("own", 101)
    desk.fill(desk.prepare_entry("paper", 101))
    return desk


def pages(desk: Desk, method: str, limit: int, **args: Any) -> list[list[Any]]:
    items = METHODS[method].items
    assert items is not None
    found, token = [], None
    while True:
        page = desk.ok(method, limit=limit, continuation_token=token, **args)
        found.append(page[items.title()])
        if (token := page["ContinuationToken"]) is None:
            return found


def of(method: str) -> dict[str, Any]:
    return {"event_seq_id": 0} if method == "GetEventsSince" else {}


@pytest.mark.parametrize("method", PAGED)
def test_pages_of_any_size_are_the_whole_list(full: BrokerDesk, method: str) -> None:
    (whole,) = pages(full, method, 500, **of(method))
    assert len(whole) >= 2
    for size in (1, 2, len(whole)):
        found = pages(full, method, size, **of(method))
        assert [row for page in found for row in page] == whole
        assert all(len(page) == size for page in found[:-1]) and 1 <= len(found[-1]) <= size


@pytest.mark.parametrize("method", PAGED)
def test_a_page_s_limits_and_its_token_are_checked(full: BrokerDesk, method: str) -> None:
    for limit in (0, -1, 501):
        assert full.refused(method, limit=limit, **of(method))[1] == "Limit"
    assert full.refused(method, continuation_token="x", **of(method))[1] == "ContinuationToken"


def test_a_token_is_of_one_question(full: BrokerDesk) -> None:
    token = full.ok("ListLegs", limit=1)["ContinuationToken"]
    for method, args in (("ListLegs", {"broker_account_id": "IB-1"}), ("ListPositions", {})):
        assert full.refused(method, continuation_token=token, limit=1, **args)[1] == "ContinuationToken"


def test_what_comes_between_two_pages_is_on_a_later_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    first = desk.ok("ListStrategies", limit=4)
    desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=101)
    desk.ok("DeleteStrategy", strategy_id=102)
    rest = desk.ok("ListStrategies", limit=50, continuation_token=first["ContinuationToken"])
    assert [row["Id"] for row in rest["Strategies"]] == [*TEMPLATES[4:], 201]


def test_lists_are_filtered(full: BrokerDesk) -> None:
    plans = [row["ExecPlanId"] for row in full.ok("ListOrders")["Orders"]]
    for method, args, count in (
        ("ListOrders", {"exec_plan_id": plans[0]}, 2),
        ("ListOrders", {"broker_account_id": "TT-1"}, 0),
        ("ListExecutions", {"exec_plan_id": plans[0]}, 2),
        ("ListExecutions", {"live_order_id": 7002}, 1),
        ("ListExecutions", {"broker_account_id": "PAPER-1"}, 2),
        ("ListLegs", {"broker_account_id": "IB-1"}, 2),
        ("ListLegs", {"live_position_id": 1001, "broker_account_id": "PAPER-1"}, 0),
        ("ListStrategies", {"active_on_accounts": []}, 0),
    ):
        items = METHODS[method].items
        assert items is not None
        assert len(full.ok(method, **args)[items.title()]) == count, (method, args)


def test_an_execution_belongs_to_its_order_and_its_leg(full: BrokerDesk) -> None:
    rows = full.ok("ListExecutions", broker_account_id="IB-1")["Executions"]
    legs = {leg["Name"]: leg for leg in full.ok("ListLegs", broker_account_id="IB-1")["Legs"]}
    for row, order in zip(rows, (7001, 7002), strict=True):
        leg = legs[row["LegName"]]
        assert (row["LiveLegId"], row["LiveOrderId"], row["Qty"]) == (leg["Id"], order, -1)
        # What a leg costs is told with its commission, what an execution costs without.
        assert leg["AvgEntryPrice"] == row["Price"] - row["Commission"] / 100
