"""I8, worked out from our own fills."""

from datetime import timedelta
from decimal import Decimal

import pytest

from mesoflow.journal.records import HOME
from mesoflow.rehearsal.checkers.i08_reducing_reduces import check
from mesoflow.simulator.ledger import Fill
from tests.support.testimony import HandMade

LONG, SHORT = "SPX SPXW 2025-02-14 put 5850 100", "SPX SPXW 2025-02-14 put 5900 100"
CALL = "SPX SPXW 2025-02-14 call 6100 100"
BACK = "SPX SPXW 2025-03-14 put 5900 100"
SPREAD = {LONG: 2, SHORT: -2}


def home(opened: dict[str, int], traded: dict[str, int], **how: object) -> HandMade:
    made = HandMade()
    made.order("entry", opened)
    made.order("exit", traded, reduces=True, **how)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(
    ("opened", "traded"),
    [
        (SPREAD, {LONG: -2, SHORT: 2}),
        (SPREAD, {LONG: -1, SHORT: 1}),
        (SPREAD, {SHORT: 2}),
        ({CALL: -1}, {CALL: 1}),
        ({SHORT: -1, BACK: 1}, {SHORT: 1, BACK: -1}),
    ],
    ids=["all of it", "half of it", "the short leg", "a naked call", "a calendar"],
)
def test_what_reduces_is_let_through(opened: dict[str, int], traded: dict[str, int]) -> None:
    assert check(home(opened, traded).evidence()) == []


@pytest.mark.parametrize(
    ("opened", "traded", "words"),
    [
        (SPREAD, {LONG: -2}, "the lowest value from 2025-02-14 on was -10000, and is -1180000 after it"),
        (SPREAD, {SHORT: 3}, f"+3 of {SHORT}, of which -2 are held"),
        (SPREAD, {SHORT: -1}, f"-1 of {SHORT}, of which -2 are held"),
        (SPREAD, {CALL: 1}, f"+1 of {CALL}, of which +0 are held"),
        ({SHORT: -1, BACK: 1}, {BACK: -1}, "the lowest value from 2025-02-14 on was 0, and is -590000 after it"),
        ({SHORT: 1, BACK: -1, LONG: 2}, {LONG: -2}, "the lowest value from 2025-02-14 on was 0, and is 0 after it"),
    ],
    ids=["its cover", "too much", "more of it", "another leg", "a calendar's cover", "nothing lower"],
)  # fmt: skip
def test_what_does_not_is_found(opened: dict[str, int], traded: dict[str, int], words: str) -> None:
    found = check(home(opened, traded).evidence())
    if words.startswith("the lowest value from 2025-02-14 on was 0, and is 0"):
        assert found == []
        return
    assert [str(each) for each in found] == [f"I8 at exit/rung-2/send: {words}"]


def test_what_was_not_known_to_have_filled_is_not_held() -> None:
    made = HandMade()
    made.order("entry", SPREAD, filled=1)
    made.order("exit", {LONG: -2, SHORT: 2}, reduces=True)
    assert check(made.evidence())[0].words == f"-2 of {LONG}, of which +1 are held"


def test_an_order_that_did_not_pass_as_reducing_is_not_its_affair() -> None:
    made = HandMade()
    made.order("entry", SPREAD)
    made.order("adjustment", {LONG: -2})
    assert check(made.evidence()) == []


def test_what_the_broker_closed_counts_once_a_person_has_looked() -> None:
    """It bought the short leg back: then the long one covers nothing, and to sell it raises no risk."""
    assert check(liquidated(["broker", "person"]).evidence()) == []


@pytest.mark.parametrize("story", [[], ["broker"], ["person", "broker"]])
def test_nobody_has_looked_at_what_the_broker_closed(story: list[str]) -> None:
    assert [each.invariant for each in check(liquidated(story).evidence())] == ["I8"]


def liquidated(story: list[str]) -> HandMade:
    made = HandMade()
    made.order("entry", SPREAD)
    for who in story:
        if who == "person":
            made.write("cleared", {"account": "IB-1", "legs": {"1001": []}}, HOME)
        else:
            bought = (0, 1001, SHORT, SHORT, Decimal(2), Decimal(1), Decimal(0))
            made.fills.append(Fill(made.at + timedelta(milliseconds=1), "Broker", "", "IB-1", *bought))
    made.order("exit", {LONG: -2}, reduces=True)
    return made
