"""Limits as the hub takes them, and orders that were accepted as something else."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.readback import Accepted, OrderDiffers, difference, wire_limit

D = Decimal
PRICES = st.decimals(-100, 100, places=2)


@pytest.mark.parametrize(
    ("limit", "negative", "positive"),
    [
        (D("42.25"), D("42.25"), D("42.25")),
        (D("-1.10"), D("-1.10"), D("1.10")),
        (D("0.00"), D("0.00"), D("0.00")),
    ],
)
def test_only_a_credit_has_a_sign_of_the_hubs(limit: Decimal, negative: Decimal, positive: Decimal) -> None:
    assert (wire_limit(limit, "negative"), wire_limit(limit, "positive")) == (negative, positive)


@pytest.mark.parametrize(
    ("accepted", "found"),
    [
        (Accepted(D("-1.10"), D(4)), None),
        (Accepted(D("-1.10"), D(-4)), None),
        (Accepted(D("1.10"), D(4)), OrderDiffers("credit_sign", D("-1.10"), D("1.10"))),
        (Accepted(D("-1.15"), D(4)), OrderDiffers("", D("-1.10"), D("-1.15"))),
        (Accepted(None, D(4)), OrderDiffers("", D("-1.10"), None)),
        (Accepted(D("-1.10"), D(8)), OrderDiffers("qty_multiplier", D(4), D(8))),
        (Accepted(D("1.10"), D(8)), OrderDiffers("qty_multiplier", D(4), D(8))),
    ],
)
def test_what_differs(accepted: Accepted, found: OrderDiffers | None) -> None:
    assert difference(D("-1.10"), 4, accepted) == found


def test_it_says_what_was_meant() -> None:
    assert str(OrderDiffers("qty_multiplier", D(4), D(8))) == (
        "the hub accepted a quantity of 8 where 4 was meant"
    )
    assert str(OrderDiffers("", D("-1.10"), None)) == "the hub accepted a limit of none where -1.10 was meant"


@given(sent=PRICES, told=PRICES, packages=st.integers(1, 50), quantity=st.integers(-100, 100))
def test_only_the_same_order_passes(sent: Decimal, told: Decimal, packages: int, quantity: int) -> None:
    same = sent == told and abs(quantity) == packages
    assert (difference(sent, packages, Accepted(told, D(quantity))) is None) is same
