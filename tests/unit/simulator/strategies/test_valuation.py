"""The namespace `options`: the same figures as the market's, and those of an expiration by hand."""

from dataclasses import replace

import pytest

from mesoflow.simulator.strategies.legs import names_of
from mesoflow.simulator.strategies.valuation import NOTHING, Valuation
from tests.unit.simulator.strategies.test_entry import MARKET, THURSDAY, enter, template

SNAPSHOT = MARKET.at(THURSDAY)
CONDOR, CALENDAR = enter(template(104)), enter(template())
CONDOR_NOW = Valuation(CONDOR.legs, SNAPSHOT)


def solve(valuation: Valuation, days: float, start: float, end: float, *words: str) -> float | None:
    return valuation.call("model_solver", ("position", days, start, end, *words))


def test_now_and_here_it_is_what_the_position_has() -> None:
    valuation = Valuation(CALENDAR.legs, SNAPSHOT)
    names = names_of(CALENDAR.legs)
    for metric in ("delta", "gamma", "theta", "vega", "rho", "wvega"):
        assert valuation.model(0, SNAPSHOT.spot, metric) == pytest.approx(names[f"pos_{metric}"], rel=1e-9)
    assert valuation.model(0, SNAPSHOT.spot, "pnl") == pytest.approx(0.0, abs=10.0), "half a tick a leg"


def test_at_its_end_a_condor_is_worth_what_its_strikes_say() -> None:
    legs = {leg.name: leg for leg in CONDOR.legs}
    credit = float(CONDOR.variables["credit"]) * 100
    shorts = [float(legs[name].option.strike) for name in ("short_put", "short_call")]
    middle = sum(shorts) / 2
    ends = shorts[0] - 200, shorts[1] + 200
    assert CONDOR_NOW.model(0, middle, "pnl") == pytest.approx(credit)
    assert solve(CONDOR_NOW, 0, *ends, "pnl", "maximize", "return_value") == pytest.approx(credit)
    assert solve(CONDOR_NOW, 0, *ends, "pnl", "minimize", "return_value") == pytest.approx(credit - 2500)
    lower = solve(CONDOR_NOW, 0, *ends, "pnl", "zero", "return_price")
    upper = solve(CONDOR_NOW, 0, *reversed(ends), "pnl", "zero", "return_price")  # type: ignore[arg-type]
    assert lower == pytest.approx(shorts[0] - credit / 100) and upper == pytest.approx(
        shorts[1] + credit / 100
    )


def test_a_calendar_earns_most_at_its_strike_when_the_front_expires() -> None:
    valuation, strike = Valuation(CALENDAR.legs, SNAPSHOT), float(CALENDAR.legs[0].option.strike)
    best = solve(valuation, CALENDAR.legs[0].dte, 4000, 8000, "pnl", "maximize", "return_price")
    assert best == pytest.approx(strike, abs=15.0)
    debit = float(CALENDAR.variables["initial_debit"]) * 100
    far_above = valuation.model(CALENDAR.legs[0].dte, 12000, "pnl")
    assert far_above == pytest.approx(-debit, abs=1.0), "both puts are worthless"
    far_below = valuation.model(CALENDAR.legs[0].dte, 1000, "pnl")
    assert far_below is not None and far_below < -debit, "a European put in the money costs its interest"


def test_what_never_crosses_zero_has_no_crossing() -> None:
    assert solve(CONDOR_NOW, 0, 100, 200, "pnl", "zero", "return_price") is None


def test_without_a_position_or_its_market_every_figure_is_nil() -> None:
    assert NOTHING.call("model", ("position", 1, 6000, "pnl")) is None
    assert solve(NOTHING, 1, 5000, 7000, "pnl", "zero", "return_price") is None
    markers = [replace(leg, qty=leg.qty * 0) for leg in CONDOR.legs]
    assert Valuation(markers, SNAPSHOT).model(1, 6000, "pnl") is None
    unpriced = [replace(CONDOR.legs[0], greeks=None), *CONDOR.legs[1:]]
    assert Valuation(unpriced, SNAPSHOT).model(1, 6000, "pnl") is None


def test_what_was_earned_stays_earned() -> None:
    held = [replace(leg, pnl=25.0) for leg in CONDOR.legs]
    earned = Valuation(held, SNAPSHOT, realized=300.0).model(0, 6000, "pnl")
    fresh = CONDOR_NOW.model(0, 6000, "pnl")
    assert earned is not None and fresh is not None and earned - fresh == pytest.approx(400.0)
