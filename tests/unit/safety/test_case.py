"""What only reduces risk, and what hangs together (SAFETY.md §3)."""

from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.case import Case, is_coherent
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.trading.orders import Order
from mesoflow.trading.payoff import intrinsic, net
from tests.unit.safety.making import (
    CALENDAR,
    CONDOR,
    FAR,
    HERE,
    NOW,
    RISK,
    STRANGLE,
    Leg,
    closing,
    contract,
    facts,
    opened,
    order,
    quote,
    with_group,
)


def case(made: Order) -> Case:
    return Case(made, Limits.parse(RISK), Ledger(), NOW, HERE)


def only_reduces(made: Order) -> bool:
    return case(made).reduces


def part(legs: tuple[Leg, ...], *names: str, of: tuple[Leg, ...]) -> Order:
    """An exit of some legs of a position."""
    picked = tuple(leg for leg in legs if leg[0] in names)
    return closing(picked, facts=facts(open_legs=opened(of)))


def test_closing_everything_reduces() -> None:
    assert only_reduces(closing(CALENDAR))
    assert only_reduces(closing(CONDOR))


def test_closing_the_shorts_first_reduces_and_the_longs_first_does_not() -> None:
    assert only_reduces(part(CONDOR, "short_put", "short_call", of=CONDOR))
    assert not only_reduces(part(CONDOR, "long_put", "long_call", of=CONDOR))
    assert not only_reduces(part(CALENDAR, "far_put", of=CALENDAR))


def test_one_side_of_a_strangle_reduces_what_has_no_worst_loss() -> None:
    assert only_reduces(part(STRANGLE, "short_call", of=STRANGLE))
    assert only_reduces(part(STRANGLE, "short_put", of=STRANGLE))
    blind = closing(STRANGLE[:1], facts=facts(open_legs=opened(STRANGLE), underlying_mark=None))
    assert not only_reduces(blind)


def test_an_entry_an_exit_of_nothing_and_one_that_crosses_zero_do_not() -> None:
    assert not only_reduces(order())
    assert not only_reduces(closing(facts=facts()))
    assert not only_reduces(closing(facts=facts(open_legs=opened(position_id=1))))
    twice = [(name, what, quantity * 2, quoted) for name, what, quantity, quoted in CALENDAR]
    assert not only_reduces(closing(twice, facts=facts(open_legs=opened(CALENDAR))))


def test_a_roll_opens_a_leg_whatever_the_plan_is_called() -> None:
    legs = [
        ("near_put", contract(), 2, quote("55.40", "56.40")),
        ("new", contract("put", 5900), -2, quote("40", "41")),
    ]
    assert not only_reduces(order(legs, kind="exit", position_id=4711, facts=facts(open_legs=opened())))


@given(st.lists(st.integers(0, 2), min_size=4, max_size=4).filter(any))
def test_what_reduces_leaves_no_lower_minimum_behind(closed: list[int]) -> None:
    """Brute force over levels of the underlying, for every way to close a part of a condor."""
    back = [
        (name, what, -(quantity // 2) * count, quoted)
        for (name, what, quantity, quoted), count in zip(CONDOR, closed, strict=True)
        if count
    ]
    judged = case(order(back, kind="exit", position_id=4711, facts=facts(open_legs=opened(CONDOR))))
    after = net((*judged.own_legs, *judged.holdings))
    levels = [D(level) for level in range(0, 12000, 25)]
    lowest = [min(intrinsic(held, level) for level in levels) for held in (judged.own_legs, after)]
    falls = intrinsic(after, D(12000)) < intrinsic(after, D(11975))
    assert judged.reduces == (lowest[1] >= lowest[0] and not falls)


def test_an_order_that_hangs_together() -> None:
    assert is_coherent(order())
    assert is_coherent(order(CONDOR))


def test_an_order_that_does_not() -> None:
    made = order()
    leg = made.legs[0]
    for spoiled in (
        replace(made, legs=()),
        replace(made, groups=()),
        replace(made, groups=made.groups * 2),
        replace(made, legs=(replace(leg, group=2), made.legs[1])),
        replace(made, legs=(replace(leg, name="stranger"), made.legs[1])),
        replace(made, legs=(replace(leg, quantity=D(3)), made.legs[1])),
        replace(made, legs=(replace(leg, quantity=D("NaN")), made.legs[1])),
        replace(made, legs=tuple(replace(each, quantity=D(0)) for each in made.legs)),
        replace(made, legs=made.legs[:1]),
        with_group(made, packages=0),
        with_group(made, limit=D("Infinity")),
    ):
        assert not is_coherent(spoiled)


def test_markers_stand_beside_what_trades() -> None:
    made = order()
    marker = replace(made.legs[0], name="marker", quantity=D(0), contract=contract(expiration=FAR))
    assert is_coherent(
        with_group(replace(made, legs=(*made.legs, marker)), legs=("near_put", "far_put", "marker"))
    )
