from datetime import date, timedelta

import pytest

from mesoflow.simulator.market.sessions import calendar
from mesoflow.simulator.market.spread import Spread

SESSION = calendar().session(calendar().index_of(date(2025, 1, 16)) or 0)


def at(minutes: float, vix: float = 16.0) -> Spread:
    return Spread.of(vix, SESSION, timedelta(minutes=minutes))


def test_the_design_s_own_figure() -> None:
    """A month's put at the money, worth 98.40 with a vega of 6.9: about 97.70 x 99.10."""
    assert at(60).half_width(98.4, 0.47, 6.9, 0.10) == pytest.approx(0.70, abs=0.02)


def test_never_less_than_half_a_tick() -> None:
    assert at(60).half_width(0.02, 0.001, 0.001, 0.05) == 0.025


def test_wider_where_it_is_wider() -> None:
    usual = at(60).half_width(98.4, 0.47, 6.9, 0.10)
    assert at(60).half_width(98.4, 0.95, 6.9, 0.10) > usual  # deep in the money
    assert at(60, vix=32.0).half_width(98.4, 0.47, 6.9, 0.10) > usual
    assert at(4.9).half_width(98.4, 0.47, 6.9, 0.10) == pytest.approx(3 * usual)  # just opened
    assert at(405 - 4.9).half_width(98.4, 0.47, 6.9, 0.10) == pytest.approx(3 * usual)  # about to close
    assert at(5).half_width(98.4, 0.47, 6.9, 0.10) == usual


def test_twice_as_wide_while_rates_are_announced() -> None:
    announced = calendar().session(calendar().index_of(date(2025, 1, 29)) or 0)
    widths = [
        Spread.of(16.0, announced, timedelta(minutes=minutes)).half_width(98.4, 0.47, 6.9, 0.10)
        for minutes in (269.9, 270, 299.9, 300)
    ]
    usual = at(60).half_width(98.4, 0.47, 6.9, 0.10)
    assert widths == [usual, 2 * usual, 2 * usual, usual]
    assert at(280).half_width(98.4, 0.47, 6.9, 0.10) == usual, "another day"
