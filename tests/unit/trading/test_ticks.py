"""Lessons Lean #7996 (limit not on the minimum variation) and pysystemtrade #1660 (rounded by the leg's tick)."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.ticks import round_in_favour, tick_table

PRICES = st.decimals(-500, 500, places=4)
SPX = tick_table("SPX")


@pytest.mark.parametrize(
    ("price", "tick", "rounded"),
    [
        ("42.27", "0.05", "42.25"),  # pay less
        ("-1.12", "0.05", "-1.15"),  # receive more
        ("42.25", "0.05", "42.25"),
        ("0.04", "0.05", "0.00"),
        ("-0.04", "0.05", "-0.05"),
    ],
)
def test_rounding_is_in_your_favour(price: str, tick: str, rounded: str) -> None:
    assert round_in_favour(D(price), D(tick)) == D(rounded)


@given(PRICES, st.sampled_from([D("0.01"), D("0.05"), D("0.10")]))
def test_a_rounded_price_is_on_the_tick_never_worse_and_less_than_a_tick_better(price: D, tick: D) -> None:
    rounded = round_in_favour(price, tick)
    assert rounded % tick == 0
    assert price - tick < rounded <= price


@given(PRICES)
def test_a_contract_stays_on_its_grid_when_it_rounds_across_three_points(price: D) -> None:
    rounded = SPX.contract.favour(price)
    assert rounded <= price
    assert rounded % SPX.contract.at(rounded) == 0


def test_a_package_has_its_own_tick_and_a_single_leg_the_contracts() -> None:
    assert SPX.for_order(4).favour(D("42.27")) == D("42.25")
    assert SPX.for_order(1).favour(D("42.27")) == D("42.20")
    assert SPX.for_order(1).favour(D("2.97")) == D("2.95")
    assert SPX.for_order(1).favour(D("-2.97")) == D("-3.00")


def test_a_symbol_that_is_not_listed_has_the_coarsest_grid() -> None:
    other = tick_table("XYZ")
    assert (other.for_order(2).at(D(1)), other.contract.at(D("2.99")), other.contract.at(D(3))) == (
        D("0.05"),
        D("0.05"),
        D("0.10"),
    )
