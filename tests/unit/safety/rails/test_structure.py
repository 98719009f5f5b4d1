"""Lesson robin_stocks #105: credit and debit confused gives positions away. Lean #9287: what a broker takes as one order."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.rails.structure import structure
from mesoflow.trading.orders import Order
from mesoflow.trading.payoff import Holding, worst_payoff
from tests.unit.safety.making import (
    CALENDAR,
    CONDOR,
    STRANGLE,
    Leg,
    closing,
    contract,
    facts,
    judged,
    opened,
    order,
    quote,
    refused,
    with_facts,
    with_group,
)

WIDE = {"max_distance_from_mid": "unlimited", "max_order_premium": "unlimited"}
LONG: tuple[Leg, ...] = (
    ("long", contract("put", 5900), 1, quote("20.00", "20.20")),
    ("short", contract("put", 5895), -1, quote("18.00", "18.20")),
)


def at(made: Order, price: str) -> Order:
    """The same order at another price, as one that goes to a broker."""
    sent = replace(with_facts(made, agent_age_ms=100), method="SendOrder")
    return with_group(sent, limit=D(price), worst=D(price))


def codes(made: Order, price: str, **risk: object) -> list[str]:
    return [line.code for line in judged(at(made, price), **WIDE, **risk).refusals if line.control == "C08"]


@pytest.mark.parametrize(
    ("legs", "price", "wrong"),
    [
        (LONG, "2.00", []),
        (LONG, "0.00", []),
        (LONG, "-0.05", ["limit_sign"]),
        (LONG, "5.00", []),
        (LONG, "5.05", ["credit_beyond_width"]),
        (CONDOR, "-4.00", []),
        (CONDOR, "-25.00", []),
        (CONDOR, "-25.05", ["credit_beyond_width"]),
        (CONDOR, "0.05", ["limit_sign"]),
        (CALENDAR, "-1.00", []),  # later legs are worth more than their payoff says: no bound
        (STRANGLE, "-9000.00", []),  # no worst loss, no width
        (STRANGLE, "0.05", ["limit_sign"]),
    ],
)
def test_a_price_is_one_that_its_payoff_can_have(legs: tuple[Leg, ...], price: str, wrong: list[str]) -> None:
    assert codes(order(legs), price) == wrong


@given(
    st.lists(st.sampled_from([5890, 5895, 5900, 5905]), min_size=2, max_size=2, unique=True),
    st.integers(-200, 200).map(lambda ticks: D(ticks) / 20),
)
def test_no_price_beyond_what_expiry_can_bring_or_cost(strikes: list[int], price: D) -> None:
    """By brute force: a vertical's price lies between its lowest and its highest payoff."""
    legs = [
        ("long", contract("put", strikes[0]), 1, quote("20.00", "20.20")),
        ("short", contract("put", strikes[1]), -1, quote("19.00", "19.20")),
    ]
    held = [Holding(leg[1], D(leg[2])) for leg in legs]
    lowest = (worst_payoff(held) or D(0)) / 100
    highest = -(worst_payoff([Holding(h.contract, -h.quantity) for h in held]) or D(0)) / 100
    assert (codes(order(legs), str(price)) == []) == (lowest <= price <= highest or price == 0)


def test_an_exit_at_any_price_is_not_refused_for_its_width() -> None:
    """A stop that closes at more than the width of what it closes."""
    stop = at(closing(CONDOR), "26.00")
    assert [line.code for line in judged(stop, **WIDE).refusals] == []
    assert codes(closing(CONDOR), "-0.05") == ["limit_sign"]


def test_an_entry_holds_no_contract_of_another_position() -> None:
    same = with_facts(order(), open_legs=opened(CALENDAR))
    assert refused(judged(same)) == ["legs_overlap"]
    assert judged(same, overlap="same_side").passed
    other_way = tuple(replace(leg, quantity=-leg.quantity) for leg in opened(CALENDAR[:1]))
    crossing = with_facts(order(), open_legs=other_way)
    assert refused(judged(crossing, overlap="same_side")) == ["legs_overlap"]


def test_what_closes_its_own_legs_overlaps_nothing() -> None:
    both = (*opened(CALENDAR), *opened(CALENDAR, position_id=4712))
    assert judged(closing(facts=facts(open_legs=both))).passed


def test_a_broker_takes_four_legs_and_a_booking_takes_any() -> None:
    five = (*CONDOR, ("wing", contract("call", 6300), 2, quote("2.00", "2.20")))
    assert codes(order(CONDOR), "-4.00") == []
    assert codes(order(CONDOR), "-4.00", max_legs_per_order=3) == ["legs_per_order"]
    assert "legs_per_order" in codes(order(five), "-4.00")
    assert codes(order(five), "-4.00", max_legs_per_order="unlimited") == []
    assert not [line for line in judged(order(five), **WIDE).lines if line.code == "legs_per_order"]


def test_an_order_that_hangs_together_is_judged_further() -> None:
    assert structure(order()).held == "held"
    assert structure(replace(order(), legs=())).held == "refused"
