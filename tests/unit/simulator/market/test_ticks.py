from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.market.ticks import from_cents, ticks

SPX = ticks("SPX")


@given(st.floats(0, 500_000))
def test_rounding_goes_to_the_nearest_allowed_price_on_its_side(cents: float) -> None:
    down, up = SPX.down(cents), SPX.up(cents)
    assert down <= cents <= up
    assert SPX.allows(from_cents(down)) and SPX.allows(from_cents(up))
    assert up - down <= 10


def test_the_ladder_of_the_index_options() -> None:
    allowed = ["0.05", "2.95", "3.00", "3.10", "102.40"]
    refused = ["0.01", "2.99", "3.05", "102.45"]
    assert [SPX.allows(Decimal(p)) for p in allowed + refused] == [True] * 5 + [False] * 4
    assert [SPX.down(299.9), SPX.up(296.0), SPX.up(300.1), SPX.down(309.9)] == [295, 300, 310, 300]


def test_cents_become_money_with_two_places() -> None:
    assert [str(from_cents(c)) for c in (0, 5, 4220)] == ["0.00", "0.05", "42.20"]
