"""I7, by the order of the home's journal."""

from mesoflow.rehearsal.checkers.i07_nothing_sent_while_halted import check
from tests.support.testimony import HandMade

PUT = "SPX SPXW 2025-02-14 put 5900 100"


def test_before_a_halt_and_after_its_release_orders_leave() -> None:
    home = HandMade()
    home.order("entry", {PUT: -1})
    home.state("HALTED")
    home.state("ACTIVE")
    home.order("exit", {PUT: 1})
    assert check(home.evidence()) == []


def test_an_intent_that_the_gate_held_back_is_none() -> None:
    """HALT is looked at after the commit: the journal holds what never left."""
    home = HandMade()
    home.state("HALTED")
    home.order("entry", {PUT: -1}, executed=False)
    assert check(home.evidence()) == []


def test_an_order_that_was_executed_in_between_is_found_exits_included() -> None:
    home = HandMade()
    home.state("REDUCING")
    home.state("HALTED", "ana")
    home.state("HALTED", "ben")
    home.order("exit", {PUT: 1})
    (found,) = check(home.evidence())
    assert str(found) == "I7 at exit/rung-1/send: it was executed, and the home had been halted by ana"
