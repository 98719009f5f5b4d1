"""The table of fills: its figures, and that what is compared is what the playbook has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._walks import Package, Walked
from benchmarks.fills import Row, market, policies, quartiles, row_of, written_price
from mesoflow.trading.combos import PackageQuote
from mesoflow.trading.prices import PricePolicy

D = Decimal
T0 = datetime(2025, 1, 16, 15, 30, tzinfo=UTC)
# near −0.85, mid −0.675, natural −0.50: a credit.
CONDOR = Package(104, 5001, {}, {}, PackageQuote(D("-0.85"), D("-0.675"), D("-0.50")))


def walked(
    price: str | None = None, after_s: float = 0.0, left: str | None = None, *, crossed: bool = False
) -> Walked:
    filled_at = None if price is None else T0 + timedelta(seconds=after_s)
    return Walked(
        "ours",
        CONDOR,
        T0,
        filled_at=filled_at,
        price=None if price is None else D(price),
        crossed=crossed,
        left=None if left is None else D(left),
    )


def test_a_fill_concedes_what_it_is_worse_than_the_mid() -> None:
    one = walked("-0.60", 12.5)
    assert (one.conceded, one.after_s, one.all_in) == (D("0.075"), 12.5, D("0.075"))


def test_what_did_not_fill_takes_natural_in_the_end() -> None:
    one = walked(left="-0.40")
    assert (one.conceded, one.after_s, one.all_in) == (None, None, D("0.275"))


def test_a_row() -> None:
    row = row_of(
        [walked("-0.70", 5), walked("-0.60", 61), walked("-0.50", 70, crossed=True), walked(left="-0.40")]
    )
    assert row == Row(
        walks=4,
        filled=0.75,
        in_a_minute=0.25,
        conceded=pytest.approx(0.075),
        quartiles=pytest.approx((-0.025, 0.075, 0.175)),
        seconds=(5, 61, 70),
        crossed=pytest.approx(1 / 3),
        all_in=pytest.approx(0.125),
    )


def test_a_row_of_nothing_filled_has_no_price() -> None:
    row = row_of([walked(left="-0.50")])
    assert (row.filled, row.all_in) == (0.0, pytest.approx(0.175))
    assert row.conceded != row.conceded and row.quartiles[0] != row.quartiles[0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_quartiles_are_values_that_occur_and_split_them(values: list[float]) -> None:
    for quarter, value in enumerate(quartiles(values), 1):
        assert value in values
        assert sum(other <= value for other in values) * 4 >= len(values) * quarter
        assert sum(other < value for other in values) * 4 < len(values) * quarter


def test_ours_is_what_the_playbook_writes() -> None:
    assert written_price() == {
        "start": "mid",
        "step": D("0.05"),
        "every": "10s",
        "worst": {"from_mid": D("0.30")},
    }
    assert policies()["ours"] == PricePolicy.model_validate(written_price())


def test_walks_of_a_seed_keep_the_order_of_things() -> None:
    """One order alive at a time, each worse than the last, none past worst, and the same walks again from the same seed."""
    walks = market(3, "strict")
    assert {(one.package.strategy, one.policy) for one in walks} == {
        (s, p) for s in (104, 101) for p in policies()
    }
    for one in walks:
        assert [rung.limit for rung in one.rungs] == sorted({rung.limit for rung in one.rungs})
        assert [rung.at for rung in one.rungs] == sorted({rung.at for rung in one.rungs})
        assert {rung.state for rung in one.rungs[:-1]} <= {"Cancelled"}
        if one.price is not None:
            assert one.rungs[-1].state == "Filled" and one.price <= one.rungs[-1].limit
        assert (one.price is None) == (one.left is not None)
    again = market(3, "strict")
    assert [(one.price, one.filled_at, one.rungs) for one in again] == [
        (one.price, one.filled_at, one.rungs) for one in walks
    ]


def test_a_rung_leaves_only_when_the_one_before_has_been_confirmed() -> None:
    """Rungs stand ten seconds; a cancel and its report take time on top."""
    for one in market(3, "strict"):
        steps = [(later.at - earlier.at) for earlier, later in zip(one.rungs, one.rungs[1:], strict=False)]
        assert all(timedelta(seconds=10) < step for step in steps), one.policy
