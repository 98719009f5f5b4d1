"""Each dial that spoils an order: what happens at the broker, and what MesoLive says of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.faults import Faults, Mishap
from tests.support.broker_desk import STRANGLE, BrokerDesk, mishap

D = Decimal


def resting(folder: Path, *mishaps: Mishap, lots: int = 1, way: str = "0") -> tuple[BrokerDesk, Any, int]:
    """An order at the near side, which nobody hits, with mishaps."""
    desk = BrokerDesk(folder / "w", faults=Faults(orders=list(mishaps)))
    plan = desk.plan(lots=lots)
    return desk, plan, desk.send(plan, desk.price(plan, way))


def test_a_mishap_befalls_the_nth_order_only(tmp_path: Path) -> None:
    desk, plan, first = resting(tmp_path, mishap("frozen", None, nth=2))
    second = desk.send(plan, desk.price(plan, "0"), "order-2")
    third = desk.send(plan, desk.price(plan, "0"), "order-3")
    desk.wait(10)
    assert [desk.state(id) for id in (first, second, third)] == ["Submitted", "Inactive", "Submitted"]
    assert desk.faults.orders == []


def test_what_befalls_an_order_survives_the_process(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("late_reject", 60))
    desk.wait(10)
    desk.world.store.close()
    again = BrokerDesk(tmp_path / "w")
    again.wait(120)
    assert (again.state(id), again.told(id)[-1]) == ("Rejected", ("Rejected", 0, "435"))


def test_a_late_acknowledgement(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("ack_late", 30))
    desk.wait(29.9)
    assert (desk.state(id), desk.told(id)) == ("Pending", [])
    desk.wait(0.2)
    assert desk.state(id) == "Submitted"


def test_an_order_without_the_brokers_id_is_alive_and_fills(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("id_late", 20), mishap("fills", 25, packages=1), lots=2)
    desk.wait(19)
    assert (desk.state(id), desk.told(id)) == ("Pending", [("Pending", 0, None)])
    desk.wait(3)
    assert desk.state(id) == "Submitted"
    desk.wait(5)
    assert desk.state(id) == "PartiallyFilled"


def test_an_order_fills_before_the_brokers_id_comes(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("id_late", 20), mishap("fills", 5))
    desk.wait(30)
    assert desk.told(id) == [("Pending", 0, None), ("Filled", -1, None)]


def test_limbo_ends(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("frozen", 30), way="1")
    desk.wait(29)
    assert desk.state(id) == "Inactive"
    desk.ended(id)
    assert desk.told(id) == [("Inactive", 0, None), ("Submitted", 0, None), ("Filled", -1, None)]


def test_limbo_is_cancelled(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("frozen", None), way="1")
    desk.wait(300)
    assert desk.state(id) == "Inactive"
    desk.cancel(id)
    assert desk.ended(id)["State"] == "Cancelled"


@pytest.mark.parametrize(
    ("reason", "code"), [("account", "435"), ("duplicate_id", "103"), ("leg_price", "10058")]
)
def test_a_scripted_reject(tmp_path: Path, reason: str, code: str) -> None:
    desk, _, id = resting(tmp_path, mishap("reject", reason=reason))
    desk.ended(id)
    assert desk.told(id) == [("Rejected", 0, code)]


def test_a_late_reject_ends_what_has_been_acknowledged_and_what_filled_stays(tmp_path: Path) -> None:
    desk, plan, id = resting(
        tmp_path, mishap("fills", 2, packages=1), mishap("late_reject", 5, reason="margin"), lots=2
    )
    desk.ended(id)
    assert desk.told(id) == [
        ("Submitted", 0, None),
        ("PartiallyFilled", -1, None),
        ("Rejected", -1, "201"),
    ]
    assert desk.legs(plan)["short_put"] == -1


def test_the_reason_comes_after_the_status(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("reject"), mishap("reason_late", 3))
    desk.ended(id)
    assert desk.told(id) == [("Rejected", 0, None)]
    desk.wait(4)
    assert desk.told(id) == [("Rejected", 0, None), ("Rejected", 0, "435")]


def test_the_market_leaves_one_group_alone(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w", faults=Faults(orders=[mishap("never_fills", nth=2)]))
    plan = desk.plan(STRANGLE)
    for group, key in ((1, "a"), (2, "b")):
        desk.send(plan, desk.price(plan, "1", group), key, leg_group_id=group)
    desk.wait(600)
    assert desk.legs(plan) == {"short_put": -1}


def test_a_fill_wins_against_the_cancel(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, mishap("fill_wins"))
    desk.wait(10)
    desk.cancel(id)
    assert desk.ended(id)["State"] == "Filled"
    desk.wait(1)
    assert desk.told(id) == [("Submitted", 0, None), ("Filled", -1, None), ("Filled", -1, "161")]
    assert desk.legs(plan)["short_put"] == -1


def test_the_cancel_wins_against_the_market(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, mishap("fills", 20))
    desk.wait(10)
    desk.cancel(id)
    assert desk.ended(id)["State"] == "Cancelled"
    desk.wait(60)
    assert (desk.state(id), desk.legs(plan)) == ("Cancelled", {})


def test_a_slow_cancel(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("cancel_slow", 45))
    desk.wait(5)
    desk.cancel(id)
    desk.wait(44)
    assert desk.state(id) == "Submitted"
    desk.wait(2)
    assert desk.state(id) == "Cancelled"


def test_a_whole_fill_is_told_after_the_cancel_was_acknowledged(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, mishap("fill_after_cancel", 3))
    desk.wait(5)
    desk.cancel(id)
    assert desk.ended(id)["State"] == "Cancelled"
    assert (desk.legs(plan), desk.world.ledger.orders()[0].phase) == ({}, "filled")
    desk.wait(4)
    order = desk.order(id)
    assert (order["State"], order["CumQty"]) == ("Filled", -1)
    assert desk.legs(plan)["short_put"] == -1
    assert desk.told(id) == [("Submitted", 0, None), ("Cancelled", 0, None), ("Filled", -1, None)]


def test_a_part_is_told_after_the_cancel_was_acknowledged(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, mishap("fill_after_cancel", 3, packages=1), lots=3)
    desk.wait(5)
    desk.cancel(id)
    desk.wait(10)
    assert (desk.state(id), desk.order(id)["CumQty"]) == ("Cancelled", -1)
    assert desk.told(id)[1:] == [("Cancelled", 0, None), ("Cancelled", -1, None)]
    assert desk.legs(plan)["short_put"] == -1


@pytest.mark.parametrize(("what", "distinct"), [("fill_told_twice", 1), ("fill_told_again", 2)])
def test_a_fill_is_told_twice_and_happened_once(tmp_path: Path, what: Any, distinct: int) -> None:
    desk, plan, id = resting(tmp_path, mishap(what, 3), mishap("fills", 2))
    desk.wait(20)
    assert desk.told(id) == [("Submitted", 0, None), *[("Filled", -1, None)] * 2]
    fills = [event for event in desk.events("OrderUpdateEvent") if event["State"] == "Filled"]
    assert len({event["EventId"] for event in fills}) == distinct
    assert len({event["EventSeqId"] for event in fills}) == 2
    assert desk.legs(plan)["short_put"] == -1
    assert len(desk.ok("ListExecutions", live_order_id=id)["Executions"]) == 4


def test_a_person_cancels(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("person_cancels", 20))
    desk.wait(25)
    assert desk.told(id) == [("Submitted", 0, None), ("Cancelled", 0, None)]
    assert [call.operation for call in desk.world.ledger.executed()] == ["SendOrder"]


def test_a_person_closes_the_position(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, mishap("person_closes", 30), way="1")
    desk.ended(id)
    desk.wait(29)
    assert desk.position(plan)["State"] == "Open"
    desk.wait(3)
    assert (desk.position(plan)["State"], desk.legs(plan)) == ("Closed", {})
    assert desk.world.ledger.positions() == {}
    assert {fill.operation for fill in desk.world.ledger.fills()} == {"Fill", "Person"}


def test_what_fills_after_a_person_closed_the_position_is_held_the_other_way_round(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, way="1")
    desk.ended(id)
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    desk.faults.orders.append(mishap("fills", 60))
    order = desk.send(leave, desk.price(leave, "0"), "order-2")
    desk.wait(20)
    desk.world.broker.close_position(desk.position(plan)["Id"], desk.now)
    assert desk.position(plan)["State"] == "Closed"
    desk.ended(order, within=120)
    assert desk.legs(plan) == {"short_put": 1, "long_put": -1, "short_call": 1, "long_call": -1}
    assert desk.position(plan)["State"] == "Open"


def test_a_record_says_failed_of_an_order_that_the_broker_takes(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w", faults=Faults(orders=[mishap("record_failed"), mishap("ack_late", 8)]))
    plan = desk.plan()
    args = desk.args(plan, desk.price(plan, "1"))
    assert desk.refused("SendOrder", **args) == ("ProviderError", "NoAnswer", "agent IBKR has not answered")
    record = desk.ok("GetIdempotencyRecord", idempotency_key="order-1")
    assert (record["Status"], record["LiveOrderIds"]) == ("Failed", None)
    assert desk.ok("ListOrders", exec_plan_id=plan["ExecPlanId"])["Orders"] == []
    desk.wait(9)
    orders = desk.ok("ListOrders", exec_plan_id=plan["ExecPlanId"])["Orders"]
    assert [order["State"] for order in orders] == ["Filled"]
    assert desk.call("SendOrder", **args)["Status"] == "DuplicateRequest"


def test_an_agent_is_away_the_broker_goes_on_and_tells_later(tmp_path: Path) -> None:
    desk, plan, id = resting(tmp_path, mishap("fills", 20))
    desk.until(lambda: desk.state(id) == "Submitted")
    desk.faults.agent_away("IBKR", desk.now + timedelta(seconds=5), timedelta(seconds=60))
    desk.wait(30)
    agents = {row["Connector"]: row["IsConnected"] for row in desk.ok("ListAgents")["Agents"]}
    assert agents == {"IBKR": False, "TastyTrade": True}
    assert (desk.state(id), len(desk.world.ledger.fills())) == ("Submitted", 4)
    desk.wait(40)
    assert (desk.state(id), desk.legs(plan)["short_put"]) == ("Filled", -1)
    assert [event["Status"] for event in desk.events("AgentStatusEvent")][-2:] == [
        "Disconnected",
        "Connected",
    ]


def test_orders_and_cancels_wait_for_an_agent_that_is_away(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    plan = desk.plan()
    desk.faults.agent_away("IBKR", desk.now, timedelta(seconds=60))
    id = desk.send(plan, desk.price(plan, "0"))
    desk.cancel(id)
    desk.wait(50)
    assert desk.state(id) == "Pending"
    desk.wait(12)
    assert desk.told(id) == [("Submitted", 0, None), ("Cancelled", 0, None)]


def test_a_broker_restarts_and_brings_its_orders_back_under_other_ids(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, way="0")
    desk.wait(10)
    before = desk.world.broker.orders.get(id).broker_order
    desk.faults.broker_restart("IBKR", desk.now, timedelta(seconds=30))
    desk.cancel(id)
    desk.wait(29)
    assert desk.state(id) == "Submitted"
    desk.wait(3)
    assert desk.told(id) == [("Submitted", 0, None), ("Submitted", 0, None), ("Cancelled", 0, None)]
    assert desk.world.broker.orders.get(id).broker_order not in (None, before)


def test_callbacks_are_lost_and_the_history_has_them(tmp_path: Path) -> None:
    desk, _, id = resting(tmp_path, mishap("fills", 20))
    heard: list[str] = []
    desk.world.events.listeners.append(lambda callback, _, event: heard.append(callback.name))
    desk.faults.silence(desk.now, timedelta(seconds=60))
    desk.wait(50)
    assert desk.state(id) == "Filled" and heard == []
    assert desk.told(id) == [("Submitted", 0, None), ("Filled", -1, None)]


def test_dials_at_rest_change_nothing(tmp_path: Path) -> None:
    """A window that is over, and a mishap of an order that is never sent."""
    dumps = []
    for name, spoilt in (("plain", False), ("spoilt", True)):
        desk = BrokerDesk(tmp_path / name)
        plan = desk.plan(lots=3)
        if spoilt:
            desk.faults.orders.append(mishap("frozen", nth=9))
            desk.faults.silence(desk.now - timedelta(hours=1), timedelta(minutes=1))
        desk.send(plan, desk.price(plan, "0.7"))
        desk.wait(200)
        desk.ok("ListAccounts")
        dumps.append(desk.world.dump())
    assert dumps[0] == dumps[1]
