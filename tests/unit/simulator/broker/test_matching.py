"""When resting orders fill: the hazard at a fixed seed, profiles, sizes, and what must never be."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from mesoflow.simulator.broker.profiles import MarketProfile
from mesoflow.simulator.shared import data
from mesoflow.simulator.world.world import Profile
from tests.support.broker_desk import CONDOR, BrokerDesk

D = Decimal


def filled_within(desk: BrokerDesk, way: str, orders: int, seconds: int) -> float:
    """The share of many orders at one price that the market fills."""
    plan = desk.plan()
    found = 0
    for number in range(orders):
        # Each is alone, and asked of the same minute of the market: only its key differs.
        id = desk.send(plan, desk.price(plan, way), f"{way}-{number}")
        order = desk.world.broker.orders.get(id)
        start = datetime(2025, 1, 16, 15, 1, tzinfo=UTC)
        with desk.world.core.change(desk.now):
            order = desk.world.broker.orders.put(order, phase="working", arrived=start, looked=start)
        looks = (start + timedelta(seconds=second) for second in range(1, seconds + 1))
        found += any(desk.world.broker.matching.look(order, at) for at in looks)
        with desk.world.core.change(desk.now):
            desk.world.broker.orders.put(order, phase="cancelled")
    return found / orders


def expected_within(desk: BrokerDesk, way: float, seconds: int) -> float:
    profile = MarketProfile.of(desk.world.profile)
    return 1 - math.exp(-profile.hazard(way) * seconds)


@pytest.mark.parametrize("profile", get_args(Profile))
@pytest.mark.parametrize("way", ["0.3", "0.5", "0.7"])
def test_the_rate_of_fills_is_that_of_the_hazard(tmp_path: Path, profile: Profile, way: str) -> None:
    desk = BrokerDesk(tmp_path / "w", profile=profile)
    share, wanted = filled_within(desk, way, 120, 60), expected_within(desk, float(way), 60)
    # The way wanders with the market within the minute, and strict asks for a tick more: the band is wide.
    assert abs(share - wanted) < 0.2 + 0.25 * wanted * (1 - wanted)
    if way == "0.3":
        assert share < 0.1


@pytest.mark.parametrize("profile", get_args(Profile))
def test_no_fill_is_outside_its_limit_or_more_than_wanted(tmp_path: Path, profile: Profile) -> None:
    """Whatever is sent, for half an hour; the legs' prices sum up to the package's."""
    desk = BrokerDesk(tmp_path / "w", profile=profile)
    plan = desk.plan(lots=3)
    limits = {}
    for number, way in enumerate(("0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1", "1.1")):
        limits[desk.send(plan, desk.price(plan, way), f"order-{number}")] = desk.price(plan, way)
    desk.wait(1800)
    assert any(desk.order(id)["CumQty"] for id in limits)
    fills = desk.world.broker.orders.fills_since(datetime(2025, 1, 1, tzinfo=UTC))
    for fill in fills:
        assert fill.price <= limits[fill.order] and fill.packages >= 1
        assert sum(qty * fill.prices[name] for name, qty, *_ in CONDOR) == fill.price
        order = desk.world.broker.orders.get(fill.order)
        quote = desk.world.broker.package(order).quote(fill.at)
        improved = quote.book(MarketProfile.of(profile).improvement, 5)
        assert fill.price * 100 >= min(improved, int(limits[fill.order] * 100))
    for ordered in desk.world.ledger.orders():
        assert 0 <= ordered.filled <= ordered.packages == 3


def test_strict_fills_no_sooner_than_realistic_and_that_no_sooner_than_kind(tmp_path: Path) -> None:
    times = {}
    for profile in get_args(Profile):
        desk = BrokerDesk(tmp_path / profile, profile=profile)
        plan = desk.plan()
        ids = [desk.send(plan, desk.price(plan, "0.6"), f"order-{number}") for number in range(10)]
        desk.wait(900)
        times[profile] = [desk.order(id)["FilledAt"] or "never" for id in ids]
    for strict, realistic, kind in zip(*(times[name] for name in get_args(Profile)), strict=True):
        assert strict >= realistic >= kind
    assert times["strict"] != times["kind"]


def test_what_we_took_does_not_return_at_once(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w", profile="kind")
    plan = desk.plan(lots=45)
    id = desk.send(plan, desk.price(plan, "1") + D("0.30"))
    desk.ended(id, within=600)
    fills = desk.world.broker.orders.fills_since(datetime(2025, 1, 1, tzinfo=UTC))
    returns = timedelta(seconds=data("broker.json")["sizes"]["returns_within"])
    assert sum(fill.packages for fill in fills) == 45
    for fill in fills:
        lately = sum(f.packages for f in fills if fill.at - returns < f.at <= fill.at and f.id <= fill.id)
        assert lately <= 2 * data("broker.json")["sizes"]["most"]
    assert len(fills) > 1 and fills[-1].at - fills[0].at > timedelta(seconds=1)
