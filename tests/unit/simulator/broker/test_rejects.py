"""What a broker refuses on arrival: one case a reason, told with the broker's own code."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mesoflow.hubs.models.orders import OrderRejectionInfo
from mesoflow.simulator.broker.rejects import on_tick, rejection
from mesoflow.simulator.shared import data
from tests.support.broker_desk import CONDOR, FLY, SHORT_PUT, STRANGLE, THREE, BrokerDesk, LegOf

D = Decimal
BOX: tuple[LegOf, ...] = (
    ("low_call", 1, "Call", -100, 1),
    ("high_call", -1, "Call", 100, 1),
    ("low_put", -1, "Put", -100, 1),
    ("high_put", 1, "Put", 100, 1),
)


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w")


def rejected(desk: BrokerDesk, id: int) -> str | None:
    """The code of an order that must be refused."""
    assert desk.ended(id)["State"] == "Rejected"
    desk.wait(5)
    assert desk.world.ledger.fills() == []
    return desk.told(id)[-1][2]


def test_each_reason_has_both_brokers_words() -> None:
    for reason, brokers in data("rejects.json").items():
        if reason != "provenance":
            assert set(brokers) == {"IBKR", "TastyTrade"}
            for broker in brokers:
                told = rejection(reason, broker)
                assert told.code and told.reason and told.provider == broker
    assert rejection("off_tick", "IBKR") == OrderRejectionInfo(
        code="110",
        reason="The price does not conform to the minimum price variation of this contract.",
        provider="IBKR",
    )


@pytest.mark.parametrize(("legs", "off"), [(CONDOR, "0.02"), (SHORT_PUT, "0.05")])
def test_a_limit_off_tick(desk: BrokerDesk, legs: tuple[LegOf, ...], off: str) -> None:
    plan = desk.plan(legs)
    # A package goes by 0.05, a contract above 3.00 by 0.10.
    limit = desk.price(plan, "0").quantize(D("0.1")) - D(off)
    assert rejected(desk, desk.send(plan, limit)) == "110"


def test_a_stop_off_tick(desk: BrokerDesk) -> None:
    plan = desk.plan()
    assert rejected(desk, desk.send(plan, None, order_type="Stop", stop_price="-1.02")) == "110"


def test_a_box_goes_by_the_cent(desk: BrokerDesk) -> None:
    plan = desk.plan(BOX)
    id = desk.send(plan, desk.price(plan, "0") + D("0.01"))
    desk.wait(5)
    assert desk.state(id) == "Submitted"


@pytest.mark.parametrize(
    ("price", "fits"), [("2.95", True), ("2.92", False), ("-2.95", True), ("3.05", False), ("-3.10", True)]
)
def test_the_ticks_of_a_contract(desk: BrokerDesk, price: str, fits: bool) -> None:
    plan = desk.plan(SHORT_PUT)
    order = desk.world.broker.orders.get(desk.send(plan, "-30.00"))
    assert on_tick(D(price), desk.world.broker.package(order)) is fits


def test_a_price_far_past_the_market(desk: BrokerDesk) -> None:
    plan = desk.plan()
    far = desk.price(plan, "1")
    assert rejected(desk, desk.send(plan, (far * D("0.9")).quantize(D("0.1")))) == "109"


def test_an_order_larger_than_the_limit(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=126)
    assert rejected(desk, desk.send(plan, desk.price(plan, "1"))) == "451"


def test_one_broker_takes_three_legs_and_the_other_has_them_split(tmp_path: Path) -> None:
    for account, legs, code in (
        ("IB-1", THREE, None),
        ("TT-1", THREE, "invalid_leg_count"),
        ("TT-1", FLY, "invalid_leg_count"),
        ("TT-1", CONDOR, None),
        ("TT-1", THREE[:2], None),
    ):
        desk = BrokerDesk(tmp_path / f"{account}-{len(legs)}-{legs[0][0]}", account=account)
        plan = desk.plan(legs)
        order = desk.ended(desk.send(plan, desk.price(plan, "1")))
        desk.wait(5)
        assert (order["State"], desk.told(order["OrderId"])[-1][2]) == (
            "Rejected" if code else "Filled",
            code,
        )


def test_the_second_broker_gives_its_reason_after_the_status(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w", account="TT-1")
    id = desk.send(desk.plan(THREE), "-1.00")
    desk.ended(id)
    assert desk.told(id) == [("Rejected", 0, None)]
    desk.wait(3)
    assert desk.told(id) == [("Rejected", 0, None), ("Rejected", 0, "invalid_leg_count")]


def test_an_order_on_the_other_side_of_an_open_one(desk: BrokerDesk) -> None:
    plan = desk.plan()
    desk.ended(desk.send(plan, desk.price(plan, "1")))
    desk.send(plan, desk.price(plan, "0"), "order-2")
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    id = desk.send(leave, desk.price(leave, "1"), "order-3")
    assert desk.ended(id)["State"] == "Rejected"
    assert desk.told(id)[-1][2] == "201"


def test_an_order_for_the_day_while_the_exchange_is_closed(desk: BrokerDesk) -> None:
    plan = desk.plan()
    desk.go_to(desk.now.replace(hour=22))
    assert rejected(desk, desk.send(plan, desk.price(plan, "1"))) == "399"
    assert rejected(desk, desk.send(plan, None, "order-3", order_type="Market")) == "399"
    good = desk.send(plan, desk.price(plan, "1"), "order-2", time_in_force="GTC")
    desk.wait(8 * 3600)
    assert desk.state(good) == "Submitted"
    desk.go_to(desk.now.replace(hour=14, minute=30, second=30))
    assert desk.state(good) in ("Filled", "Submitted")


def test_an_order_whose_margin_the_account_does_not_have(desk: BrokerDesk) -> None:
    plan = desk.plan(STRANGLE, lots=4)
    assert rejected(desk, desk.send(plan, desk.price(plan, "1").quantize(D("0.1")))) == "201"


def test_margin_counts_the_open_orders(desk: BrokerDesk) -> None:
    # An iron condor of 50 points needs 5,000 dollars a lot, less its credit.
    plan = desk.plan(lots=45)
    first = desk.send(plan, desk.price(plan, "0"))
    desk.wait(5)
    assert desk.state(first) == "Submitted"
    second = desk.send(plan, desk.price(plan, "0"), "order-2")
    assert rejected(desk, second) == "201"


def test_what_closes_is_never_refused_for_margin(desk: BrokerDesk) -> None:
    plan = desk.plan(SHORT_PUT, lots=2)
    far = desk.price(plan, "1").quantize(D("0.1"))
    desk.ended(desk.send(plan, far))
    with desk.world.core.change(desk.now):
        desk.world.accounts.book("IB-1", D("-200000"))
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    order = desk.ended(desk.send(leave, desk.price(leave, "1").quantize(D("0.1")), "order-2"))
    assert order["State"] == "Filled"
