"""Lesson NautilusTrader #5000, bytex #30: trading on as if the journal and the account agreed."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest

from mesoflow.safety.ledger import Ledger
from mesoflow.safety.states import TradingState
from tests.unit.safety.making import (
    CALENDAR,
    CONDOR,
    NOW,
    Leg,
    closing,
    facts,
    judged,
    opened,
    order,
    refused,
    with_facts,
)

HELD = {"near_put": D(-2), "far_put": D(2)}
PERSON = TradingState("REDUCING", "ann", "the market is odd", NOW - timedelta(days=3))


def said(*states: TradingState) -> Ledger:
    ledger = Ledger()
    for state in states:
        ledger.states.set(state)
    return ledger


# --- C18


def test_reducing_refuses_what_opens_with_the_word_of_who_said_so() -> None:
    (line,) = judged(order(), ledger=said(PERSON)).refusals
    assert (line.code, dict(line.numbers)) == (
        "reducing",
        {"state": "REDUCING", "owner": "ann", "reason": "the market is odd", "since": PERSON.at},
    )
    assert refused(judged(order(kind="adjustment"), ledger=said(PERSON))) == ["reducing"]


def test_what_closes_goes_on_in_whatever_order() -> None:
    assert judged(closing(CONDOR), ledger=said(PERSON)).passed
    longs: tuple[Leg, ...] = tuple(leg for leg in CONDOR if leg[0].startswith("long"))
    longs_first = closing(longs, facts=facts(open_legs=opened(CONDOR)))
    verdict = judged(longs_first, ledger=said(PERSON))
    assert not verdict.only_reduces
    assert "reducing" not in refused(verdict)


def test_an_exit_in_name_only_is_none() -> None:
    assert "reducing" in refused(judged(closing(facts=facts()), ledger=said(PERSON)))


@pytest.mark.parametrize(
    ("states", "codes"),
    [
        ([PERSON, TradingState("ACTIVE", "ann")], []),
        ([TradingState("REDUCING", "C14", "loss", NOW, "PAPER-2", date(2025, 1, 17))], []),
        ([TradingState("REDUCING", "C14", "loss", NOW, "PAPER-1", date(2025, 1, 17))], ["reducing"]),
        ([TradingState("REDUCING", "C14", "loss", NOW, "PAPER-1", date(2025, 1, 16))], []),
        ([TradingState("HALTED", "ann")], []),  # the file says so, at the gate; the record is history
        ([PERSON, TradingState("HALTED", "ann")], ["reducing"]),
    ],
)
def test_whose_word_holds(states: list[TradingState], codes: list[str]) -> None:
    assert refused(judged(order(), ledger=said(*states))) == codes


# --- C22


def holding(legs: dict[str, D], agreed: timedelta | None = None) -> Ledger:
    ledger = Ledger()
    ledger.positions.know({"4711": {"account": "PAPER-1", "legs": legs}})
    if agreed is not None:
        ledger.positions.agreed("PAPER-1", NOW - agreed)
    return ledger


def test_an_entry_compares_when_the_last_time_is_an_hour_ago() -> None:
    beside = with_facts(order(CONDOR), open_legs=opened(CALENDAR))
    assert judged(beside, ledger=holding(HELD)).passed
    assert refused(judged(order(CONDOR), ledger=holding(HELD))) == ["not_reconciled"]
    assert judged(order(CONDOR), ledger=holding(HELD, timedelta(hours=1))).passed
    assert refused(judged(order(CONDOR), ledger=holding(HELD, timedelta(hours=1, seconds=1)))) == [
        "not_reconciled"
    ]


def test_the_differences_are_told() -> None:
    (line,) = judged(order(CONDOR), ledger=holding(HELD)).refusals
    assert line.numbers["differences"] == [
        "leg far_put of position 4711 holds 0, not 2",
        "leg near_put of position 4711 holds 0, not -2",
    ]


def test_an_exit_never_waits_for_it() -> None:
    assert judged(closing(), ledger=holding({"near_put": D(-9)})).passed


def test_how_often_is_said_in_risk() -> None:
    ledger = holding(HELD, timedelta(minutes=2))
    assert refused(judged(order(CONDOR), ledger=ledger, reconcile_every="1m")) == ["not_reconciled"]
    assert judged(order(CONDOR), ledger=holding(HELD), reconcile_every="unlimited").passed
