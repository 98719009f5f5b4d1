from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mesoflow.simulator.market.black76 import Sensitivities
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Quote
from mesoflow.simulator.strategies.legs import MarketLeg, names_of, scaled

AT = datetime(2025, 1, 16, 15, tzinfo=UTC)


def put(name: str, qty: int, delta: float, *, greeks: bool = True) -> MarketLeg:
    option = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(5900), "Put")
    quote = Quote(AT, Decimal("10.00"), Decimal("11.00"), None, Decimal("10.50"))
    figures = Sensitivities(delta, 0.001, -1.5, 6.0, -2.0, 0.16)
    return MarketLeg(name, name, option, Decimal(qty), 1, 30, quote, figures if greeks else None)


def test_greeks_are_of_the_whole_quantity_in_percent() -> None:
    """Long one put at 40 delta is −40, short two at 30 are +60, the position is their sum."""
    names = names_of([put("long", 1, -0.40), put("short", -2, -0.30)])
    assert (names["leg_long_delta"], names["leg_short_delta"]) == (pytest.approx(-40), pytest.approx(60))
    assert names["pos_delta"] == pytest.approx(20)
    assert names["leg_short_theta"] == pytest.approx(300)
    assert (names["leg_long_price"], names["leg_long_strike"], names["leg_short_qty"]) == (10.5, 5900.0, -2.0)


def test_vega_is_weighted_to_thirty_days() -> None:
    greeks = Sensitivities(0, 0, 0, 6.0, 0, 0.16)
    assert scaled(greeks, Decimal(1), 30)["wvega"] == pytest.approx(600)
    assert scaled(greeks, Decimal(1), 120)["wvega"] == pytest.approx(300)
    assert scaled(greeks, Decimal(1), 0)["wvega"] == scaled(greeks, Decimal(1), 1)["wvega"]


def test_what_a_leg_does_not_tell_the_position_does_not_either() -> None:
    names = names_of([put("a", 1, -0.4), put("b", 1, -0.4, greeks=False)])
    assert names["leg_b_delta"] is None and names["pos_delta"] is None and names["leg_a_delta"] is not None
