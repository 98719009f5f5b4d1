"""The four types of orders and the two times in force, each from its acceptance to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker_desk import CONDOR, SHORT_PUT, BrokerDesk

D = Decimal
CLOSE = datetime(2025, 1, 16, 21, 15, tzinfo=UTC)
NEXT_OPEN = datetime(2025, 1, 17, 14, 30, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w", profile="realistic")


def put(desk: BrokerDesk) -> tuple[Any, Decimal]:
    """A short put's plan, and what its package is worth (a credit: below 0), on tick."""
    plan = desk.plan(SHORT_PUT)
    return plan, desk.price(plan, "0.5").quantize(D("0.1"))


def fills(desk: BrokerDesk, id: int) -> list[Any]:
    return [
        fill
        for fill in desk.world.broker.orders.fills_since(datetime(2025, 1, 1, tzinfo=UTC))
        if fill.order == id
    ]


@pytest.mark.parametrize(
    ("order_type", "prices", "states"),
    [
        ("Market", {}, ["Submitted", "Filled"]),
        ("Limit", {"limit": D(3)}, ["Submitted", "Filled"]),
        ("Limit", {"limit": D(-10)}, ["Submitted"]),
        ("Stop", {"stop_price": D(-5)}, ["Submitted", "Filled"]),
        ("Stop", {"stop_price": D(10)}, ["Submitted"]),
        ("StopLimit", {"stop_price": D(-5), "limit": D(3)}, ["Submitted", "Filled"]),
        ("StopLimit", {"stop_price": D(-5), "limit": D(-10)}, ["Submitted"]),
        ("StopLimit", {"stop_price": D(10), "limit": D(10)}, ["Submitted"]),
    ],
)
def test_what_becomes_of_an_order(
    desk: BrokerDesk, order_type: str, prices: dict[str, Decimal], states: list[str]
) -> None:
    """Prices are so far above (+) or below the package's worth: what costs more than it is worth fills."""
    plan, worth = put(desk)
    limit, stop = (
        None if (away := prices.get(name)) is None else worth + away for name in ("limit", "stop_price")
    )
    id = desk.send(plan, limit, order_type=order_type, stop_price=stop)
    desk.wait(30)
    assert [state for state, *_ in desk.told(id)] == states
    order = desk.order(id)
    assert (order["OrderType"], order["LimitPrice"], order["StopPrice"]) == (order_type, limit, stop)
    for fill in fills(desk, id):
        quote = desk.world.broker.package(desk.world.broker.orders.get(id)).quote(fill.at)
        assert quote.near <= fill.price * 100 <= quote.natural
        assert limit is None or fill.price <= limit


def test_a_stop_that_was_reached_stays_reached(desk: BrokerDesk) -> None:
    """What it sells or buys after that is a limit order's affair, also when the market goes back."""
    plan, worth = put(desk)
    id = desk.send(plan, worth - D(10), order_type="StopLimit", stop_price=worth - D(1))
    desk.wait(10)
    assert desk.state(id) == "Submitted" and desk.world.broker.orders.get(id).triggered
    stop = desk.send(plan, None, "order-2", order_type="Stop", stop_price=worth + D(10))
    desk.wait(10)
    assert desk.state(stop) == "Submitted" and not desk.world.broker.orders.get(stop).triggered


def test_a_stop_loss_of_a_credit_is_reached_when_it_costs_more(desk: BrokerDesk) -> None:
    """Bought back: its price is a debit, and grows as the market goes against it."""
    plan, worth = put(desk)
    desk.ended(desk.send(plan, worth + D(3)), within=60)
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    stop = (-worth + D("1.5")).quantize(D("0.1"))
    id = desk.send(leave, None, "order-2", order_type="Stop", stop_price=stop)
    desk.until(lambda: desk.state(id) in ("Filled", "Expired"), within=6 * 3600, every=60)
    assert (desk.order(id)["Side"], desk.state(id)) == ("B", "Filled")
    fill = fills(desk, id)[0]
    quote = desk.world.broker.package(desk.world.broker.orders.get(id)).quote(fill.at)
    assert quote.mid >= stop * 100 - 50 and quote.mid <= fill.price * 100 <= quote.natural


def test_a_day_order_ends_at_an_early_close(desk: BrokerDesk) -> None:
    desk.go_to(datetime(2025, 7, 3, 17, 5, tzinfo=UTC))
    plan = desk.plan(CONDOR)
    day, good = (desk.send(plan, "-49.90", f"order {force}", time_in_force=force) for force in ("DAY", "GTC"))
    desk.go_to(datetime(2025, 7, 3, 17, 14, 59, tzinfo=UTC))
    assert [desk.state(id) for id in (day, good)] == ["Submitted", "Submitted"]
    desk.go_to(datetime(2025, 7, 3, 17, 15, 1, tzinfo=UTC))
    assert [desk.state(id) for id in (day, good)] == ["Expired", "Submitted"]


def test_over_the_night_nothing_fills_and_in_the_morning_a_good_one_does(desk: BrokerDesk) -> None:
    desk.go_to(CLOSE.replace(minute=10))
    plan, worth = put(desk)
    # So far off nobody comes by; the morning comes to it.
    id = desk.send(plan, worth - D(8), time_in_force="GTC")
    desk.go_to(NEXT_OPEN)
    assert (desk.state(id), fills(desk, id)) == ("Submitted", [])
    desk.until(lambda: desk.state(id) in ("Filled",), within=6 * 24 * 3600, every=600)
    filled = fills(desk, id)[0].at
    assert filled >= NEXT_OPEN and desk.world.market.calendar.is_open(filled)


def test_while_the_exchange_is_closed_only_a_good_one_is_taken(desk: BrokerDesk) -> None:
    plan = desk.plan(CONDOR)
    desk.go_to(CLOSE.replace(hour=23))
    day, good = (
        desk.send(plan, desk.price(plan, "1"), f"order {force}", time_in_force=force)
        for force in ("DAY", "GTC")
    )
    assert desk.ended(day)["State"] == "Rejected" and desk.told(day)[-1][2] == "399"
    desk.go_to(NEXT_OPEN.replace(minute=29))
    assert desk.state(good) == "Submitted"


def test_a_market_order_that_waits_for_the_open_takes_the_opens_price(desk: BrokerDesk) -> None:
    plan = desk.plan(CONDOR)
    desk.go_to(CLOSE.replace(hour=23))
    id = desk.send(plan, None, order_type="Market", time_in_force="GTC")
    desk.wait(3600)
    assert desk.state(id) == "Submitted"
    desk.go_to(NEXT_OPEN.replace(minute=31))
    assert desk.state(id) == "Filled" and fills(desk, id)[0].at == NEXT_OPEN
