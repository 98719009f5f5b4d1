"""A visit calls what can be called, says why it did not call the rest, and never anything that changes something."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.doctor.visit import Called, Visit, unwrapped
from mesoflow.hubs.contract import METHODS
from tests.support.meddled import Meddle, MeddledHub, silence
from tests.support.worlds import Desk

ORDERS = {"GetOrder": "there is no order"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def visited(desk: Desk, *meddle: Meddle) -> Visit:
    visit = Visit(MeddledHub(desk, *meddle))  # type: ignore[arg-type]
    asyncio.run(visit.make())
    return visit


def test_everything_that_can_be_read_is_read_and_nothing_else(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    visit = visited(desk)
    reads = {name for name, method in METHODS.items() if method.klass == "read"}
    assert set(visit.called) == reads
    assert {
        called.method: called.words for called in visit.called.values() if called.ending == "not called"
    } == ORDERS
    assert {called.method for called in visit.called.values() if called.ending == "refused"} == {
        "GetIdempotencyRecord",
        "GetPreparePositionEntryStatus",
        "GetPreparePositionExitStatus",
        "GetPreparePositionAdjustmentStatus",
    }
    assert all(called.meant for called in visit.called.values() if called.ending == "refused")
    assert visit.comparison.deviations == {}
    assert set(visit.hub.asked) <= reads  # type: ignore[attr-defined]


def test_an_empty_world_says_what_is_missing(desk: Desk) -> None:
    visit = visited(desk)
    missing = {
        called.method: called.words for called in visit.called.values() if called.ending == "not called"
    }
    assert missing["GetPosition"] == "there is no position"
    assert missing["StreamComboContractsData"] == "there is no contract"
    assert visit.called["GetUnderlyingSnapshot"] == Called("GetUnderlyingSnapshot", "answered")


def test_without_an_agent_no_quotes_are_asked_for(desk: Desk) -> None:
    def away(method: str, envelope: dict[str, Any]) -> dict[str, Any]:
        if method == "ListAgents":
            for agent in envelope["Data"]["Agents"]:
                agent["IsConnected"] = False
        return envelope

    visit = visited(desk, away)
    assert visit.called["GetUnderlyingSnapshot"].words == "there is no connected agent to ask for quotes"


def test_a_call_that_fails_is_told_and_the_visit_goes_on(desk: Desk) -> None:
    def mute(method: str, envelope: Any) -> Any:
        return silence(method) if method in ("ListAccounts", "StreamUnderlyingData") else envelope

    visit = visited(desk, mute)
    assert visit.called["ListAccounts"].ending == "failed"
    assert "no answer in 15 s" in visit.called["ListAccounts"].words
    assert visit.called["GetAccount"].words == "there is no account"
    assert visit.called["StreamUnderlyingData"].ending == "refused"
    assert visit.called["GetEventsSince"].ending == "answered"


@pytest.mark.parametrize(
    ("envelope", "words"),
    [
        ("nonsense", "an answer without a readable envelope"),
        (
            {"Status": "Success", "Data": {"Agents": "none"}},
            "it cannot be read: agents: Input should be a valid list",
        ),
    ],
)
def test_what_cannot_be_read_is_a_failure(desk: Desk, envelope: Any, words: str) -> None:
    visit = visited(desk, lambda method, answer: envelope if method == "ListAgents" else answer)
    assert visit.called["ListAgents"] == Called("ListAgents", "failed", words)


def test_a_failure_is_not_forgotten_for_a_later_success(desk: Desk) -> None:
    times = iter([silence("GetEventsSince")])
    visit = visited(
        desk, lambda method, answer: next(times, answer) if method == "GetEventsSince" else answer
    )
    assert visit.called["GetEventsSince"].ending == "failed"


def test_a_record_is_found_in_its_wrapper() -> None:
    assert unwrapped({"record": {"Status": "Completed"}}) == {"Status": "Completed"}
    assert unwrapped({"Status": "Completed"}) == {"Status": "Completed"}
