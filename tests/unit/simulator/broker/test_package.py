"""Packages: their market is the sum over the legs, and a price on the legs sums up to itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesoflow.simulator.broker.package import Package, PackageQuote
from mesoflow.simulator.market.chain import Option, Right
from mesoflow.simulator.market.market import Market

D = Decimal
MARKET = Market(7)
NOW = datetime(2025, 1, 16, 15, 30, tzinfo=UTC)
DAYS = (date(2025, 1, 16), date(2025, 1, 17), date(2025, 2, 14), date(2025, 3, 21))

options = st.builds(
    lambda day, strike, right: Option("SPX", "SPXW", day, D(strike), right),
    st.sampled_from(DAYS),
    st.integers(1040, 1360).map(lambda n: n * 5),
    st.sampled_from(("Call", "Put")),
)
ratios = st.integers(-4, 4).filter(bool)


@st.composite
def packages(draw: st.DrawFn) -> Package:
    legs = draw(st.lists(st.tuples(options, ratios), min_size=1, max_size=4, unique_by=lambda leg: leg[0]))
    held = {f"leg{i}": leg for i, leg in enumerate(legs)}
    found = Package.of(
        {name: option for name, (option, _) in held.items()},
        {name: ratio for name, (_, ratio) in held.items()},
        MARKET,
    )
    assert found is not None
    return found


def quoted(package: Package, seconds: int) -> PackageQuote:
    quote = package.quote(NOW + timedelta(seconds=seconds))
    assert quote is not None
    return quote


@given(packages(), st.integers(0, 3600))
@settings(max_examples=150, deadline=None)
def test_the_market_of_a_package_is_that_of_its_legs(package: Package, seconds: int) -> None:
    quote, snapshot = quoted(package, seconds), MARKET.at(NOW + timedelta(seconds=seconds))
    near = natural = D(0)
    for leg in package.legs:
        found = snapshot.quote(leg.option)
        assert found is not None and found.bid is not None and found.ask is not None
        near += leg.ratio * (found.bid if leg.ratio > 0 else found.ask)
        natural += leg.ratio * (found.ask if leg.ratio > 0 else found.bid)
    assert (near * 100, natural * 100) == (quote.near, quote.natural)
    assert quote.near < quote.mid < quote.natural


@given(packages(), st.integers(0, 3600), st.floats(-0.5, 1.2))
@settings(max_examples=300, deadline=None)
def test_a_price_split_on_the_legs_sums_up_to_itself(package: Package, seconds: int, way: float) -> None:
    quote = quoted(package, seconds)
    price = round(quote.near + way * quote.width)
    # Prices that no legs of no less than nothing can have are no market's.
    assume(price >= quote.near - 50 or any(leg.ratio > 0 for leg in package.legs))
    prices = package.split(price, quote)
    total = sum(leg.ratio * prices[leg.name] for leg in package.legs)
    # Ratios whose smallest step is no cent leave a fraction of one.
    assert abs(total * 100 - price) < D("0.0001")


@given(packages(), st.integers(0, 3600))
@settings(max_examples=100, deadline=None)
def test_the_ends_of_the_market_split_into_the_legs_own_ends(package: Package, seconds: int) -> None:
    quote = quoted(package, seconds)
    for price, side in ((quote.natural, 1), (quote.near, 0)):
        expected = {
            leg.name: D(sides[side if leg.ratio > 0 else 1 - side]) / 100
            for leg, sides in zip(package.legs, quote.sides, strict=True)
        }
        assert package.split(price, quote) == expected


@given(packages(), st.integers(0, 3600), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_the_book_is_between_the_middle_and_natural_and_on_tick(
    package: Package, seconds: int, improvement: float
) -> None:
    quote = quoted(package, seconds)
    tick = package.tick(quote.mid)
    far = quote.book(improvement, tick)
    assert quote.mid <= far <= quote.natural
    assert far == quote.natural or far % tick == 0
    assert quote.book(0.0, tick) == quote.natural


def of(*legs: tuple[int, Right, int]) -> Package:
    held = {f"leg{i}": leg for i, leg in enumerate(legs)}
    found = Package.of(
        {name: Option("SPX", "SPXW", DAYS[2], D(strike), right) for name, (strike, right, _) in held.items()},
        {name: ratio for name, (_, _, ratio) in held.items()},
        MARKET,
    )
    assert found is not None
    return found


def test_price_steps() -> None:
    one = of((6000, "Put", 1))
    assert [one.tick(cents) for cents in (299, 300, -299, -500)] == [5, 10, 5, 10]
    assert of((6000, "Put", 1), (5900, "Put", -1)).tick(9999) == 5
    box = of((5900, "Call", 1), (6100, "Call", -1), (5900, "Put", -1), (6100, "Put", 1))
    condor = of((5900, "Put", -1), (5850, "Put", 1), (6100, "Call", -1), (6150, "Call", 1))
    assert (box.is_box, box.tick(19000)) == (True, 1)
    assert (condor.is_box, condor.tick(900)) == (False, 5)


def test_what_has_expired_has_no_market() -> None:
    package = Package.of({"a": Option("SPX", "SPXW", DAYS[0], D(6000), "Put")}, {"a": 1}, MARKET)
    assert package is not None
    assert package.until == datetime(2025, 1, 16, 21, 0, tzinfo=UTC)
    assert package.quote(package.until) is None
    saturday = Option("SPX", "SPXW", date(2025, 1, 18), D(6000), "Put")
    assert Package.of({"a": saturday}, {"a": 1}, MARKET) is None
