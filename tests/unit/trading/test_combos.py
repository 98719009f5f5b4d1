"""Lessons TradeStation #107 (quantity is a multiplier of the ratio) and robin_stocks #105 (debit and credit confused)."""

from datetime import date
from decimal import Decimal as D
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.combos import NoPrice, package_quote, ratio_of, strike_width
from mesoflow.trading.orders import Contract, Quote

PRICE = st.decimals(0, 200, places=2)
QUOTES = st.tuples(PRICE, PRICE).map(lambda pair: Quote(min(pair), max(pair)))
COUNT = st.integers(-4, 4).filter(bool)


def put(strike: int, expiration: date = date(2025, 2, 21)) -> Contract:
    return Contract("SPX", "SPXW", "put", expiration, D(strike))


def call(strike: int) -> Contract:
    return Contract("SPX", "SPXW", "call", date(2025, 2, 21), D(strike))


def test_the_smallest_whole_ratio_and_how_many_packages() -> None:
    ratio = ratio_of({"near": D(-10), "far": D(10)})
    assert (dict(ratio.legs), ratio.packages) == ({"near": -1, "far": 1}, 10)
    ratio = ratio_of({"wing": 2, "body": -4, "other": 2, "marker": 0})
    assert (dict(ratio.legs), ratio.packages) == ({"wing": 1, "body": -2, "other": 1}, 2)
    assert ratio_of({"marker": 0}).packages == 0


def test_a_part_of_a_contract_is_no_order() -> None:
    with pytest.raises(ValueError, match=r"leg near has 1\.5 contracts; an order takes whole ones"):
        ratio_of({"near": D("1.5")})


def test_near_mid_and_natural_of_a_calendar_that_is_bought() -> None:
    market = package_quote([(-1, Quote(D("55.40"), D("56.40"))), (1, Quote(D("97.60"), D("98.90")))])
    assert (market.near, market.mid, market.natural, market.width) == (
        D("41.20"),
        D("42.35"),
        D("43.50"),
        D("2.30"),
    )


def test_a_credit_is_negative_and_natural_is_worse_than_near() -> None:
    market = package_quote([(-1, Quote(D("2.00"), D("2.20"))), (1, Quote(D("0.90"), D("1.10")))])
    assert (market.near, market.mid, market.natural) == (D("-1.30"), D("-1.10"), D("-0.90"))


def test_no_bid_is_no_price() -> None:
    with pytest.raises(NoPrice):
        package_quote([(1, Quote(None, D("1.00")))])


@given(st.lists(st.tuples(COUNT, QUOTES), min_size=1, max_size=4))
def test_natural_is_the_worst_and_near_the_best_of_all_ways_to_fill_leg_by_leg(
    legs: list[tuple[int, Quote]],
) -> None:
    market = package_quote(legs)
    sides = [
        (count * quote.bid, count * quote.ask)
        for count, quote in legs
        if quote.bid is not None and quote.ask is not None
    ]
    every = [sum(way) for way in product(*sides)]
    assert (market.near, market.natural) == (min(every), max(every))
    assert market.mid == (market.near + market.natural) / 2


@given(st.lists(st.tuples(COUNT, QUOTES), min_size=1, max_size=4))
def test_the_other_side_of_a_trade_has_the_mirrored_market(legs: list[tuple[int, Quote]]) -> None:
    market, mirrored = package_quote(legs), package_quote([(-count, quote) for count, quote in legs])
    assert (mirrored.near, mirrored.mid, mirrored.natural) == (-market.natural, -market.mid, -market.near)


def test_strike_width_is_the_widest_side() -> None:
    assert strike_width([put(5800), put(5775), call(6200), call(6230)]) == D(30)
    assert strike_width([put(6000), put(6000, date(2025, 3, 21))]) is None
    assert strike_width([put(6000), call(6000)]) is None
    assert strike_width([]) is None
