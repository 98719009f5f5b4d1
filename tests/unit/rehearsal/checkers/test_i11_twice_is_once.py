"""I11: the home before one more resume, and after it."""

from copy import deepcopy

import pytest

from mesoflow.rehearsal.checkers.i11_twice_is_once import check
from tests.support.testimony import HandMade

PUT = "SPX SPXW 2025-02-14 put 5900 100"


def parked() -> HandMade:
    home = HandMade()
    home.order("entry", {PUT: -1}, executed=False)
    home.parked("outcome_unknown")
    return home


def test_asked_once_more_a_parked_run_calls_the_same_person() -> None:
    home = parked()
    before = deepcopy(home).evidence()
    home.write("engine", {"path": "engine/reconcile/entry/rung-1/send"})
    home.parked("outcome_unknown")
    assert check(home.evidence(earlier=before)) == []
    assert check(home.evidence()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (lambda home: home.order("entry", {PUT: -1}, executed=False), "by-hand: resumed once more it has a record 'intended' entry/rung-2/send"),
        (lambda home: home.ended(), "by-hand: resumed once more it has a record 'ended'"),
        (lambda home: home.write("input", {"late_fill": {"order": 1, "filled": 1}}), "by-hand: resumed once more it has a record 'input'"),
        (lambda home: home.executed.append(None), "the hub: 1 more trading calls were executed"),
    ],
    ids=["an order", "an end", "a fill", "a call"],
)  # fmt: skip
def test_whatever_moves_it_is_found(more, words: str) -> None:
    home = parked()
    before = deepcopy(home).evidence()
    more(home)
    assert [f"{found.place}: {found.words}" for found in check(home.evidence(earlier=before))] == [words]


def test_a_run_that_is_over_gets_no_record_at_all() -> None:
    home = HandMade()
    home.ended()
    before = deepcopy(home).evidence()
    home.parked("halted")
    (found,) = check(home.evidence(earlier=before))
    assert found.words == "it was over, and 1 records came"


def test_a_history_is_never_another_one() -> None:
    before, after = parked(), HandMade()
    after.order("exit", {PUT: 1}, executed=False)
    after.parked("outcome_unknown")
    assert check(after.evidence(earlier=before.evidence()))[0].words == "its records are other ones"
