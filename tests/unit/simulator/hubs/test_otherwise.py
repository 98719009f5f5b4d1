"""Guesses made wrong, one dial each: `doctor` says so where reading can tell, and a run ends whole or in a clear stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli import embedded
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.simulator.faults import Faults, Loss
from mesoflow.simulator.simulator import Simulator
from tests.support.commands import ROOT, Command
from tests.support.worlds import Desk

QUICKSTART = str(ROOT / "plans" / "quickstart.yaml")
RUN = "quickstart-2025-01-16"


def test_refusals_under_other_names(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w", faults=Faults(status_codes=True, job_gone=True))
    assert desk.raw("GetLeg", {"LegId": 1})["Status"] == "Missing"
    assert desk.raw("GetLeg", {})["Status"] == "InvalidArguments"
    assert desk.raw("GetPreparePositionExitStatus", {"JobId": "x"})["Status"] == "Gone"


def test_a_record_under_a_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w", faults=Faults(record_wrapper="Entry"))
    desk.prepare_entry(key="k")
    assert desk.raw("GetIdempotencyRecord", {"IdempotencyKey": "k"})["Data"].keys() == {"Entry"}


def test_a_history_that_tells_its_kinds_otherwise_and_includes_the_number(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w", faults=Faults(event_kinds=True, events_since=True))
    desk.prepare_entry()
    events = desk.raw("GetEventsSince", {"EventSeqId": 1})["Data"]["Events"]
    assert events[0]["EventSeqId"] == 1
    assert all(event["EventType"].startswith("Live") for event in events)


# --- what becomes of it ------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The real command, over an embedded world whose dials are set."""
    DIFFERENCES.seen.clear()
    DIFFERENCES.told = 0
    opened = embedded.opened

    def run(dials: dict[str, Any], *arguments: str) -> tuple[int, Any]:
        def with_dials(*args: Any) -> Simulator:
            simulator = opened(*args)
            for name, value in dials.items():
                setattr(simulator.world.faults, name, value)
            return simulator

        monkeypatch.setattr(embedded, "opened", with_dials)
        code, out, _ = Command(tmp_path, capsys)(*arguments, "--format", "json")
        return code, json.loads(out)

    return run


@pytest.mark.parametrize(
    ("dials", "guess", "words"),
    [
        ({"status_codes": True}, "status_codes", "a refusal is called InvalidArguments, Missing"),
        ({"job_gone": True}, "job_gone", "GetPreparePositionEntryStatus of an unknown job: Gone"),
        ({"event_kinds": True}, "event_kinds", "unknown kinds: LiveAgentStatusEvent"),
        ({"enum_numbers": True}, None, ""),
    ],
)
def test_doctor_says_which_guess_is_wrong(
    command: Any, dials: dict[str, Any], guess: str | None, words: str
) -> None:
    code, report = command(dials, "doctor")
    assert code == 1
    if guess is None:
        # No status is understood: not even the subscription is, and nothing is connected.
        assert report["refused"]["code"] == "MF509"
    else:
        assert {one["name"]: one["words"] for one in report["guesses"] if one["verdict"] == "differs"}[
            guess
        ] == words


@pytest.mark.parametrize(
    "dials",
    [{"event_kinds": True}, {"events_since": True}, {"record_wrapper": "Record"}, {"job_gone": True}],
    ids=lambda dials: next(iter(dials)),
)
def test_a_run_that_does_not_need_the_guess_is_done(command: Any, dials: dict[str, Any]) -> None:
    code, report = command(dials | {"lose_reply": [Loss("ApplyPaperFills")]}, "run", QUICKSTART)
    assert (code, report["state"], report["outputs"]["position_id"]) == (0, "done", 1001)


@pytest.mark.parametrize(
    "dials",
    [
        # The call never came; that there is no record is said in words that prove nothing.
        {"status_codes": True, "lose_request": [Loss("ApplyPaperFills")]},
        # It was done; its record cannot be read.
        {"record_wrapper": "Entry", "lose_reply": [Loss("ApplyPaperFills")]},
    ],
    ids=lambda dials: next(iter(dials)),
)
def test_a_run_that_needs_it_stops_with_the_unknown_kept_and_sends_nothing_again(
    command: Any, dials: dict[str, Any]
) -> None:
    code, _ = command(dials, "run", QUICKSTART)
    assert code != 0
    there = command({}, "show", RUN)[1]
    assert (there["state"], [unknown["path"] for unknown in there["unknowns"]]) == ("parked", ["buy/fill"])
    booked = command({}, "hub", "call", "ListPositions")[1]["result"]["positions"]
    assert len(booked) == (1 if "record_wrapper" in dials else 0)
    # Once the hub says it in words that are understood, the same run goes on, and books once.
    code, report = command({}, "resume", RUN)
    assert (code, report["state"], report["outputs"]["position_id"]) == (0, "done", 1001)
    assert len(command({}, "hub", "call", "ListPositions")[1]["result"]["positions"]) == 1
