"""Limits count in the state home, across runs: a ledger is a fold of everybody's records at one hub, and of nobody's elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from mesoflow.engine.effects import Done, Outcome, Refused
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import HOME, Entry
from mesoflow.runtime.bodies import settled
from mesoflow.runtime.gate import Gate
from mesoflow.runtime.ledgers import Grounds, News, grounds, hear, home_ledger, runs_in_session
from mesoflow.runtime.standing import standings
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.safety.states import TradingState
from mesoflow.trading.order_values import order_to_value
from mesoflow.trading.orders import Order
from tests.support.stories import started
from tests.unit.safety.making import CALENDAR, CONDOR, HERE, NOW, RISK, closing, facts, opened, order

SESSION = date(2025, 1, 17)
AT = NOW - timedelta(minutes=5)
ELSEWHERE = {"kind": "embedded", "url": None, "account": "PAPER-1", "world": "other"}
SOLD = replace(order(CONDOR, limit="-4.00"), method="SendOrder")


class Home:
    """A home's journal, record by record; the run `me` asks."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()

    def add(self, run_id: str, kind: Any, body: dict[str, Any], account: str = "") -> Home:
        self.journal.commit([Entry(run_id, kind, body, account)])
        return self

    def begin(self, run_id: str, **changes: Any) -> Home:
        return self.add(run_id, "started", started(run_id, at=AT, session_date=SESSION, **changes))

    def intend(self, run_id: str, made: Order, path: str = "buy/fill") -> Home:
        body = {"path": path, "method": made.method, "request": "{}", "order": order_to_value(made), "at": AT}
        return self.add(run_id, "intended", body, made.account)

    def cancel(self, run_id: str) -> Home:
        return self.add(run_id, "intended", {"path": "c", "method": "CancelOrder", "request": "{}", "at": AT})

    def settle(self, run_id: str, outcome: Outcome, path: str = "buy/fill", account: str = "PAPER-1") -> Home:
        return self.add(run_id, "settled", settled(path, outcome, "d", AT), account)

    def end(self, run_id: str, state: str = "done") -> Home:
        return self.add(run_id, "ended", {"state": state, "reason": "", "at": AT})

    def seen_by(self, run_id: str = "me", **changes: Any) -> Grounds:
        """What a run that starts now, or goes on, would begin with."""
        new = all(row.run_id != run_id for row in self.journal.runs())
        runs = standings(self.journal, lambda _: False)
        mine = next((run.started for run in runs if run.run_id == run_id), None)
        body = mine or started(run_id, session_date=SESSION, **changes)
        return grounds(self.journal, body, runs, NOW, new=new)

    def ledger(self, run_id: str = "me") -> Ledger:
        return self.seen_by(run_id).fold.ledger


BOOKED = Done({"exec_plan_id": 7001, "position_id": 4711})
ACCEPTED = Done({"live_order_id": 17})


def told(ledger: Ledger) -> tuple[D, int, int]:
    """Contracts of the day, messages of the day, open orders."""
    day = ledger.contracts_of_day("PAPER-1", SESSION)
    return day, ledger.messages_of_day(SESSION), len(ledger.open_orders("PAPER-1"))


def test_other_runs_count_whether_they_are_over_or_not() -> None:
    home = Home().begin("one").intend("one", order()).settle("one", BOOKED).end("one")
    home.begin("two").intend("two", order(CONDOR, exec_plan_id=7002)).cancel("two")
    assert told(home.ledger()) == (D(12), 3, 1)


def test_an_unknown_of_long_ago_is_alive_and_a_run_that_was_over_then_says_nothing() -> None:
    home = Home()
    for run_id, ended in (("one", True), ("two", False)):
        home.add(run_id, "started", started(run_id, session_date=date(2025, 1, 10)))
        body = {
            "path": "p",
            "method": "ApplyPaperFills",
            "order": order_to_value(order()),
            "at": AT - timedelta(days=7),
        }
        home.add(run_id, "intended", body | {"request": "{}"}, "PAPER-1")
        if ended:
            home.add(run_id, "settled", settled("p", BOOKED, "d", AT - timedelta(days=7)), "PAPER-1")
            home.add(run_id, "ended", {"state": "done", "reason": "", "at": AT - timedelta(days=7)})
    assert told(home.ledger()) == (D(0), 0, 1)


def test_runs_at_another_hub_say_nothing_here() -> None:
    home = Home().begin("one", hub=ELSEWHERE).intend("one", order()).end("one", "failed")
    assert told(home.ledger()) == (D(0), 0, 0)
    assert home.ledger().errors(SESSION) == 0
    assert home.seen_by().run_number == 1


def test_a_runs_own_records_are_told_to_it_by_who_replays_them() -> None:
    home = Home().begin("me").intend("me", order())
    assert told(home.ledger()) == (D(0), 0, 0)
    assert home.seen_by("two").fold.ledger.contracts("me") == D(4)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("settled", {"path": "w", "outcome": {"done": {"order": {"order_id": 17, "state": "Cancelled", "cum_qty": D(1)}}}, "digest": "d", "at": AT}),
        ("event", {"order": {"order_id": 17, "state": "Cancelled", "cum_qty": D(1)}, "at": AT}),
        ("input", {"withdrawn": {"order": 17, "by": "halt", "filled": D(1)}, "at": AT}),
    ],
)  # fmt: skip
def test_an_order_at_a_broker_is_over_when_anybody_has_seen_it(kind: str, body: dict[str, Any]) -> None:
    home = Home().begin("one").intend("one", SOLD).settle("one", ACCEPTED)
    assert told(home.ledger()) == (D(8), 1, 1)
    home.add("one", kind, body)
    assert told(home.ledger()) == (D(4), 1, 0)


@pytest.mark.parametrize(("code", "messages"), [("rejected", 1), ("not_sent", 0), ("halted", 0)])
def test_what_was_refused_traded_nothing(code: str, messages: int) -> None:
    home = Home().begin("one").intend("one", order()).settle("one", Refused(code, "no"))
    assert told(home.ledger()) == (D(0), messages, 0)


def test_a_ledger_catches_up_with_what_was_committed_since() -> None:
    home = Home().begin("one")
    known = home.seen_by()
    assert known.versions == {"PAPER-1": 0}
    home.begin("two").intend("two", order()).begin("three", hub=ELSEWHERE).intend("three", order())
    for record in home.journal.ledger("PAPER-1", known.versions["PAPER-1"]):
        known.fold.take(record)
    assert told(known.fold.ledger) == (D(4), 1, 1)
    assert home.seen_by().versions == {"PAPER-1": home.journal.ledger_version("PAPER-1")}


# --- runs of a playbook, errors


def test_a_run_knows_which_of_its_playbook_it_is() -> None:
    home = Home().begin("one").end("one").begin("me").begin("two").begin("three", playbook="other")
    assert home.seen_by("one").run_number == 1
    assert home.seen_by("me").run_number == 2
    assert home.seen_by("new").run_number == 4
    runs = standings(home.journal, lambda _: False)
    assert runs_in_session(home.journal, runs, runs[0].started["hub"], "calendar", SESSION) == 3
    assert runs_in_session(home.journal, runs, runs[0].started["hub"], "calendar", date(2025, 1, 16)) == 0


def test_a_release_counts_from_nothing_again() -> None:
    home = Home().begin("one").begin("two")
    home.add(HOME, "released", {"playbook": "calendar", "by": "ann", "reason": "", "at": AT}).begin("me")
    assert home.seen_by("me").run_number == 1
    runs = standings(home.journal, lambda _: False)
    assert runs_in_session(home.journal, runs, runs[0].started["hub"], "calendar", SESSION) == 1


def test_runs_that_failed_are_errors_and_others_are_none() -> None:
    home = Home()
    for number, state in enumerate(("failed", "done", "failed", "cancelled")):
        home.begin(f"run-{number}").end(f"run-{number}", state)
    assert home.ledger().errors(SESSION) == 2


# --- marks, clears, states


REDUCING = TradingState("REDUCING", "ann", "odd", AT)
MARK = {"path": "p", "account": "PAPER-1", "position_id": 4711, "summary": "1 instead of 2", "at": AT}


def test_the_homes_words_hold_for_every_run_and_are_heard_by_living_ones() -> None:
    home = Home().begin("one")
    known = home.seen_by()
    home.add(HOME, "state", REDUCING.value()).add("one", "mark", MARK)
    heard = hear(home.journal, known.fold, known.heard)
    ledger = known.fold.ledger
    assert ledger.trading_state("PAPER-1") == REDUCING
    assert [mark.position_id for mark in ledger.marks("PAPER-1")] == [4711]
    home.add(HOME, "cleared", {"account": "PAPER-1", "position_id": 4711, "legs": {}, "at": AT})
    home.add(HOME, "state", TradingState("ACTIVE", "ann", "fine", AT).value())
    assert hear(home.journal, known.fold, heard) > heard
    assert (ledger.trading_state("PAPER-1").state, ledger.marks("PAPER-1")) == ("ACTIVE", ())
    assert home.ledger().trading_state("PAPER-1").state == "ACTIVE"


def test_a_ledger_of_the_homes_words_only() -> None:
    home = Home().begin("one").add("one", "mark", MARK).intend("one", order())
    ledger = home_ledger(home.journal.home())
    assert ([mark.run_id for mark in ledger.marks("PAPER-1")], ledger.contracts("one")) == (["one"], D(0))


def test_the_days_loss_is_a_state_for_the_rest_of_its_session() -> None:
    reducing = {"account": "PAPER-1", "reason": "the loss is 2,500", "at": AT, "session": SESSION}
    home = (
        Home()
        .begin("one")
        .settle("one", Refused("rail_refused", "C14", {"rules": ["C14"], "reducing": reducing}))
    )
    state = home.ledger().trading_state("PAPER-1", SESSION)
    assert (state.state, state.owner) == ("REDUCING", "C14")
    assert home.ledger().trading_state("PAPER-1", date(2025, 1, 21)).state == "ACTIVE"


# --- positions


HELD = {"4711": {"account": "PAPER-1", "legs": {"near_put": D(-2), "far_put": D(2)}, "plans": [7001]}}
LATER = NOW + timedelta(minutes=2)


def differences(known: Grounds, shown: Any = ()) -> list[str]:
    return known.fold.ledger.positions.differences("PAPER-1", shown, LATER)


def test_what_the_first_record_knows_is_not_counted_twice() -> None:
    home = Home().begin("one").intend("one", order()).settle("one", BOOKED)
    home.begin("me", ledger={"positions": HELD, "unknowns": []})
    assert differences(home.seen_by("me"), opened(CALENDAR)) == []


def test_what_others_trade_afterwards_is() -> None:
    home = Home().begin("one").begin("me", ledger={"positions": HELD, "unknowns": []})
    out = closing(facts=facts(open_legs=opened(CALENDAR)))
    home.intend("one", out, "sell/fill").settle("one", Done({"position_id": 4711}), "sell/fill")
    assert differences(home.seen_by("me")) == []
    assert differences(home.seen_by("me"), opened(CALENDAR)) != []


def test_what_had_filled_before_is_not_counted_twice_when_the_rest_fills() -> None:
    """The first record knows of one package of two; the other one fills after it."""
    half = {"4711": {"account": "PAPER-1", "legs": {"near_put": D(-1), "far_put": D(1)}, "plans": [7001]}}
    home = Home().begin("one").intend("one", replace(order(), method="SendOrder")).settle("one", ACCEPTED)
    seen = {"order_id": 17, "state": "PartiallyFilled", "cum_qty": D(1)}
    home.add("one", "event", {"order": seen, "at": AT})
    home.begin("me", ledger={"positions": half, "unknowns": []})
    home.add("one", "event", {"order": seen | {"state": "Filled", "cum_qty": D(2)}, "at": AT})
    assert differences(home.seen_by("me"), opened(CALENDAR)) == []


def test_a_clear_says_what_is_held_from_now_on() -> None:
    home = Home().begin("me", ledger={"positions": HELD, "unknowns": []})
    legs = {"4711": [{"name": "far_put", "quantity": D(1)}]}
    home.add(HOME, "cleared", {"account": "PAPER-1", "position_id": 4711, "legs": legs, "at": AT})
    (shown,) = opened((("far_put", CALENDAR[1][1], 1, CALENDAR[1][3]),))
    assert differences(home.seen_by("me"), [shown]) == []


# --- news


def test_news_is_what_others_did_and_is_told_once() -> None:
    home = Home().begin("one").intend("one", SOLD)
    known = home.seen_by()
    news = News(home.journal, "me", known.versions)
    home.begin("me").intend("me", order()).settle("one", ACCEPTED)
    assert [(record.run_id, record.kind) for record in news("PAPER-1")] == [("one", "settled")]
    assert news("PAPER-1") == []
    assert news("PAPER-2") == []


def test_a_record_that_is_told_twice_counts_once() -> None:
    home = Home().begin("one")
    known = home.seen_by()
    home.intend("one", order())
    for _ in range(2):
        for record in home.journal.ledger("PAPER-1", 0):
            known.fold.take(record)
    assert told(known.fold.ledger) == (D(4), 1, 1)


def test_nothing_is_refused_for_an_order_of_another_run_that_is_over_by_now() -> None:
    home = Home().begin("one").intend("one", SOLD).settle("one", ACCEPTED)
    known = home.seen_by()
    news = News(home.journal, "me", known.versions)
    tight = Limits.parse({**RISK, "max_open_orders": 1})
    gate = Gate("me", tight, known.fold.ledger, replace(HERE, run_id="me"), known.fold, news)
    refused = gate.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert refused.details["rules"] == ["C12"]
    over = {"order_id": 17, "state": "Cancelled", "cum_qty": D(0)}
    home.add(
        "one",
        "input",
        {"withdrawn": {**over, "order": 17, "by": "halt", "filled": D(0)}, "at": AT},
        "PAPER-1",
    )
    assert gate.judge("buy~2/fill", order(), NOW) is None
