from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from mesoflow.safety.ledger import FORGOTTEN_AFTER, Ledger, Mark
from mesoflow.trading.order_values import order_from_value, order_to_value
from tests.unit.safety.making import CONDOR, NOW, RUN, closing, facts, opened, order

SECOND = timedelta(seconds=1)
LATER = NOW + 10 * SECOND


def test_contracts_count_from_the_intent_on_and_are_given_back_when_nothing_filled() -> None:
    ledger, first, second = Ledger(), order(), order(CONDOR, exec_plan_id=7009)
    ledger.apply_intent(RUN, first, NOW)
    ledger.apply_intent(RUN, second, NOW)
    assert ledger.contracts(RUN) == D(12)
    ledger.settle(RUN, first, LATER)
    ledger.settle(RUN, second, LATER, traded=D(0))
    assert ledger.contracts(RUN) == D(4)
    assert ledger.contracts("another run") == D(0)


def test_what_filled_in_part_counts_in_part() -> None:
    ledger, made = Ledger(), order()
    ledger.apply_intent(RUN, made, NOW)
    ledger.settle(RUN, made, LATER, traded=D(2))
    assert ledger.contracts(RUN) == D(2)


def test_an_order_that_is_judged_again_is_not_counted_against_itself() -> None:
    ledger, made = Ledger(), order()
    ledger.apply_intent(RUN, made, NOW)
    assert (ledger.contracts(RUN, made), ledger.contracts(RUN, order())) == (D(0), D(4))
    assert ledger.not_visible(RUN, facts(), made) == []


def test_two_equal_orders_are_two() -> None:
    ledger, first, second = Ledger(), order(), order()
    ledger.apply_intent(RUN, first, NOW)
    ledger.apply_intent(RUN, second, NOW)
    ledger.settle(RUN, second, LATER, traded=D(0))
    assert ledger.contracts(RUN) == D(4)
    assert ledger.not_visible(RUN, facts(), second) == [first]


def test_an_intent_is_invisible_until_the_hub_shows_its_legs() -> None:
    ledger, made, next_one = Ledger(), order(), order(CONDOR)
    ledger.apply_intent(RUN, made, NOW)
    shown = facts(as_of=LATER, open_legs=opened())
    assert ledger.not_visible(RUN, shown, next_one) == [made]  # not settled: it may yet fill
    ledger.settle(RUN, made, NOW + SECOND)
    assert ledger.not_visible(RUN, facts(as_of=NOW + SECOND, open_legs=opened()), next_one) == [made]
    assert ledger.not_visible(RUN, facts(as_of=LATER), next_one) == [made]  # the hub lags the fill
    assert ledger.not_visible(RUN, facts(as_of=None, open_legs=opened()), next_one) == [made]
    assert ledger.not_visible(RUN, shown, next_one) == []


def test_it_is_in_all_facts_once_the_comparison_of_legs_must_be_over() -> None:
    ledger, made = Ledger(), order()
    ledger.apply_intent(RUN, made, NOW)
    ledger.settle(RUN, made, NOW)
    late = facts(as_of=NOW + 31 * SECOND)
    assert ledger.not_visible(RUN, late, order()) == []


def test_exits_and_what_did_not_fill_are_not_missed() -> None:
    ledger = Ledger()
    ledger.apply_intent(RUN, closing(), NOW)
    made = order()
    ledger.apply_intent(RUN, made, NOW)
    ledger.settle(RUN, made, NOW, traded=D(0))
    assert ledger.not_visible(RUN, facts(as_of=NOW), order()) == []


def test_a_long_run_does_not_grow_it() -> None:
    ledger = Ledger()
    for number in range(50):
        made, at = order(exec_plan_id=number), NOW + number * 2 * FORGOTTEN_AFTER
        ledger.apply_intent(RUN, made, at)
        ledger.settle(RUN, made, at)
    assert ledger.contracts(RUN) == D(200)
    assert len(ledger.not_visible(RUN, facts(as_of=NOW), order())) == 1


def test_it_is_rebuilt_from_the_values_in_the_journal() -> None:
    made = order()
    ledger = Ledger()
    ledger.apply_intent(RUN, order_from_value(order_to_value(made)), NOW)
    ledger.settle(RUN, made, LATER)
    assert (ledger.contracts(RUN), ledger.last_at(RUN)) == (D(4), LATER)


def test_settled_without_an_intent_is_our_bug() -> None:
    with pytest.raises(AssertionError, match="this is a bug in mesoflow"):
        Ledger().settle(RUN, order(), NOW)
    ledger, made = Ledger(), order()
    ledger.apply_intent(RUN, made, NOW)
    ledger.settle(RUN, made, NOW)
    with pytest.raises(AssertionError):
        ledger.settle(RUN, replace(made), NOW)


def test_time_is_the_newest_it_was_told() -> None:
    ledger = Ledger()
    assert ledger.last_at(RUN) is None
    ledger.apply_intent(RUN, order(), LATER)
    ledger.apply_intent(RUN, order(), NOW)
    assert ledger.last_at(RUN) == LATER


def test_marks_stand_until_a_person_clears_them() -> None:
    ledger = Ledger()
    ledger.mark("PAPER-1", "far_put: 1 instead of 2", position_id=4711, run_id=RUN)
    ledger.mark("PAPER-1", "again", position_id=4711)
    ledger.mark("PAPER-1", "short_put is missing", position_id=4712)
    assert ledger.marks("PAPER-1") == (
        Mark("PAPER-1", 4711, "far_put: 1 instead of 2", RUN),
        Mark("PAPER-1", 4712, "short_put is missing"),
    )
    assert ledger.marks("PAPER-2") == ()
    ledger.clear("PAPER-1", 4711)
    assert [mark.position_id for mark in ledger.marks("PAPER-1")] == [4712]
    ledger.clear("PAPER-1")
    assert ledger.marks("PAPER-1") == ()
