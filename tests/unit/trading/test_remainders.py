"""The multiplier of what is left: exact, or none."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.remainders import remainder_multiplier

D = Decimal


@pytest.mark.parametrize(
    ("lots", "rest", "packages", "quantities", "multiplier"),
    [
        (D(10), 10, 10, [D(-10), D(10)], D(10)),
        (D(10), 6, 10, [D(-10), D(10)], D(6)),
        (D(1), 1, 2, [D(-2), D(2)], D("0.5")),
        (D(2), 1, 4, [D(4), D(-8), D(4)], D("0.5")),
        (D(1), 1, 3, [D(-3), D(3)], None),
        (D(3), 1, 3, [D(-3), D(3)], D(1)),
        (D("1.5"), 1, 3, [D(3), D(-3)], D("0.5")),
    ],
)
def test_the_multiplier_of_a_remainder(
    lots: Decimal, rest: int, packages: int, quantities: list[Decimal], multiplier: Decimal | None
) -> None:
    assert remainder_multiplier(lots, rest, packages, quantities) == multiplier


@given(
    lots=st.integers(1, 50),
    packages=st.integers(1, 60),
    ratio=st.lists(st.integers(-3, 3).filter(bool), min_size=1, max_size=4),
    data=st.data(),
)
def test_what_the_hub_makes_of_it_is_exactly_the_remainder(
    lots: int, packages: int, ratio: list[int], data: st.DataObject
) -> None:
    rest = data.draw(st.integers(1, packages))
    quantities = [D(count * packages) for count in ratio]
    multiplier = remainder_multiplier(D(lots), rest, packages, quantities)
    if multiplier is None:
        exact = Fraction(lots * rest, packages)
        assert exact * 10**6 != int(exact * 10**6)
        return
    for count, quantity in zip(ratio, quantities, strict=True):
        of_one_lot = Fraction(quantity) / lots
        assert of_one_lot * Fraction(multiplier) == count * rest
