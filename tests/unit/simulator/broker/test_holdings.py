"""What fills do to positions, legs and cash."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.broker_desk import CONDOR, MARKED, SHORT_PUT, STRANGLE, BrokerDesk

D = Decimal


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w")


def test_two_groups_fill_one_after_the_other_into_one_position(desk: BrokerDesk) -> None:
    plan = desk.plan(STRANGLE)
    desk.ended(desk.send(plan, desk.price(plan, "1", 1), leg_group_id=1))
    assert desk.legs(plan) == {"short_put": -1}
    desk.ended(desk.send(plan, desk.price(plan, "1", 2), "order-2", leg_group_id=2))
    assert desk.legs(plan) == {"short_put": -1, "short_call": -1}
    assert [event["Status"] for event in desk.events("PositionUpdateEvent")] == ["Created", "Adjusted"]


def test_markers_come_with_the_position_and_need_no_order(desk: BrokerDesk) -> None:
    plan = desk.plan(MARKED)
    desk.ended(desk.send(plan, desk.price(plan, "1")))
    assert desk.legs(plan) == {"short_put": -1, "marker": 0}


def test_ten_lots_fill_in_whole_packages_and_the_legs_grow_with_them(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=10)
    id = desk.send(plan, desk.price(plan, "1") + D("0.50"))
    seen = set()
    while desk.state(id) != "Filled":
        desk.wait(0.2)
        cum = desk.order(id)["CumQty"]
        seen.add(cum)
        assert not cum or desk.position(plan)["QtyMultiplier"] == -cum
        assert desk.legs(plan) == ({name: qty * -cum for name, qty, *_ in CONDOR} if cum else {})
    assert len(seen) >= 2 and -10 in seen
    states = [state for state, _, _ in desk.told(id)]
    assert states == ["Submitted", *["PartiallyFilled"] * (len(states) - 2), "Filled"]


def test_a_second_order_of_a_plan_makes_the_position_larger_at_its_average_price(desk: BrokerDesk) -> None:
    plan = desk.plan(SHORT_PUT, lots=3)
    far = desk.price(plan, "1").quantize(D("0.1"))
    paid = []
    for key, lots in (("order-1", 1), ("order-2", 2)):
        order = desk.ended(desk.send(plan, far, key, qty_multiplier=lots))
        paid.append((order["Qty"], order["AvgFillPrice"]))
        desk.wait(20)
    leg = desk.ok("ListLegs", live_position_id=desk.position(plan)["Id"])["Legs"][0]
    total = sum(qty * price for qty, price in paid)
    # Each contract cost a commission of 1.10, which a seller receives less.
    assert leg["Qty"] == -3 and abs(leg["AvgEntryPrice"] - (total / 3 - D("0.011"))) < D("0.0001")
    assert desk.position(plan)["QtyMultiplier"] == 3
    assert len(desk.events("PositionUpdateEvent")) == 2


def test_commissions_of_opening_and_closing_are_the_brokers_own(tmp_path: Path) -> None:
    paid = {}
    for account in ("IB-1", "TT-1"):
        desk = BrokerDesk(tmp_path / account, account=account)
        plan = desk.plan()
        desk.ended(desk.send(plan, desk.price(plan, "1")))
        leave = desk.prepare_exit(desk.position(plan)["Id"])
        desk.ended(desk.send(leave, desk.price(leave, "1"), "order-2"))
        executions = desk.ok("ListExecutions", broker_account_id=account)["Executions"]
        paid[account] = [str(row["Commission"]) for row in executions]
    assert paid == {"IB-1": ["1.10"] * 8, "TT-1": ["1.72"] * 4 + ["0.72"] * 4}
