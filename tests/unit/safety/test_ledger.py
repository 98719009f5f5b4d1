from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.ledger import FORGOTTEN_AFTER, Ledger, Mark
from mesoflow.safety.sent import Sent
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
    sent = ledger.apply_intent(RUN, made, NOW, "buy/fill")
    assert ledger.sent(RUN, "buy/fill", "PAPER-1") is sent
    assert (ledger.contracts(RUN, sent), ledger.contracts(RUN)) == (D(0), D(4))
    assert ledger.contracts_of_day("PAPER-1", NOW.date(), sent) == D(0)
    assert ledger.not_visible("PAPER-1", facts(), sent) == []
    assert ledger.open_orders("PAPER-1", sent) == []


def test_two_equal_orders_are_two() -> None:
    ledger, first, second = Ledger(), order(), order()
    ledger.apply_intent(RUN, first, NOW)
    ledger.apply_intent(RUN, second, NOW)
    ledger.settle(RUN, second, LATER, traded=D(0))
    assert ledger.contracts(RUN) == D(4)
    assert ledger.not_visible("PAPER-1", facts()) == [first]


def test_an_intent_is_invisible_until_the_hub_shows_its_legs() -> None:
    ledger, made = Ledger(), order()
    ledger.apply_intent(RUN, made, NOW)
    shown = facts(as_of=LATER, open_legs=opened())
    assert ledger.not_visible("PAPER-1", shown) == [made]  # not settled: it may yet fill
    ledger.settle(RUN, made, NOW + SECOND)
    assert ledger.not_visible("PAPER-1", facts(as_of=NOW + SECOND, open_legs=opened())) == [made]
    assert ledger.not_visible("PAPER-1", facts(as_of=LATER)) == [made]  # the hub lags the fill
    assert ledger.not_visible("PAPER-1", facts(as_of=None, open_legs=opened())) == [made]
    assert ledger.not_visible("PAPER-2", facts()) == []
    assert ledger.not_visible("PAPER-1", shown) == []
    assert (
        ledger.not_visible("PAPER-1", facts(as_of=LATER)) == []
    )  # shown once: what is gone since was closed


def test_a_second_fill_of_the_same_legs_is_not_taken_for_the_first() -> None:
    ledger, second = Ledger(), order(facts=facts(open_legs=opened()))
    ledger.apply_intent(RUN, second, NOW)
    ledger.settle(RUN, second, NOW)
    assert ledger.not_visible("PAPER-1", facts(as_of=LATER, open_legs=opened())) == [second]
    both = (*opened(), *opened(position_id=4712))
    assert ledger.not_visible("PAPER-1", facts(as_of=LATER, open_legs=both)) == []


def test_it_is_in_all_facts_once_the_comparison_of_legs_must_be_over() -> None:
    ledger, made = Ledger(), order()
    ledger.apply_intent(RUN, made, NOW)
    ledger.settle(RUN, made, NOW)
    late = facts(as_of=NOW + 31 * SECOND)
    assert ledger.not_visible("PAPER-1", late) == []


def test_exits_and_what_did_not_fill_are_not_missed() -> None:
    ledger = Ledger()
    ledger.apply_intent(RUN, closing(), NOW)
    made = order()
    ledger.apply_intent(RUN, made, NOW)
    ledger.settle(RUN, made, NOW, traded=D(0))
    assert ledger.not_visible("PAPER-1", facts(as_of=NOW)) == []


def test_a_long_run_does_not_grow_it() -> None:
    ledger = Ledger()
    for number in range(50):
        made, at = order(exec_plan_id=number), NOW + number * 2 * FORGOTTEN_AFTER
        ledger.apply_intent(RUN, made, at)
        ledger.settle(RUN, made, at)
    assert ledger.contracts(RUN) == D(200)
    assert len(ledger.not_visible("PAPER-1", facts(as_of=NOW))) == 1


def test_it_is_rebuilt_from_the_values_in_the_journal() -> None:
    made = order()
    ledger = Ledger()
    ledger.apply_intent(RUN, order_from_value(order_to_value(made)), NOW, "buy/fill")
    ledger.settle(RUN, made, LATER, path="buy/fill")
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


# --- orders at a broker: alive until they are seen to be over


def seen(state: str, cum_qty: int, order_id: int = 17) -> dict[str, object]:
    return {"order_id": order_id, "state": state, "cum_qty": D(cum_qty)}


def at_broker(path: str = "enter/group-1/rung-1/send") -> tuple[Ledger, Sent]:
    """Two packages of a calendar, accepted as order 17."""
    ledger = Ledger()
    sent = ledger.apply_intent(RUN, replace(order(), method="SendOrder"), NOW, path)
    ledger.accepted(RUN, path, "PAPER-1", 17, NOW)
    return ledger, sent


def counts(ledger: Ledger) -> tuple[D, D, int]:
    """Contracts of the run, of the day, and orders that are open."""
    day = ledger.contracts_of_day("PAPER-1", NOW.date())
    return ledger.contracts(RUN), day, len(ledger.open_orders("PAPER-1"))


def test_an_accepted_order_counts_whole_until_it_is_seen_to_be_over() -> None:
    ledger, sent = at_broker()
    assert (sent.state, counts(ledger)) == ("live", (D(4), D(4), 1))
    ledger.observe(seen("PartiallyFilled", 1), LATER)
    assert counts(ledger) == (D(4), D(4), 1)
    ledger.observe(seen("Cancelled", 1), LATER)
    assert counts(ledger) == (D(2), D(2), 0)


@pytest.mark.parametrize(
    ("state", "cum", "contracts", "still_open"),
    [
        ("Filled", 2, 4, 0),
        ("Filled", -2, 4, 0),  # the hub signs the quantity of a sale
        ("Rejected", 0, 0, 0),
        ("Expired", 0, 0, 0),
        ("Submitted", 0, 4, 1),
        ("NotInTheContract", 1, 4, 1),  # an unknown state is alive
        ("Cancelled", 9, 4, 0),  # never more than was sent
    ],
)
def test_what_a_state_comes_to(state: str, cum: int, contracts: int, still_open: int) -> None:
    ledger, _ = at_broker()
    ledger.observe(seen(state, cum), LATER)
    assert counts(ledger) == (D(contracts), D(contracts), still_open)


def test_a_fill_after_the_end_is_counted_and_one_told_twice_is_not() -> None:
    """I1, I5; lesson freqtrade #11461."""
    ledger, _ = at_broker()
    for told in (seen("Cancelled", 0), seen("Cancelled", 1), seen("Cancelled", 1), seen("Filled", 1)):
        ledger.observe(told, LATER)
    assert counts(ledger) == (D(2), D(2), 0)
    assert [made.exec_plan_id for made in ledger.not_visible("PAPER-1", facts())] == [7001]


def test_an_order_of_nobody_here_says_nothing() -> None:
    ledger, _ = at_broker()
    assert ledger.observe(seen("Cancelled", 0, order_id=99), LATER) is None
    assert counts(ledger) == (D(4), D(4), 1)


@given(
    st.lists(st.tuples(st.sampled_from(["Submitted", "Cancelled", "Filled"]), st.integers(0, 2)), max_size=8)
)
def test_whatever_is_told_in_whatever_order_a_count_is_the_most_that_was_seen(
    told: list[tuple[str, int]],
) -> None:
    ledger, _ = at_broker()
    over, most = False, 0
    for state, cum in told:
        ledger.observe(seen(state, cum), LATER)
        if over or state in ("Cancelled", "Filled"):
            most = max(most, cum) if over else cum
            over = True
    expected = D(2) * most if over else D(4)
    assert counts(ledger) == (expected, expected, 0 if over else 1)


# --- messages, runs, errors


def test_orders_and_cancels_are_messages_and_what_never_left_is_none() -> None:
    ledger = Ledger()
    ledger.apply_intent(RUN, order(), NOW, "a")
    ledger.message(RUN, NOW)
    assert (ledger.messages(RUN), ledger.messages_of_day(NOW.date()), ledger.messages_in_minute(NOW)) == (
        2,
        2,
        2,
    )
    ledger.settle(RUN, order(), NOW, path="a", traded=D(0), left=False)
    assert (ledger.messages(RUN), ledger.messages_of_day(NOW.date())) == (1, 1)
    assert ledger.messages("other") == 0


def test_orders_do_not_grow_it_and_open_ones_stay() -> None:
    ledger = Ledger()
    stays = ledger.apply_intent(RUN, order(CONDOR), NOW, "stays")
    for number in range(200):
        at = NOW + number * timedelta(seconds=61)
        ledger.apply_intent("other", order(), at, f"p{number}")
        ledger.settle("other", order(), at, path=f"p{number}")
    assert ledger.open_orders("PAPER-1") == [stays]
    assert len(ledger.not_visible("PAPER-1", facts(as_of=NOW))) == 2
