from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from tests.unit.safety.making import CONDOR, contract, judged, order, quote, refused, with_facts, with_group


def collar(**kwargs: Any) -> D:
    """How far from mid the limit may be."""
    made = kwargs.pop("made", None) or order()
    (line,) = [line for line in judged(made, **kwargs).lines if line.code == "distance_from_mid"]
    limit: D = line.numbers["limit"]
    return limit


@pytest.mark.parametrize(
    ("distance", "allowed"),
    [
        (D("0.50"), D("0.50")),
        ("15% of mid", D("6.3525")),
        (["15% of mid", D("2.00")], D("2.00")),
        ("50% of quote_width", D("1.15")),
        ("10 ticks", D("0.50")),
        (D("0.01"), D("0.20")),
        ("0.1% of mid", D("0.20")),
    ],
)
def test_the_tightest_counts_but_never_less_than_four_package_ticks(distance: object, allowed: D) -> None:
    assert collar(max_distance_from_mid=distance) == allowed


def test_the_collar_may_be_a_share_of_the_strikes() -> None:
    assert collar(made=order(CONDOR), max_distance_from_mid="5% of strike_width") == D("1.25")


def test_near_an_even_price_a_percentage_would_be_below_a_tick() -> None:
    legs = [
        ("old", contract("put", 5900), 1, quote("20.00", "20.20")),
        ("new", contract("put", 5895), -1, quote("19.95", "20.15")),
    ]
    assert judged(order(legs, worse="0.15"), max_distance_from_mid="15% of mid").passed
    assert refused(judged(order(legs, worse="0.25"), max_distance_from_mid="15% of mid")) == [
        "distance_from_mid"
    ]


def test_what_the_order_says_of_its_mid_is_not_believed() -> None:
    made = with_group(order(worse="2.05"), mid=D("44.40"), near=D("44.00"), natural=D("45.00"))
    assert refused(judged(made)) == ["distance_from_mid"]


def test_a_wrong_sign_is_far_from_mid() -> None:
    """Lesson robin_stocks #105. As a broker order, since no paper price of the legs could even say it."""
    sent = replace(with_facts(order(), agent_age_ms=300), method="SendOrder")
    wrong = with_group(sent, limit=D("-42.35"), worst=D("-42.35"))
    assert refused(judged(wrong)) == ["distance_from_mid"]


def test_unlimited_has_to_be_written_and_still_needs_a_reference() -> None:
    assert judged(order(worse="9"), max_distance_from_mid="unlimited").passed
    blind = replace(order(), legs=tuple(replace(leg, quote=quote("0", "0")) for leg in order().legs))
    assert "reference_missing" in refused(judged(blind, max_distance_from_mid="unlimited"))


def test_worst_is_passed_by_more_paid_and_by_less_received() -> None:
    condor = order(CONDOR, limit="-4.00")
    assert refused(judged(with_group(condor, worst=D("-4.05")))) == ["beyond_worst"]
    assert judged(with_group(condor, worst=D("-3.95"))).passed


def test_a_broker_order_needs_no_price_of_its_legs() -> None:
    made = with_facts(order(), agent_age_ms=300)
    made = replace(made, method="SendOrder", legs=tuple(replace(leg, price=None) for leg in made.legs))
    assert judged(made).passed
