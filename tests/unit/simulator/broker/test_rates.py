"""The rate of fills against the hazard that the data file promises, sharply: many orders asked of one second of the market.

Draws are named by seed, key and second, so a fixed seed gives one share each time; the bound is four deviations of a share
of independent draws. A mutant that fills half again as often is seen.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest

from mesoflow.simulator.broker.profiles import MarketProfile
from mesoflow.simulator.draws import uniform
from mesoflow.simulator.world.world import Profile
from tests.support.broker_desk import CONDOR, BrokerDesk

ORDERS = 6_000
START = datetime(2025, 1, 16, 15, 1, tzinfo=UTC)
AT = START + timedelta(seconds=7)


def share(desk: BrokerDesk, way: float) -> tuple[float, float]:
    """How many of the orders at `way` are hit in one second, and how many should be."""
    plan = desk.plan(CONDOR)
    id = desk.send(plan, desk.price(plan, str(way)))
    placed = desk.world.broker.orders.get(id)
    matching = desk.world.broker.matching
    orders = (replace(placed, key=f"{way}-{n}", arrived=START, looked=START) for n in range(ORDERS))
    hits = sum(matching.look(order, AT) is not None for order in orders)
    return hits / ORDERS, chance(desk, placed)


def chance(desk: BrokerDesk, placed: Any) -> float:
    profile, package = MarketProfile.of(desk.world.profile), desk.world.broker.package(placed)
    quote, before = package.quote(AT), package.quote(AT - profile.adverse_window)
    limit, tick = int(placed.limit * 100), package.tick(quote.mid)
    if limit >= quote.book(profile.improvement, tick):
        return 1.0
    way = (limit - profile.through_ticks * tick - quote.near) / quote.width
    against = (before.mid - quote.mid) * 2 / quote.width
    return -math.expm1(-profile.hazard(way, against))


def is_off(found: float, wanted: float) -> bool:
    return abs(found - wanted) > 4 * math.sqrt(max(wanted * (1 - wanted), 1e-9) / ORDERS)


@pytest.mark.parametrize("profile", get_args(Profile))
@pytest.mark.parametrize("way", [0.2, 0.6, 0.7, 0.8])
@pytest.mark.parametrize("seed", [7, 8])
def test_a_second_fills_as_often_as_its_hazard_says(
    tmp_path: Path, profile: Profile, way: float, seed: int
) -> None:
    found, wanted = share(BrokerDesk(tmp_path / "w", seed=seed, profile=profile), way)
    assert not is_off(found, wanted), (found, wanted)
    if way == 0.2:
        assert found == 0.0
    elif 0.05 < wanted < 0.9:
        assert is_off(found * 1.5, wanted), "the mutant"


def test_draws_of_neighbouring_keys_and_seconds_have_nothing_to_do_with_each_other() -> None:
    drawn = [
        uniform(7, "fill", f"order-{n}", (AT + timedelta(seconds=n % 7)).isoformat()) for n in range(20_000)
    ]
    mean = sum(drawn) / len(drawn)
    product = sum((a - 0.5) * (b - 0.5) for a, b in pairwise(drawn)) / len(drawn)
    assert abs(mean - 0.5) < 4 * math.sqrt(1 / 12 / len(drawn))
    assert abs(product) < 4 / 12 / math.sqrt(len(drawn))
    cells = [0] * 20
    for value in drawn:
        cells[int(value * 20)] += 1
    chi_square = sum((count - 1000) ** 2 / 1000 for count in cells)
    assert chi_square < 45, "19 degrees of freedom: one in a thousand is above 43.8"
