"""No arbitrage in the surface itself: neither between strikes nor between expiries, whatever VIX is."""

import itertools
import math
from dataclasses import replace

import pytest

from mesoflow.simulator.market import black76
from mesoflow.simulator.market.surface import Slice, Surface

VIXES = (9.0, 12.0, 16.0, 25.0, 40.0, 85.0)
MINUTES = (0.0, 5.0, 60.0, 390.0, 1440.0, 3 * 1440.0, 7 * 1440.0, 30 * 1440.0, 60 * 1440.0, 365 * 1440.0)


def variance(smile: Slice, k: float) -> float:
    """Total variance at log-moneyness k."""
    return smile.volatility(smile.terms.forward * math.exp(k)) ** 2 * smile.terms.years


def least_density(smile: Slice) -> float:
    """The least of Durrleman's function: where it is negative, the smile implies a negative density."""
    found = math.inf
    width = 6 * math.sqrt(variance(smile, 0.0))
    for n in range(-200, 201):
        k, h = width * n / 200, width * 1e-3
        w, up, down = variance(smile, k), variance(smile, k + h), variance(smile, k - h)
        slope, bend = (up - down) / (2 * h), (up - 2 * w + down) / (h * h)
        g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2
        found = min(found, g)
    return found


@pytest.mark.parametrize("vix", VIXES)
@pytest.mark.parametrize("minutes", MINUTES)
def test_no_butterfly_is_free(vix: float, minutes: float) -> None:
    assert least_density(Surface(6000.0, vix).at(minutes)) > -1e-6


def test_the_check_for_butterflies_sees_one() -> None:
    """The mutant: a smile six times too steep."""
    smile = Surface(6000.0, 16.0).at(30 * 1440.0)
    assert least_density(replace(smile, phi=6 * smile.phi)) < -0.01


@pytest.mark.parametrize("vix", VIXES)
def test_no_calendar_is_free(vix: float) -> None:
    surface = Surface(6000.0, vix)
    smiles = [surface.at(minutes) for minutes in MINUTES[1:]]
    for near, far in itertools.pairwise(smiles):
        for n in range(-60, 61):
            assert variance(far, n / 100) > variance(near, n / 100)


def test_a_month_at_the_money_follows_vix() -> None:
    for vix in VIXES:
        smile = Surface(6000.0, vix).at(30 * 1440.0)
        # The smile is slightly above theta away from its lowest point; at the money it is theta.
        assert smile.volatility(smile.terms.forward) == pytest.approx(0.92 * vix / 100, rel=1e-9)


def test_the_last_minutes_do_not_explode() -> None:
    """An option's last minutes are priced as those of the floor, and far strikes keep a finite volatility."""
    surface = Surface(6000.0, 16.0)
    assert surface.at(0.0) == surface.at(5.0)
    assert surface.at(1.0).volatility(5900.0) < 1.0


def test_figures_of_the_design_are_met_roughly() -> None:
    """S=6000, VIX 16: a month's put at the money is worth about 98, the calendar 30/60 about 42."""
    surface = Surface(6000.0, 16.0)
    near, far = surface.at(30 * 1440.0), surface.at(60 * 1440.0)
    puts = [black76.price(smile.terms, 6000.0, smile.volatility(6000.0), False) for smile in (near, far)]
    assert puts[0] == pytest.approx(98.4, abs=6)
    assert puts[1] - puts[0] == pytest.approx(42.25, abs=4)
