"""Halts of the exchange: quotes stand still and grow old, nothing fills, and then the market is where it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from mesoflow.simulator.faults import Away
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from tests.support.broker_desk import CONDOR, BrokerDesk

START = datetime(2025, 1, 16, 15, 30, tzinfo=UTC)
END = START + timedelta(minutes=15)
PUT = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(6000), "Put")


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    found = BrokerDesk(tmp_path / "w", profile="realistic")
    found.faults.halt(START, END - START)
    return found


def market(*halts: tuple[datetime, datetime]) -> Market:
    return Market(7, [Away(*halt) for halt in halts])


def test_quotes_are_those_of_the_last_step_before_it() -> None:
    halting, free = market((START, END)), Market(7)
    last = free.at(START - timedelta(seconds=1)).quote(PUT)
    for seconds in (0, 1, 899):
        at = START + timedelta(seconds=seconds)
        assert halting.at(at).quote(PUT) == last
        assert not halting.trades(at) and halting.next_step(at) == END
    assert halting.at(END).quote(PUT) == free.at(END).quote(PUT) != last
    assert halting.trades(END) and halting.trades(START - timedelta(seconds=1))


def test_halts_may_touch_and_lie_across_the_close_and_a_whole_day() -> None:
    middle, close = START + timedelta(minutes=5), datetime(2025, 1, 16, 21, 15, tzinfo=UTC)
    touching = market((START, middle), (middle, END), (START + timedelta(minutes=1), middle))
    assert touching.at(END - timedelta(seconds=1)).at == START - timedelta(seconds=1)
    assert touching.next_step(START) == middle
    late = market((close - timedelta(minutes=1), close + timedelta(hours=1)))
    assert late.next_step(close - timedelta(seconds=1)) == close
    assert late.at(close).at == close - timedelta(seconds=61)
    day = market((datetime(2025, 1, 17, 14, 0, tzinfo=UTC), datetime(2025, 1, 17, 22, 0, tzinfo=UTC)))
    assert day.at(datetime(2025, 1, 17, 18, 0, tzinfo=UTC)).at == close


def test_nothing_fills_and_cancels_are_taken(desk: BrokerDesk) -> None:
    plan = desk.plan(CONDOR)
    desk.go_to(START + timedelta(seconds=5))
    market_order = desk.send(plan, None, order_type="Market")
    limit = desk.send(plan, desk.price(plan, "0"), "order-2")
    desk.wait(600)
    assert [desk.state(id) for id in (market_order, limit)] == ["Submitted", "Submitted"]
    desk.cancel(limit)
    assert desk.ended(limit)["State"] == "Cancelled"
    desk.go_to(END)
    desk.wait(1)
    assert desk.state(market_order) == "Filled"
    fill = desk.world.broker.orders.fills_since(START)[0]
    assert fill.at == END


def test_ages_grow(desk: BrokerDesk) -> None:
    plan = desk.plan(CONDOR)
    desk.go_to(START + timedelta(seconds=60))
    fresh = desk.prepare_entry("prep-halted", plan["StrategyId"], "IB-1")
    ages = {prices["BidAgeMs"] for prices in fresh["LegPrices"].values()}
    assert min(ages) > 60_000


def test_an_order_that_rests_is_the_same_however_often_somebody_asks(tmp_path: Path) -> None:
    dumps = []
    for name, every in (("often", 1.7), ("seldom", 700.0)):
        desk = BrokerDesk(tmp_path / name)
        desk.faults.halt(START, END - START)
        plan = desk.plan(CONDOR, lots=5)
        desk.go_to(START - timedelta(seconds=30))
        desk.send(plan, desk.price(plan, "0.6"))
        while desk.now < END + timedelta(seconds=300):
            desk.clock.move_to(min(desk.now + timedelta(seconds=every), END + timedelta(seconds=300)))
            desk.ok("ListAccounts")
        dumps.append(desk.world.dump())
    assert dumps[0] == dumps[1]


def test_a_day_order_expires_in_a_halt_over_the_close(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    close = datetime(2025, 1, 16, 21, 15, tzinfo=UTC)
    desk.faults.halt(close - timedelta(minutes=2), timedelta(hours=3))
    desk.go_to(close - timedelta(minutes=5))
    plan = desk.plan(CONDOR)
    id = desk.send(plan, desk.price(plan, "0") - 10)
    desk.go_to(close + timedelta(seconds=5))
    assert desk.state(id) == "Expired"
