"""Lessons Lean #9292, hummingbot #7294, freqtrade #11461: two orders where one was meant."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mesoflow.safety.ledger import Ledger
from mesoflow.trading.orders import Order
from tests.unit.safety.making import CONDOR, NOW, RUN, closing, judged, order, refused

MINUTE = timedelta(minutes=1)


def sent(made: Order, run_id: str = RUN, ago: timedelta = MINUTE, path: str = "buy/fill") -> Ledger:
    ledger = Ledger()
    ledger.apply_intent(run_id, made, NOW - ago, path)
    return ledger


def test_another_order_on_the_same_legs_that_is_not_over_refuses() -> None:
    verdict = judged(order(), ledger=sent(order(exec_plan_id=7009)))
    (line,) = verdict.refusals
    assert (line.code, dict(line.numbers)) == (
        "duplicate_order",
        {"run": RUN, "path": "buy/fill", "sent_at": NOW - MINUTE, "state": "unknown"},
    )


def test_a_live_one_is_named_by_its_id() -> None:
    ledger = sent(closing(), run_id="other")
    ledger.accepted("other", "buy/fill", "PAPER-1", 17, NOW)
    (line,) = judged(closing(exec_plan_id=7009), ledger=ledger).refusals
    assert (line.code, line.numbers["state"], line.numbers["order"]) == ("duplicate_order", "live", 17)


@pytest.mark.parametrize(
    "other",
    [order(CONDOR), order(account="PAPER-2", exec_plan_id=7009), replace(closing(), kind="entry")],
    ids=["other legs", "other account", "other side"],
)
def test_what_is_no_duplicate(other: Order) -> None:
    assert "duplicate_order" not in refused(judged(order(), ledger=sent(other)))


def test_rungs_of_one_walk_are_exempt_and_nobody_elses() -> None:
    first = order(walk="enter/group-1", target=2)
    second = replace(first, facts=first.facts)
    assert judged(second, ledger=sent(first), max_open_orders=9).passed
    assert "duplicate_order" in refused(judged(second, ledger=sent(first, run_id="other")))
    assert "duplicate_order" in refused(judged(replace(second, walk="again/group-1"), ledger=sent(first)))


def test_another_try_of_a_step_waits_for_the_end_of_the_one_before() -> None:
    ledger, first = sent(order(walk="enter/group-1")), order(walk="enter~2/group-1")
    assert "duplicate_order" in refused(judged(first, ledger=ledger))
    ledger.settle(RUN, order(), NOW, path="buy/fill", traded=NONE)
    assert judged(first, ledger=ledger).passed


NONE = order().contracts * 0


@pytest.mark.parametrize(
    ("ago", "now", "codes"),
    [
        (timedelta(minutes=9, seconds=59), NOW, ["duplicate_entry"]),
        (timedelta(minutes=10), NOW, []),
    ],
)
def test_an_entry_of_another_run_counts_for_ten_minutes(
    ago: timedelta, now: datetime, codes: list[str]
) -> None:
    ledger = sent(order(), run_id="other", ago=ago)
    ledger.settle("other", order(), NOW - ago, path="buy/fill", traded=NONE)  # whether or not it filled
    assert refused(judged(order(), ledger=ledger, now=now)) == codes


def test_it_counts_from_the_end_of_that_walk() -> None:
    ledger = sent(order(), run_id="other", ago=timedelta(minutes=30))
    ledger.settle("other", order(), NOW - timedelta(minutes=5), path="buy/fill", traded=NONE)
    assert refused(judged(order(), ledger=ledger)) == ["duplicate_entry"]


def test_what_nobody_accepted_was_no_entry_and_an_exit_is_not_held_back_by_one_that_is_over() -> None:
    ledger = sent(order(), run_id="other")
    ledger.settle("other", order(), NOW, path="buy/fill", traded=NONE, accepted=False)
    assert judged(order(), ledger=ledger).passed
    over = sent(closing(), run_id="other")
    over.settle("other", closing(), NOW, path="buy/fill")
    assert judged(closing(), ledger=over).passed
