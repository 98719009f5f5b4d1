"""The constants as curves, delays and traits."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import get_args

from mesoflow.simulator.broker.profiles import Delays, MarketProfile, broker_traits
from mesoflow.simulator.world.world import Profile

D = Decimal


def test_the_hazard_grows_and_is_nothing_near_the_near_side() -> None:
    for name in get_args(Profile):
        profile = MarketProfile.of(name)
        rates = [profile.hazard(step / 20) for step in range(21)]
        assert rates == sorted(rates)
        assert [rate == 0 for rate in rates] == [step / 20 < 0.35 for step in range(21)]
        assert profile.hazard(0.5, 1.0) > profile.hazard(0.5) > profile.hazard(0.5, -1.0)


def test_at_mid_a_minute_often_is_not_enough_and_at_seventy_percent_it_nearly_always_is() -> None:
    profile = MarketProfile.of("strict")
    at_mid, further = (1 - math.exp(-60 * profile.hazard(way)) for way in (0.5, 0.7))
    assert 0.3 < at_mid < 0.5 and further > 0.95


def test_delays_are_within_their_bounds_and_seldom_long() -> None:
    delays = Delays(7)
    acks = [delays.acknowledge(f"k{number}").total_seconds() for number in range(2000)]
    assert min(acks) >= 0.05 and max(acks) <= 5.0
    assert 0.005 < sum(ack > 0.8 for ack in acks) / 2000 < 0.05
    late = [wait for number in range(2000) if (wait := delays.id_late(f"k{number}")) is not None]
    assert 0.03 < len(late) / 2000 < 0.08 and all(1 <= wait.total_seconds() <= 6 for wait in late)
    assert {delays.acknowledge("k1") for _ in range(3)} == {delays.acknowledge("k1")}


def test_the_brokers_differ() -> None:
    ib, tt = broker_traits("IBKR"), broker_traits("TastyTrade")
    assert [ib.takes(legs) for legs in range(1, 6)] == [True, True, True, True, False]
    assert [tt.takes(legs) for legs in range(1, 6)] == [True, True, False, True, False]
    assert (ib.commission_open, ib.commission_close) != (tt.commission_open, tt.commission_close)
