from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.orders import Contract
from mesoflow.trading.payoff import Holding, intrinsic, loss_at_expiry, net, stress_loss, worst_payoff

FIRST = date(2025, 2, 21)


def leg(option_type: str, strike: int, quantity: int, months: int = 0) -> Holding:
    expiration = FIRST + timedelta(days=28 * months)
    return Holding(Contract("SPX", "SPXW", option_type, expiration, D(strike)), D(quantity))  # type: ignore[arg-type]


CONDOR = [leg("put", 5775, 1), leg("put", 5800, -1), leg("call", 6200, -1), leg("call", 6225, 1)]
CALENDAR = [leg("put", 6000, -1), leg("put", 6000, 1, months=1)]


def test_a_condor_loses_its_width_less_the_credit() -> None:
    assert loss_at_expiry(CONDOR, D(400)) == D(2100)


def test_a_calendar_loses_what_was_paid() -> None:
    assert loss_at_expiry(CALENDAR, D(-4230)) == D(4230)


def test_a_diagonal_loses_its_width_too() -> None:
    assert loss_at_expiry([leg("put", 6000, -1), leg("put", 5950, 1, months=1)], D(-1000)) == D(6000)


def test_more_calls_short_than_long_have_no_worst_loss() -> None:
    assert loss_at_expiry([leg("call", 6300, -1)], D(700)) is None
    assert loss_at_expiry([leg("call", 6300, -2), leg("call", 6250, 1)], D(700)) is None


def test_a_short_put_loses_its_strike() -> None:
    assert loss_at_expiry([leg("put", 5700, -1)], D(700)) == D(569300)


def test_a_short_leg_that_outlives_its_cover_stands_alone() -> None:
    assert loss_at_expiry([leg("put", 6000, 1), leg("put", 6000, -1, months=1)], D(2000)) == D(598000)
    assert loss_at_expiry([leg("call", 6000, 1), leg("call", 6000, -1, months=1)], D(2000)) is None


def test_what_cannot_lose_loses_nothing() -> None:
    assert loss_at_expiry([leg("call", 6000, 1)], D(0)) == 0
    assert loss_at_expiry([], D(100)) == 0
    assert loss_at_expiry([], D(-100)) == 100


def test_the_stress_loss_of_a_strangle_is_at_the_worse_end_of_the_move() -> None:
    strangle = [leg("put", 5700, -1), leg("call", 6300, -1)]
    assert stress_loss(strangle, D(1300), D(6000), D("0.08")) == D(16700)
    assert stress_loss(strangle, D(1300), D(6000), D("0.01")) == 0


def test_the_stress_loss_sees_the_strikes_inside_the_move() -> None:
    butterfly = [leg("call", 5990, 1), leg("call", 6000, -2), leg("call", 6010, 1)]
    assert stress_loss([Holding(h.contract, -h.quantity) for h in butterfly], D(0), D(6000), D("0.05")) == D(
        1000
    )


def test_net_adds_and_leaves_out_what_cancels() -> None:
    assert net([leg("put", 6000, 1), leg("put", 6000, -1), leg("put", 5900, 2)]) == (leg("put", 5900, 2),)


LEGS = st.lists(
    st.builds(
        leg,
        st.sampled_from(["put", "call"]),
        st.integers(1, 40).map(lambda n: 25 * n),
        st.integers(-3, 3).filter(bool),
    ),
    min_size=1,
    max_size=5,
)


@given(LEGS, st.integers(-5000, 5000))
def test_the_worst_loss_is_that_of_trying_every_level(legs: list[Holding], cash: int) -> None:
    """Brute force: strikes are multiples of 25 up to 1,000, and beyond the last one only the slope counts."""
    levels = [D(25 * n) for n in range(81)]
    lowest = min(intrinsic(legs, level) for level in levels)
    falls = intrinsic(legs, D(2000)) < intrinsic(legs, D(1975))
    assert loss_at_expiry(legs, D(cash)) == (None if falls else max(D(0), -(lowest + cash)))


@given(LEGS, st.integers(200, 800), st.integers(1, 50))
def test_the_stress_loss_is_that_of_trying_every_level_in_the_move(
    legs: list[Holding], mark: int, move: int
) -> None:
    low, high = D(mark) * (100 - move) / 100, D(mark) * (100 + move) / 100
    inside = [D(25 * n) for n in range(81) if low < 25 * n < high]
    lowest = min(intrinsic(legs, level) for level in [low, high, *inside])
    assert stress_loss(legs, D(0), D(mark), D(move) / 100) == max(D(0), -lowest)


@given(LEGS)
def test_between_bounds_there_always_is_a_lowest_value(legs: list[Holding]) -> None:
    whole = worst_payoff(legs)
    bounded = worst_payoff(legs, (D(400), D(600)))
    assert bounded is not None
    assert whole is None or whole <= bounded


@pytest.mark.parametrize("level", [D(0), D(5800), D("6212.5"), D(9000)])
def test_intrinsic_values_add_up(level: D) -> None:
    assert intrinsic(CONDOR, level) == sum((intrinsic([each], level) for each in CONDOR), D(0))
