from decimal import Decimal as D
from math import gcd

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mesoflow.trading.combos import PackageQuote, package_quote
from mesoflow.trading.orders import Quote
from mesoflow.trading.paper import NotSplit, PaperLeg, paper_price, split

MARKET = PackageQuote(D("41.20"), D("42.35"), D("43.50"))
CALENDAR = [
    PaperLeg("near_put", -1, Quote(D("55.40"), D("56.40"))),
    PaperLeg("far_put", 1, Quote(D("97.60"), D("98.90"))),
]


def total(prices: dict[str, D], legs: list[PaperLeg]) -> D:
    return sum((leg.count * prices[leg.name] for leg in legs), D(0))


def test_paper_fills_at_worst_unless_told_otherwise_and_never_beyond() -> None:
    assert paper_price("worst", MARKET, D("42.65")) == D("42.65")
    assert paper_price("mid", MARKET, D("42.65")) == D("42.35")
    assert paper_price("natural", MARKET, D("43.50")) == D("43.50")
    assert paper_price("natural", MARKET, D("42.65")) is None
    assert paper_price("mid", MARKET, D("42.30")) is None


def test_mid_and_natural_are_split_into_mid_and_natural() -> None:
    assert split(D("42.35"), CALENDAR) == {"near_put": D("55.90"), "far_put": D("98.25")}
    assert split(D("43.50"), CALENDAR) == {"near_put": D("55.40"), "far_put": D("98.90")}


def test_one_share_of_the_half_width_for_all_and_the_rest_on_the_smallest_ratio() -> None:
    assert split(D("42.65"), CALENDAR) == {"near_put": D("55.769565"), "far_put": D("98.419565")}


def test_a_locked_market_puts_the_rest_on_the_smallest_ratio() -> None:
    legs = [PaperLeg("a", 2, Quote(D(1), D(1))), PaperLeg("b", -1, Quote(D(1), D(1)))]
    assert split(D("1.10"), legs) == {"a": D("1.000000"), "b": D("0.900000")}


def test_no_leg_is_filled_below_zero() -> None:
    legs = [
        PaperLeg("sold", -1, Quote(D("0.00"), D("0.10"))),
        PaperLeg("bought", 1, Quote(D("1.00"), D("1.20"))),
    ]
    assert split(D("1.50"), legs) == {"sold": D("0.000000"), "bought": D("1.500000")}
    with pytest.raises(NotSplit):
        split(D("0.50"), [PaperLeg("sold", -1, Quote(D("1.00"), D("1.20")))])


def test_a_price_finer_than_six_decimals_cannot_be_split() -> None:
    with pytest.raises(NotSplit):
        split(D("42.1234567"), CALENDAR)


CENTS = st.integers(1, 20000).map(lambda cents: D(cents) / 100)
LEGS = st.lists(
    st.tuples(st.integers(-7, 7).filter(bool), CENTS, st.integers(0, 300)), min_size=1, max_size=4
).map(
    lambda legs: [
        PaperLeg(f"leg{number}", count, Quote(bid, bid + D(width) / 100))
        for number, (count, bid, width) in enumerate(legs)
    ]
)


@given(LEGS, st.integers(-100, 100))
def test_the_sum_over_the_ratio_is_exact_to_the_last_decimal(legs: list[PaperLeg], share: int) -> None:
    assume(gcd(*(leg.count for leg in legs)) == 1)
    market = package_quote((leg.count, leg.quote) for leg in legs)
    price = (market.mid + (market.natural - market.mid) * share / 100).quantize(D("0.05"))
    try:
        prices = split(price, legs)
    except NotSplit:
        assume(False)
        return
    assert total(prices, legs) == price
    assert all(value == value.quantize(D("0.000001")) and value >= 0 for value in prices.values())


@given(LEGS, st.integers(-100, 100))
def test_between_near_and_natural_every_leg_is_inside_its_quote(legs: list[PaperLeg], share: int) -> None:
    assume(gcd(*(leg.count for leg in legs)) == 1)
    market = package_quote((leg.count, leg.quote) for leg in legs)
    price = (market.mid + (market.natural - market.mid) * share / 100).quantize(D("0.000001"))
    prices = split(price, legs)
    for leg in legs:
        assert leg.quote.bid is not None and leg.quote.ask is not None
        # The rest that rounding leaves is some millionths, and stands on one leg.
        assert leg.quote.bid - D("0.0001") <= prices[leg.name] <= leg.quote.ask + D("0.0001")
