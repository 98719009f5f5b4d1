"""Markers on a broker account: no order is needed for them, and none is made."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.broker_desk import MARKED, BrokerDesk

ADD = "true -- add a hint"
DROP = "true -- drop the marker"


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w")


def leg(name: str, qty: str, group: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Qty": qty,
        "OptionType": "Put",
        "ExpirationName": "weekend",
        "LegGroupId": group,
        "StrikeSelector": {"StrikePrice": "underlying_price - 300"},
    }


def entered(desk: BrokerDesk, keys: dict[str, Any]) -> Any:
    """The plan of a short put and a marker that are held, of a strategy with adjustments."""
    plan = desk.plan(MARKED)
    raw = desk.ok("GetStrategy", strategy_id=plan["StrategyId"])["Strategy"]["StrategyDefinition"]
    raw["Adjustment"] = {"ConditionalAdjustments": keys}
    desk.ok("UpdateStrategy", strategy_id=plan["StrategyId"], strategy_definition=raw)
    desk.ended(desk.send(plan, desk.price(plan, "1")))
    return plan


def adjustment(desk: BrokerDesk, plan: Any, key: str, operation: str) -> Any:
    job = desk.ok(
        "StartPreparePositionAdjustment",
        idempotency_key=f"a {key}",
        position_id=desk.position(plan)["Id"],
        operation=operation,
        condition=key,
        data_provider=None,
    )["JobId"]
    desk.wait(10)
    status = desk.ok("GetPreparePositionAdjustmentStatus", job_id=job)
    assert status["Status"] == "Completed", status["Error"]
    return status["Result"]


def test_a_group_of_markers_alone_is_completed_without_an_order(desk: BrokerDesk) -> None:
    plan = entered(desk, {DROP: {"RemoveLegsAdjustment": {"LegNames": ["marker"]}}})
    assert desk.legs(plan) == {"short_put": -1, "marker": 0}
    drop = adjustment(desk, plan, DROP, "RemoveLegs")
    answer = desk.ok("SendOrder", **desk.args(drop, "-1.00", "order-2", leg_group_id=2))
    assert answer == {"LiveOrderId": None}
    assert desk.legs(plan) == {"short_put": -1}
    record = desk.ok("GetIdempotencyRecord", idempotency_key="order-2")
    assert (record["Status"], record["LiveOrderIds"], record["LiveExecPlanId"]) == (
        "Completed",
        [],
        drop["ExecPlanId"],
    )
    assert desk.events("LegUpdateEvent")[-1]["Status"] == "Closed"
    assert len(desk.ok("ListOrders")["Orders"]) == len(desk.ok("ListExecutions")["Executions"]) == 1


def test_markers_of_an_adjustment_come_with_its_first_fill(desk: BrokerDesk) -> None:
    legs = [leg("hint", "0", "3"), leg("far_put", "1", "4")]
    plan = entered(desk, {ADD: {"AddLegsAdjustment": {"Legs": legs}}})
    add = adjustment(desk, plan, ADD, "AddLegs")
    assert add["LegGroups"] == {"3": ["hint"], "4": ["far_put"]}
    price = add["LegPrices"]["far_put"]["Ask"]
    desk.ended(desk.send(add, price, "order-2", leg_group_id=4))
    held = {"short_put": -1, "marker": 0, "hint": 0, "far_put": 1}
    assert desk.legs(plan) == held
    assert desk.send(add, "1.00", "order-3", leg_group_id=3) is None, "it is there: nothing is opened twice"
    assert desk.legs(plan) == held


def test_markers_of_an_entry_come_with_its_position(desk: BrokerDesk) -> None:
    plan = desk.plan(MARKED)
    assert desk.send(plan, "-1.00", leg_group_id=2) is None
    assert desk.ok("ListPositions")["Positions"] == []
    desk.ended(desk.send(plan, desk.price(plan, "1"), "order-2"))
    assert desk.legs(plan) == {"short_put": -1, "marker": 0}


def test_an_entry_of_markers_alone_holds_nothing(desk: BrokerDesk) -> None:
    plan = desk.plan((("marker", 0, "Put", -150, 1),))
    assert desk.refused("SendOrder", **desk.args(plan, "-1.00")) == (
        "BadRequest",
        "MarkerOnly",
        f"exec plan {plan['ExecPlanId']} has only markers: there is nothing to enter",
    )
