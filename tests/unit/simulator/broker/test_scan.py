"""The scan of a portfolio's risk, against the market's own prices and what the strikes can lose."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.simulator.broker.scan import scanned
from mesoflow.simulator.market import black76
from mesoflow.simulator.market.black76 import Terms
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market

D = Decimal
SNAPSHOT = Market(7).at(datetime(2025, 1, 16, 15, 0, tzinfo=UTC))
DAY = date(2025, 2, 14)


def option(strike: int, right: str = "Put") -> Option:
    return Option("SPX", "SPXW", DAY, D(strike), right)  # type: ignore[arg-type]


def needed(*held: tuple[Option, int], **bounds: float) -> Decimal:
    found = scanned([(one, D(qty)) for one, qty in held], SNAPSHOT, D(100), **bounds)
    assert found is not None
    return found


def test_a_naked_put_needs_what_it_loses_ten_percent_lower() -> None:
    put = option(5900)
    expiry = SNAPSHOT.expiry_of(put)
    assert expiry is not None
    smile = SNAPSHOT.slice_of(expiry)
    terms, volatility = smile.terms, smile.volatility(5900.0)
    lower = Terms.of(SNAPSHOT.spot * 0.9, terms.years, terms.interest, terms.dividend)
    loss = black76.price(lower, 5900.0, volatility, False) - black76.price(terms, 5900.0, volatility, False)
    assert float(needed((put, -1))) == pytest.approx(loss * 100, abs=0.01)


def test_what_is_bought_and_sold_needs_nothing_and_small_things_a_little() -> None:
    put = option(5900)
    assert needed((put, 1), (put, -1)) == 0
    assert needed((option(3000), -10)) == D("375.00"), "37.50 a contract"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1000, 1400).map(lambda n: n * 5), st.sampled_from(("Put", "Call")), st.integers(-5, 5)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_two_portfolios_never_need_more_together(legs: list[tuple[int, str, int]]) -> None:
    """Longs against shorts: margin is subadditive but for the least a contract."""
    held = [(option(strike, right), qty) for strike, right, qty in legs]
    half = len(held) // 2
    assert needed(*held) <= needed(*held[:half]) + needed(*held[half:]) + D("0.02")
    assert needed(*held) >= 0


@given(st.integers(5000, 6000).map(lambda n: n // 5 * 5), st.integers(1, 40).map(lambda n: n * 5))
@settings(max_examples=30, deadline=None)
def test_a_vertical_never_needs_more_than_its_width(strike: int, width: int) -> None:
    assert needed((option(strike), -1), (option(strike - width), 1)) <= max(D(width * 100), D(75))


def test_a_wider_scan_needs_no_less() -> None:
    strangle = ((option(5700), -1), (option(6300, "Call"), -1))
    wider = [needed(*strangle, below=share, above=share) for share in (2.0, 5.0, 10.0, 15.0)]
    assert wider == sorted(wider)


def test_what_has_expired_has_no_scan() -> None:
    gone = Option("SPX", "SPXW", date(2025, 1, 10), D(5900), "Put")
    assert scanned([(gone, D(1))], SNAPSHOT, D(100)) is None
