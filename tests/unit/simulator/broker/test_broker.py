"""Orders from their acceptance to their end, as a client of the hub sees them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.broker_desk import CONDOR, SHORT_PUT, BrokerDesk

D = Decimal


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w")


def test_an_entry_at_the_far_side_fills_and_makes_a_position(desk: BrokerDesk) -> None:
    plan = desk.plan()
    limit = desk.price(plan, "1")
    id = desk.send(plan, limit)
    assert (desk.state(id), desk.legs(plan)) == ("Pending", {})
    order = desk.ended(id)
    assert (order["State"], order["Side"], order["Qty"], order["CumQty"]) == ("Filled", "S", -1, -1)
    assert limit == order["LimitPrice"] and order["AvgFillPrice"] <= limit
    assert desk.legs(plan) == {"short_put": -1, "long_put": 1, "short_call": -1, "long_call": 1}
    executions = desk.ok("ListExecutions", live_order_id=id)["Executions"]
    assert [(row["LegName"], row["Qty"], row["Commission"]) for row in executions] == [
        (name, qty, D("1.10")) for name, qty, *_ in CONDOR
    ]
    assert sum(row["Qty"] * row["Price"] for row in executions) == order["AvgFillPrice"]
    assert desk.told(id) == [("Submitted", 0, None), ("Filled", -1, None)]
    cash = desk.ok("GetAccount", broker_account_id="IB-1")["Account"]["Cash"]
    assert cash == D("250000.00") - order["AvgFillPrice"] * 100 - D("4.40")
    assert desk.world.ledger.cash()["IB-1"] == cash - 250000


def test_an_exit_at_the_far_side_closes_the_position(desk: BrokerDesk) -> None:
    plan = desk.plan()
    desk.ended(desk.send(plan, desk.price(plan, "1")))
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    order = desk.ended(desk.send(leave, desk.price(leave, "1"), "order-2"))
    assert (order["State"], order["Side"], order["Qty"]) == ("Filled", "B", 1)
    assert (desk.legs(plan), desk.position(plan)["State"]) == ({}, "Closed")
    assert desk.world.ledger.positions() == {}
    assert [event["Status"] for event in desk.events("PositionUpdateEvent")] == ["Created", "Closed"]
    earned = desk.events("PositionUpdateEvent")[-1]["RealizedPnL"]
    assert earned == desk.world.ledger.cash()["IB-1"]


def test_a_limit_off_the_market_rests_and_is_cancelled_and_cancelled_again(desk: BrokerDesk) -> None:
    plan = desk.plan()
    id = desk.send(plan, desk.price(plan, "0"))
    desk.until(lambda: desk.state(id) == "Submitted")
    desk.wait(120)
    assert desk.state(id) == "Submitted"
    desk.cancel(id)
    assert desk.state(id) == "Submitted"
    desk.ended(id)
    desk.cancel(id, "cancel-2")
    assert desk.told(id) == [("Submitted", 0, None), ("Cancelled", 0, None)]
    assert desk.world.ledger.fills() == []


def test_a_filled_order_is_not_cancelled(desk: BrokerDesk) -> None:
    plan = desk.plan()
    id = desk.send(plan, desk.price(plan, "1"))
    desk.ended(id)
    assert desk.refused("CancelOrder", idempotency_key="c", live_order_id=id) == (
        "BadRequest",
        "OrderFilled",
        f"order {id} is filled",
    )


def test_what_ended_otherwise_is_not_cancelled(desk: BrokerDesk) -> None:
    plan = desk.plan()
    id = desk.send(plan, "-1.01")
    desk.ended(id)
    assert desk.refused("CancelOrder", idempotency_key="c", live_order_id=id)[1] == "OrderRejected"


def test_a_cancel_that_overtakes_its_order_waits_for_it(desk: BrokerDesk) -> None:
    plan = desk.plan()
    id = desk.send(plan, desk.price(plan, "0"))
    desk.cancel(id)
    assert desk.ended(id)["State"] == "Cancelled"
    assert desk.told(id) == [("Submitted", 0, None), ("Cancelled", 0, None)]


def test_a_day_order_expires_at_the_close_and_a_good_one_stays(desk: BrokerDesk) -> None:
    desk.go_to(desk.now.replace(hour=21, minute=5))
    plan = desk.plan()
    # Far from the market: nobody comes by.
    day, good = (desk.send(plan, "-49.90", f"order {force}", time_in_force=force) for force in ("DAY", "GTC"))
    desk.go_to(desk.now.replace(minute=14, second=59))
    assert (desk.state(day), desk.state(good)) == ("Submitted", "Submitted")
    desk.wait(2)
    assert (desk.state(day), desk.state(good)) == ("Expired", "Submitted")
    assert desk.refused("CancelOrder", idempotency_key="c", live_order_id=day)[1] == "OrderExpired"
    desk.go_to(desk.now.replace(day=17, hour=14, minute=31))
    assert desk.state(good) == "Submitted"


def test_any_order_ends_with_its_contracts(desk: BrokerDesk) -> None:
    desk.go_to(desk.now.replace(hour=20, minute=55))
    plan = desk.plan(dte=0)
    id = desk.send(plan, "-49.90", time_in_force="GTC")
    desk.go_to(desk.now.replace(hour=20, minute=59, second=59))
    assert desk.state(id) == "Submitted"
    desk.wait(2)
    assert desk.state(id) == "Expired"


def test_a_market_order_takes_the_far_side(desk: BrokerDesk) -> None:
    plan = desk.plan()
    order = desk.ended(desk.send(plan, None, order_type="Market"))
    assert order["Side"] == "S" and order["LimitPrice"] is None
    assert abs(order["AvgFillPrice"] - desk.price(plan, "1")) < 2


def test_a_stop_sleeps_until_the_middle_reaches_it(desk: BrokerDesk) -> None:
    plan = desk.plan(SHORT_PUT)
    mid = desk.price(plan, "0.5").quantize(D("0.1"))
    id = desk.send(plan, None, order_type="Stop", stop_price=mid + D("2.00"))
    desk.until(lambda: desk.state(id) == "Submitted")
    desk.wait(1)
    assert desk.state(id) == "Submitted"
    reached = desk.send(plan, mid + D("3.00"), "order-2", order_type="StopLimit", stop_price=mid - D("2.00"))
    assert desk.ended(reached)["State"] == "Filled"


def test_asking_often_or_seldom_gives_the_same_bytes(tmp_path: Path) -> None:
    """What happens is a function of simulated time, not of who looked when."""
    dumps = []
    for name, every in (("often", 0.37), ("seldom", 300.0)):
        desk = BrokerDesk(tmp_path / name)
        plan = desk.plan(lots=5)
        desk.send(plan, desk.price(plan, "0.6"))
        end = desk.now + timedelta(seconds=300)
        while desk.now < end:
            desk.wait(min(every, (end - desk.now).total_seconds()))
            desk.ok("ListAccounts")
        assert desk.world.ledger.fills()
        dumps.append(desk.world.dump())
    assert dumps[0] == dumps[1]


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    dumps = []
    for name, stops in (("whole", ()), ("cut", (3, 20, 41))):
        desk = BrokerDesk(tmp_path / name)
        plan = desk.plan(lots=5)
        desk.send(plan, desk.price(plan, "0.6"))
        for second in range(300):
            desk.wait(1)
            desk.ok("ListAccounts")
            if second in stops:
                # Killed: nothing is written on the way out, and the clock goes on where it stood.
                at, folder = desk.now, desk.folder
                desk.world.store.close()
                desk = BrokerDesk(folder)
                desk.go_to(at)
        dumps.append(desk.world.dump())
    assert dumps[0] == dumps[1]
