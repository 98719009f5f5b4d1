from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.market import black76
from mesoflow.simulator.market.pricing import pair, quoted_pair
from mesoflow.simulator.market.sessions import calendar
from mesoflow.simulator.market.spread import Spread
from mesoflow.simulator.market.surface import Surface
from mesoflow.simulator.market.ticks import ticks

SESSION = calendar().session(calendar().index_of(date(2025, 1, 16)) or 0)
SPREAD = Spread.of(16.0, SESSION, timedelta(hours=1))
STRIKES = st.integers(400, 2000).map(lambda n: n * 5.0)
MINUTES = st.floats(0, 400 * 1440.0)


@given(STRIKES, MINUTES)
def test_a_pair_is_two_black76_prices(strike: float, minutes: float) -> None:
    smile = Surface(6000.0, 16.0).at(minutes)
    volatility, found = smile.volatility(strike), pair(smile, strike)
    for call, price in ((True, found.call), (False, found.put)):
        assert price == pytest.approx(black76.price(smile.terms, strike, volatility, call), abs=1e-8)
    greeks = black76.sensitivities(smile.terms, strike, volatility, True)
    assert (found.delta, found.vega) == pytest.approx((greeks.delta, greeks.vega), rel=1e-9, abs=1e-12)


@given(STRIKES, MINUTES)
def test_a_quote_stands_around_its_price(strike: float, minutes: float) -> None:
    smile = Surface(6000.0, 16.0).at(minutes)
    worth = pair(smile, strike)
    _, call_bid, call_ask, put_bid, put_ask = quoted_pair(smile, strike, SPREAD, ticks("SPX"))
    for price, bid, ask in ((worth.call, call_bid, call_ask), (worth.put, put_bid, put_ask)):
        assert 0 <= bid <= price * 100 + 1e-6 and price * 100 - 1e-6 <= ask
        assert bid < ask
