"""The table of LANGUAGE.md §3, row by row, and the rules above it."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from mesoflow.trading.combos import PackageQuote
from mesoflow.trading.prices import Ladder, PricePolicy, PriceRefused, Stand, freeze
from mesoflow.trading.ticks import Ticks, tick_table

PAYS = PackageQuote(D("40.60"), D("42.25"), D("43.90"))
RECEIVES = PackageQuote(D("-1.30"), D("-1.10"), D("-0.90"))
CROSSES_EVEN = PackageQuote(D("-0.30"), D("-0.10"), D("0.10"))
TICKS = tick_table("SPX").package
WALK = {"step": D("0.05"), "every": "20s"}


def ladder(quote: PackageQuote, width: D | None = None, **policy: Any) -> Ladder:
    return freeze(PricePolicy.model_validate(policy), quote, TICKS, strike_width=width)


def refused(quote: PackageQuote, **policy: Any) -> PriceRefused:
    with pytest.raises(PriceRefused) as caught:
        ladder(quote, **policy)
    return caught.value


# --- the table ---------------------------------------------------------------------------------------------------------


def test_row_start_mid() -> None:
    assert ladder(PAYS, start="mid").start == D("42.25")
    assert ladder(RECEIVES, start="mid").start == D("-1.10")


def test_row_step() -> None:
    assert ladder(PAYS, **WALK, worst={"from_mid": D("0.15")}).rungs[:2] == (D("42.25"), D("42.30"))
    assert ladder(RECEIVES, **WALK, worst={"from_mid": D("0.15")}).rungs[:2] == (D("-1.10"), D("-1.05"))


def test_row_worst_from_mid() -> None:
    assert ladder(PAYS, **WALK, worst={"from_mid": D("0.15")}).worst == D("42.40")
    assert ladder(RECEIVES, **WALK, worst={"from_mid": D("0.15")}).worst == D("-0.95")


def test_row_worst_from_mid_and_credit() -> None:
    worst = {"from_mid": D("0.15"), "credit": D("1.00")}
    wrong = refused(PAYS, **WALK, worst=worst)
    assert (wrong.code, wrong.rule) == ("rail_refused", "wrong_side")
    assert str(wrong) == "worst names a credit of 1.00, but this order pays: 42.25 at mid, 43.90 at natural"
    assert ladder(RECEIVES, **WALK, worst=worst).worst == D("-1.00")


def test_row_worst_debit() -> None:
    assert ladder(PAYS, **WALK, worst={"debit": D("42.50")}).worst == D("42.50")
    wrong = refused(RECEIVES, **WALK, worst={"debit": D("42.50")})
    assert str(wrong) == "worst names a debit of 42.50, but this order receives: 1.10 at mid, 0.90 at natural"


def test_row_start_better_than_mid() -> None:
    assert ladder(PAYS, start={"from_mid": D("-0.10")}).start == D("42.15")
    assert ladder(RECEIVES, start={"from_mid": D("-0.10")}).start == D("-1.20")


def test_row_start_natural() -> None:
    assert ladder(PAYS, start="natural").start == D("43.90")
    assert ladder(RECEIVES, start="natural").start == D("-0.90")


# --- the rules ---------------------------------------------------------------------------------------------------------


def test_the_other_starts() -> None:
    assert ladder(PAYS, start="near").start == D("40.60")
    assert ladder(PAYS, start={"from_natural": "-1 tick"}).start == D("43.85")
    assert ladder(PAYS, start={"debit": D("42.00")}).start == D("42.00")
    assert ladder(RECEIVES, start={"credit": D("1.20")}).start == D("-1.20")
    assert refused(RECEIVES, start={"debit": D("0.40")}).rule == "wrong_side"
    assert refused(PAYS, start={"credit": D("0.40")}).rule == "wrong_side"


def test_the_tightest_of_several_counts() -> None:
    worst = {"from_mid": ["15% of mid", D("0.30")], "from_natural": "2 ticks", "debit": D("42.60")}
    assert ladder(PAYS, **WALK, worst=worst).worst == D("42.55")


def test_shares_and_ticks() -> None:
    assert ladder(PAYS, **WALK, worst={"from_mid": "50% of quote_width"}).worst == D("43.90")
    assert ladder(PAYS, D(25), **WALK, worst={"from_mid": "5% of strike_width"}).worst == D("43.50")
    assert ladder(PAYS, step="2 ticks", every="20s", worst={"from_mid": 1}).rungs[1] == D("42.35")
    assert refused(PAYS, **WALK, worst={"from_mid": "5% of strike_width"}).rule == "not_measured"


def test_without_a_step_the_start_is_the_worst() -> None:
    one = ladder(PAYS, start="mid")
    assert (one.start, one.worst, one.rungs, one.last, one.every) == (
        D("42.25"),
        D("42.25"),
        (D("42.25"),),
        0,
        None,
    )


def test_a_start_beyond_worst_begins_at_worst() -> None:
    assert ladder(PAYS, start="natural", **WALK, worst={"debit": D("42.50")}).rungs == (D("42.50"),)


def test_a_credit_never_becomes_a_debit() -> None:
    """Lesson thetagang #334. Even is where it stops, unless worst names a debit."""
    stops = ladder(CROSSES_EVEN, **WALK, worst={"from_mid": D("0.30")})
    assert (stops.start, stops.worst) == (D("-0.10"), D("0.00"))
    assert ladder(CROSSES_EVEN, **WALK, worst={"debit": D("0.10")}).worst == D("0.10")
    assert ladder(CROSSES_EVEN, **WALK, worst={"debit": D("0.10"), "from_mid": D("0.15")}).worst == D("0.05")


def test_a_walk_that_starts_even_may_pay() -> None:
    even = PackageQuote(D("-0.20"), D("0.00"), D("0.20"))
    assert ladder(even, **WALK, worst={"from_mid": D("0.15")}).worst == D("0.15")


def test_rungs_rest_at_worst() -> None:
    walk = ladder(PAYS, **WALK, worst={"from_mid": D("0.12")})
    assert walk.rungs == (D("42.25"), D("42.30"), D("42.35"))
    assert [walk.rung(n) for n in (2, 3, 4, 100)] == [D("42.35")] * 4
    assert walk.every == timedelta(seconds=20)
    assert walk.to_value() == {"start": D("42.25"), "worst": D("42.35"), "step": D("0.05"), "rungs": 4}


OFFSET = st.decimals(-3, 3, places=3)
STEP = st.decimals("0.01", "0.50", places=3)


@given(st.decimals(-50, 50, places=2), st.decimals(0, 5, places=2), OFFSET, OFFSET, STEP)
def test_no_rung_is_off_the_tick_beyond_worst_or_better_than_the_one_before(
    mid: D, half: D, start: D, worst: D, step: D
) -> None:
    quote = PackageQuote(mid - half, mid, mid + half)
    walk = ladder(quote, start={"from_mid": start}, step=step, every="5s", worst={"from_mid": worst})
    prices = [walk.rung(n) for n in range(walk.last + 3)]
    assert all(price % D("0.05") == 0 for price in prices)
    assert max(prices) == walk.worst <= mid + worst
    assert prices == sorted(prices)
    assert prices[-1] == walk.worst
    if mid + start < 0:
        assert walk.worst <= 0


@given(st.decimals("0.10", 50, places=2), st.decimals(0, 5, places=2), st.decimals(0, 3, places=2))
def test_an_order_and_its_mirror_get_worse_by_the_same(mid: D, half: D, worse: D) -> None:
    assume(half + worse < mid)
    pays = ladder(PackageQuote(mid - half, mid, mid + half), **WALK, worst={"from_mid": worse})
    receives = ladder(PackageQuote(-mid - half, -mid, -mid + half), **WALK, worst={"from_mid": worse})
    assert pays.exact_worst - pays.exact_start == receives.exact_worst - receives.exact_start == worse


# --- what is written ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"step": D("0.05")}, "a step needs every and worst"),
        ({"step": D("0.05"), "every": "20s"}, "a step needs every and worst"),
        ({"every": "20s"}, "every without a step"),
        ({"step": 0, "every": "20s", "worst": {"from_mid": 1}}, "a step of 0 leads nowhere"),
        ({"step": D("0.05"), "every": "0s", "worst": {"from_mid": 1}}, "every 0s sends without end"),
        ({"step": "15%", "every": "20s", "worst": {"from_mid": 1}}, "does not say of what"),
        ({"start": {"debit": -1}}, "the word carries the sign"),
        ({"start": {"debit": 1, "credit": 1}}, "exactly one of"),
        ({"start": {}}, "exactly one of"),
        ({"start": "worst"}, "Input should be 'near', 'mid' or 'natural'"),
        ({"start": D("42.25")}, "Input should be"),
        ({"worst": {}}, "write at least one of"),
        ({"worst": {"from_mid": []}}, "at least 1 item"),
        ({"worst": {"from_mid": "1% of net_liquidation"}}, "is money, and belongs into risk"),
        ({"worst": {"debit": True}}, "True is no price"),
        ({"limit": 1}, "Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_a_policy_that_says_too_little_or_too_much(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PricePolicy.model_validate(written)
    assert said in str(caught.value)


def test_an_expression_may_give_every_as_a_number_of_seconds_and_a_person_may_not() -> None:
    written = {"step": D("0.05"), "every": D(20), "worst": {"from_mid": 1}}
    assert PricePolicy.model_validate(written).every == timedelta(seconds=20)
    with pytest.raises(ValidationError, match="write 30s, 5m or 2h"):
        PricePolicy.model_validate(written, context={"authored": True})


# --- stands ------------------------------------------------------------------------------------------------------------


def test_a_price_stands_as_long_as_steps_below_the_tick_do_not_move_it() -> None:
    twenty = timedelta(seconds=20)
    ladder = Ladder(D("42.25"), D("42.37"), D("0.02"), twenty, Ticks(((None, D("0.05")),)))
    assert list(ladder.stands()) == [
        Stand(D("42.25"), 3 * twenty),
        Stand(D("42.30"), 2 * twenty),
        Stand(D("42.35"), None),
    ]


def test_one_price_stands_alone() -> None:
    ladder = Ladder(D("1"), D("1"), D(0), None, Ticks(((None, D("0.05")),)))
    assert list(ladder.stands()) == [Stand(D("1"), None)]


@given(
    start=st.integers(-500, 500),
    beyond=st.integers(0, 300),
    step=st.integers(1, 60),
    tick=st.sampled_from([1, 5, 10]),
)
def test_stands_are_the_rungs_each_once_and_never_better_than_the_one_before(
    start: int, beyond: int, step: int, tick: int
) -> None:
    second = timedelta(seconds=1)
    exact, cents = D(start) / 100, Ticks(((None, D(tick) / 100),))
    ladder = Ladder(exact, exact + D(beyond) / 100, D(step) / 100, second, cents)
    stands = list(ladder.stands())
    prices = [stand.price for stand in stands]
    assert tuple(prices) == ladder.rungs
    assert prices == sorted(set(prices)) and prices[-1] == ladder.worst
    assert stands[-1].length is None
    # Each change of price comes when the plain ladder would have come to it.
    elapsed = 0
    for stand in stands[:-1]:
        assert stand.length is not None
        elapsed += int(stand.length / second)
        assert ladder.rung(elapsed) != ladder.rung(elapsed - 1) == stand.price
