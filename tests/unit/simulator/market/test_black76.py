"""Black-76 against an independent library, and against itself backwards."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.market.black76 import Terms, delta, implied, price, sensitivities

vollib = pytest.importorskip("py_vollib.black_scholes_merton")
from py_vollib.black_scholes_merton.greeks import analytical  # noqa: E402

SPOT, RATE, DIVIDEND = 6000.0, 0.043, 0.013
YEARS = st.floats(0.002, 2.0)
STRIKES = st.integers(4500, 7500).map(float)
VOLATILITIES = st.floats(0.08, 0.6)
CALLS = st.booleans()


@given(YEARS, STRIKES, VOLATILITIES, CALLS)
def test_prices_and_greeks_are_the_librarys(
    years: float, strike: float, volatility: float, call: bool
) -> None:
    terms = Terms.of(SPOT, years, RATE, DIVIDEND)
    flag = "c" if call else "p"
    args = (flag, SPOT, strike, years, RATE, volatility, DIVIDEND)
    assert price(terms, strike, volatility, call) == pytest.approx(
        vollib.black_scholes_merton(*args), rel=1e-7, abs=1e-7
    )
    ours = sensitivities(terms, strike, volatility, call)
    theirs = [getattr(analytical, name)(*args) for name in ("delta", "gamma", "theta", "vega", "rho")]
    assert [ours.delta, ours.gamma, ours.theta, ours.vega, ours.rho] == pytest.approx(
        theirs, rel=1e-6, abs=1e-9
    )


@given(YEARS, STRIKES, VOLATILITIES, CALLS)
def test_a_delta_alone_is_the_same_to_the_last_digit(
    years: float, strike: float, volatility: float, call: bool
) -> None:
    terms = Terms.of(SPOT, years, RATE, DIVIDEND)
    assert delta(terms, strike, volatility, call) == sensitivities(terms, strike, volatility, call).delta


@given(YEARS, STRIKES, VOLATILITIES, CALLS)
def test_a_price_implies_its_volatility(years: float, strike: float, volatility: float, call: bool) -> None:
    terms = Terms.of(SPOT, years, RATE, DIVIDEND)
    target = price(terms, strike, volatility, call)
    vega = sensitivities(terms, strike, volatility, call).vega
    found = implied(terms, strike, target, call, 0.16)
    if vega > 1e-3:
        assert found == pytest.approx(volatility, abs=1e-4)


@pytest.mark.parametrize("target", [0.0, -1.0, 1e9, math.nan])
def test_what_no_volatility_explains_has_none(target: float) -> None:
    terms = Terms.of(SPOT, 0.1, RATE, DIVIDEND)
    assert implied(terms, 6000.0, target, True, 0.16) is None


def test_below_parity_there_is_no_volatility() -> None:
    terms = Terms.of(SPOT, 0.1, RATE, DIVIDEND)
    assert implied(terms, 5000.0, 900.0, True, 0.16) is None
