"""One check a guess; each has a hub that it catches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.doctor.guesses import check_all, credit_sign
from mesoflow.cli.doctor.visit import Visit
from mesoflow.hubs.inferred import GUESSES
from tests.support.meddled import Meddle, MeddledHub
from tests.support.worlds import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A world in which a calendar is held."""
    desk = Desk(Path(tmp_path_factory.mktemp("w")) / "w")
    desk.fill(desk.prepare_entry())
    return desk


def verdicts(desk: Desk, meddle: Meddle = lambda _, envelope: envelope) -> dict[str, tuple[str, str]]:
    visit = Visit(MeddledHub(desk, meddle))  # type: ignore[arg-type]
    asyncio.run(visit.make())
    return {checked.name: (checked.verdict, checked.words) for checked in check_all(visit)}


def test_every_guess_is_checked_or_says_why_it_cannot_be(desk: Desk) -> None:
    found = verdicts(desk)
    assert list(found) == list(GUESSES)
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        "status_codes": "agrees",
        "hub_errors": "agrees",
        "enum_numbers": "agrees",
        "late_arrival": "unreadable",
        "record_retention": "unreadable",
        "credit_sign": "unseen",
        "qty_multiplier": "unreadable",
        "moved_leg_name": "agrees",
        "agent_of_account": "agrees",
        "clone_strategy_id": "unreadable",
        "expiration_date": "agrees",
        "event_kinds": "agrees",
        "events_since": "agrees",
        "event_order": "agrees",
        "job_gone": "agrees",
        "no_combo": "unreadable",
        "combo_ratio": "agrees",
        "record_wrapper": "unreadable",
    }


def at(method: str, change: Callable[[dict[str, Any]], None]) -> Meddle:
    """Change the answers of one method."""

    def meddle(name: str, envelope: dict[str, Any]) -> dict[str, Any]:
        if name == method:
            change(envelope)
        return envelope

    return meddle


def set_in(rows: str, name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(envelope: dict[str, Any]) -> None:
        for row in envelope["Data"][rows]:
            row[name] = value

    return change


def late_expiration(envelope: dict[str, Any]) -> None:
    for leg in envelope["Data"]["Legs"]:
        leg["LiveContract"]["Expiration"] = "2025-02-20T02:15:00Z"


def thrice(envelope: dict[str, Any]) -> None:
    envelope["Data"]["Prices"]["Mark"] *= 3


@pytest.mark.parametrize(
    ("name", "meddle", "words"),
    [
        ("status_codes", at("GetUnderlyingSnapshot", lambda answer: answer.update(Status="Nope")), "a refusal is called Nope"),
        ("hub_errors", at("unknown", lambda answer: answer.update(text="no such thing")), "an unknown method is answered with: no such thing"),
        ("enum_numbers", at("ListAccounts", set_in("Accounts", "BrokerType", 1)), "members come as numbers: no status is understood, and nothing can be sent"),
        ("moved_leg_name", at("ListLegs", set_in("Legs", "Name", "leg")), "position 1001 holds two legs of one name"),
        ("agent_of_account", at("ListAccounts", set_in("Accounts", "BrokerType", "Schwab")), "no connected agent is found for IB-1, TT-1"),
        ("expiration_date", at("ListLegs", late_expiration), "an expiration is written as 2025-02-20T02:15Z: that is no day of an expiration"),
        ("event_kinds", at("GetEventsSince", set_in("Events", "EventType", "Weather")), "unknown kinds: Weather"),
        ("event_order", at("GetEventsSince", lambda answer: answer["Data"]["Events"].reverse()), "the history is not in the order of its numbers"),
        ("job_gone", at("GetPreparePositionExitStatus", lambda answer: answer.update(Status="Gone")), "GetPreparePositionExitStatus of an unknown job: Gone"),
        ("combo_ratio", at("GetComboContractsSnapshot", thrice), "a package of one contract twice is not worth twice the contract"),
    ],
)  # fmt: skip
def test_a_hub_that_is_otherwise_is_caught(desk: Desk, name: str, meddle: Meddle, words: str) -> None:
    assert verdicts(desk, meddle)[name] == ("differs", words)


def test_an_included_number_is_no_difference(desk: Desk) -> None:
    def included(envelope: dict[str, Any]) -> None:
        envelope["Data"]["Events"].insert(0, {"EventType": "AgentStatusEvent", "EventSeqId": 1, "Event": {}})

    assert verdicts(desk)["events_since"][1] == "the number itself is not included; both are read"
    found = verdicts(desk, at("GetEventsSince", included))["events_since"]
    assert found == ("agrees", "the number itself is included; both are read")


def filled(limit: str, *fills: tuple[str, str]) -> Visit:
    visit = Visit(MeddledHub(None))  # type: ignore[arg-type]
    visit.rows["orders"] = [{"order_id": 7001, "limit_price": Decimal(limit)}]
    visit.rows["executions"] = [
        {"live_order_id": 7001, "price": Decimal(price), "qty": Decimal(qty)} for price, qty in fills
    ]
    return visit


CREDIT = (("5.20", "-1"), ("4.10", "1"))
DEBIT = (("5.20", "1"), ("4.10", "-1"))


@pytest.mark.parametrize(
    ("visit", "sign"),
    [
        (filled("-1.10", *CREDIT), "negative"),
        (filled("1.10", *CREDIT), "positive"),
        (filled("1.10", *DEBIT), None),
        (filled("0", *CREDIT), None),
        (filled("-1.10"), None),
    ],
)
def test_the_sign_of_a_credit_is_read_from_filled_orders(visit: Visit, sign: str | None) -> None:
    assert credit_sign(visit) == sign


def test_orders_that_disagree_propose_nothing() -> None:
    visit = filled("-1.10", *CREDIT)
    other = filled("1.10", *CREDIT)
    visit.rows["orders"].append({**other.rows["orders"][0], "order_id": 7002})
    visit.rows["executions"] += [{**row, "live_order_id": 7002} for row in other.rows["executions"]]
    assert credit_sign(visit) is None
