"""What the hub takes and refuses, and the records of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from mesoflow.simulator.faults import Faults
from tests.support.broker_desk import CONDOR, BrokerDesk, mishap

D = Decimal


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w")


def test_a_remainder_is_sent_as_the_multiplier_that_replaces_the_resolved_one(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=10)
    id = desk.send(plan, desk.price(plan, "0"), qty_multiplier=4)
    assert desk.order(id)["Qty"] == -4


def test_the_guess_of_the_multiplier_made_wrong(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w", faults=Faults(qty_multiplier="multiplies"))
    plan = desk.plan(lots=2)
    assert desk.order(desk.send(plan, desk.price(plan, "0"), qty_multiplier=2))["Qty"] == -4


def test_the_guess_of_the_sign_made_wrong_reads_a_credit_as_a_debit(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w", faults=Faults(credit_sign=1))
    plan = desk.plan()
    limit = desk.price(plan, "0.9")
    order = desk.order(desk.send(plan, limit))
    assert (order["LimitPrice"], order["Side"]) == (limit, "B")
    assert desk.ended(order["OrderId"])["State"] == "Rejected"
    assert desk.told(order["OrderId"])[-1] == ("Rejected", 0, "109")


def test_records_of_orders_and_cancels(desk: BrokerDesk) -> None:
    plan = desk.plan()
    args = desk.args(plan, desk.price(plan, "0"))
    id = desk.ok("SendOrder", **args)["LiveOrderId"]
    again = desk.call("SendOrder", **args)
    assert (again["Status"], again["Data"]["LiveOrderIds"]) == ("DuplicateRequest", [id])
    other = desk.args(plan, desk.price(plan, "0.5"))
    assert desk.refused("SendOrder", **other)[:2] == ("Conflict", "KeyUsed")
    desk.cancel(id)
    record = desk.ok("GetIdempotencyRecord", idempotency_key="cancel-1")
    assert (record["Operation"], record["Status"], record["LiveOrderIds"]) == (
        "CancelOrder",
        "Completed",
        [id],
    )
    assert desk.call("CancelOrder", idempotency_key="cancel-1", live_order_id=id)["Status"] == (
        "DuplicateRequest"
    )
    assert desk.world.ledger.keys() == {"order-1": 1, "cancel-1": 1}


def test_a_record_may_still_be_processing(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    desk.faults.record_processing["SendOrder"] = timedelta(seconds=5)
    plan = desk.plan()
    args = desk.args(plan, desk.price(plan, "0"))
    desk.ok("SendOrder", **args)
    record = desk.ok("GetIdempotencyRecord", idempotency_key="order-1")
    assert (record["Status"], record["LiveOrderIds"]) == ("Processing", None)
    assert desk.refused("SendOrder", **args)[:2] == ("Conflict", "Processing")
    desk.wait(5)
    assert desk.call("SendOrder", **args)["Status"] == "DuplicateRequest"


def test_orders_are_listed_by_plan_and_account(desk: BrokerDesk) -> None:
    plan = desk.plan()
    id = desk.send(plan, desk.price(plan, "0"))
    for args, found in (
        ({}, [id]),
        ({"exec_plan_id": plan["ExecPlanId"]}, [id]),
        ({"exec_plan_id": 1}, []),
        ({"broker_account_id": "TT-1"}, []),
    ):
        assert [row["OrderId"] for row in desk.ok("ListOrders", **args)["Orders"]] == found


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"replaces_order": 7001}, ("NotFound", "there is no order 7001")),
        ({"broker_account_id": "TT-1"}, ("Account", "exec plan 5001 is of account IB-1, not TT-1")),
        ({"exec_plan_id": 9}, ("NotFound", "there is no exec plan 9")),
        ({"leg_group_id": 9}, ("NotFound", "there is no leg group of exec plan 5001 9")),
        (
            {"leg_names": ["short_put"]},
            ("LegNames", "leg group 1 is short_put, long_put, short_call, long_call"),
        ),
        ({"order_type": "Peg"}, ("OrderType", "there is no order type Peg")),
        ({"time_in_force": "IOC"}, ("TimeInForce", "there is no time in force IOC")),
        ({"order_type": "Market"}, ("LegGroupOrder", "LimitPrice is not for a Market order")),
        ({"order_type": "StopLimit"}, ("LegGroupOrder", "StopPrice is needed")),
        (
            {"qty_multiplier": "0.5"},
            ("QtyMultiplier", "leg short_put would have -0.5 contracts; contracts are whole"),
        ),
    ],
)
def test_what_the_hub_refuses_has_not_happened(
    desk: BrokerDesk, changes: dict[str, object], refusal: tuple[str, str]
) -> None:
    plan = desk.plan()
    before = desk.world.dump()
    assert desk.refused("SendOrder", **desk.args(plan, "-1.00", **changes))[1:] == refusal
    assert desk.world.dump() == before


def test_an_exit_of_what_is_not_held_any_more_is_refused(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=2)
    desk.ended(desk.send(plan, desk.price(plan, "1") + D("0.50")))
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    desk.faults.orders.append(mishap("fills", packages=1))
    id = desk.send(leave, desk.price(leave, "0"), "order-2")
    desk.until(lambda: desk.state(id) == "PartiallyFilled")
    desk.cancel(id)
    desk.ended(id)
    assert desk.legs(plan) == {name: qty for name, qty, *_ in CONDOR}
    args = desk.args(leave, desk.price(leave, "1"), "order-3")
    assert desk.refused("SendOrder", **args)[1] == "PlanStale"
    rest = desk.prepare_exit(desk.position(plan)["Id"], "exit-2")
    order = desk.ended(desk.send(rest, desk.price(rest, "1"), "order-4"))
    assert (order["Qty"], desk.legs(plan)) == (1, {})
