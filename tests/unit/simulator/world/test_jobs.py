"""Prepare jobs: they take their time, end at their own time, and look at the world as it is then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.faults import Faults
from tests.support.worlds import Desk

ENTRY: dict[str, Any] = {
    "position_name": "p",
    "strategy_id": 101,
    "broker_account_id": "PAPER-1",
    "leg_selection_constraint": "FullyUnique",
    "underlying": None,
    "data_provider": None,
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def start(desk: Desk, key: str = "k1", **changes: Any) -> str:
    return desk.ok("StartPreparePositionEntry", **{"idempotency_key": key} | ENTRY | changes)["JobId"]  # type: ignore[no-any-return]


def status(desk: Desk, job: str) -> tuple[str, str]:
    found = desk.ok("GetPreparePositionEntryStatus", job_id=job)
    return found["Status"], found["UpdatedAt"]


def test_a_job_runs_for_a_while_that_its_key_decides(desk: Desk) -> None:
    began = desk.now
    takes = []
    for n in range(12):
        job = start(desk, f"key-{n}")
        assert status(desk, job)[0] == "Running"
        before = desk.now
        while status(desk, job)[0] == "Running":
            desk.wait(0.05)
        takes.append(datetime.fromisoformat(status(desk, job)[1]) - before)
    assert timedelta(milliseconds=300) <= min(takes) < max(takes) <= timedelta(seconds=8)
    assert desk.now - began < timedelta(seconds=40)


def test_it_does_not_matter_when_or_how_often_somebody_asks(tmp_path: Path) -> None:
    asked, unasked = Desk(tmp_path / "a"), Desk(tmp_path / "b")
    jobs = [start(desk) for desk in (asked, unasked)]
    for _ in range(200):
        asked.wait(0.05)
        status(asked, jobs[0])
        asked.ok("GetUnderlyingSnapshot", underlying={"symbol": "SPX"}, provider="IBKR")
    unasked.wait(3600)
    results = [
        desk.ok("GetPreparePositionEntryStatus", job_id=job)
        for desk, job in zip((asked, unasked), jobs, strict=True)
    ]
    assert results[0] == results[1]


def test_what_is_due_happens_before_a_later_call(tmp_path: Path) -> None:
    """Two overlapping jobs end in the order of their times: the second finds the contracts of the first one's fill free."""
    desk = Desk(tmp_path / "w")
    first = start(desk, "k1")
    desk.clock.timers.clear()  # nobody wakes the world; the next call has to
    desk.clock.at += timedelta(seconds=30)
    second = start(desk, "k2")
    assert status(desk, first)[0] == "Completed"
    assert status(desk, second)[0] == "Running"


def test_a_cancelled_job_makes_no_plan_and_no_event(desk: Desk) -> None:
    job = start(desk)
    before = desk.ok("GetLatestEventSeqId")["LatestEventSeqId"]
    answer = desk.ok("CancelPreparePositionEntry", idempotency_key="c1", job_id=job)
    assert answer == {"JobId": job, "Status": "Cancelled"}
    desk.wait(20)
    assert status(desk, job)[0] == "Cancelled"
    assert desk.ok("GetLatestEventSeqId")["LatestEventSeqId"] == before


def test_a_job_that_has_ended_stays_as_it_ended(desk: Desk) -> None:
    job = start(desk)
    desk.wait(20)
    assert desk.ok("CancelPreparePositionEntry", idempotency_key="c1", job_id=job)["Status"] == "Completed"


def test_an_impossible_entry_fails_with_its_reason(desk: Desk) -> None:
    job = start(desk, strategy_id=102)
    desk.wait(10)
    found = desk.ok("GetPreparePositionEntryStatus", job_id=job)
    assert (found["Status"], found["Result"], found["Error"]) == (
        "Failed",
        None,
        "expiration 'weekend': none is listed for DTE 3 from 3 to 4",
    )
    last = desk.ok("GetEventsSince", event_seq_id=0)["Events"][-1]
    assert (last["EventType"], last["Event"]["Error"], last["Event"]["JobId"]) == (
        "PositionEntryPreparationFailedEvent",
        found["Error"],
        job,
    )


def test_no_expression_leaves_a_job_that_cannot_end(desk: Desk) -> None:
    definition = desk.ok("GetStrategy", strategy_id=101)["Strategy"]["StrategyDefinition"]
    definition["Entry"]["VarDefines"] = {"huge": "1e300", "tiny": "-1e-300"}
    definition["Entry"]["AbortConditions"] = ["(function() while true do end end)()"]
    definition["Exit"] = {}
    strategy = desk.ok("CreateStrategy", strategy_definition=definition)["StrategyId"]
    plan = desk.prepare_entry(strategy=strategy)
    assert plan["Vars"]["huge"] > 10**299 and plan["Vars"]["tiny"] == 0
    assert plan["AbortConditions"][0]["Error"] == "it takes too long"
    assert plan["EntryAllowed"] is False


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"strategy_id": 999}, ("NotFound", "NotFound", "there is no strategy 999")),
        ({"broker_account_id": "X"}, ("NotFound", "NotFound", "there is no account X")),
        ({"data_provider": "Nobody"}, ("BadRequest", "Provider", "no agent provides Nobody")),
        ({"position_name": " "}, ("BadRequest", "PositionName", "a position has a name")),
        (
            {"leg_selection_constraint": "Some"},
            ("BadRequest", "LegSelectionConstraint", "there is no constraint Some"),
        ),
        (
            {"underlying": {"symbol": "GLD"}},
            ("BadRequest", "Underlying", "this market has no options on GLD"),
        ),
    ],
)
def test_a_start_that_is_refused(desk: Desk, change: dict[str, Any], refusal: tuple[str, str, str]) -> None:
    assert desk.refused("StartPreparePositionEntry", **{"idempotency_key": "k1"} | ENTRY | change) == refusal


def test_entries_do_not_share_contracts_with_open_positions(desk: Desk) -> None:
    definition = desk.ok("GetStrategy", strategy_id=101)["Strategy"]["StrategyDefinition"]
    definition["Structure"]["Legs"][0]["StrikeSelector"] = {"StrikePrice": "5970"}
    strategy = desk.ok("CreateStrategy", strategy_definition=definition)["StrategyId"]
    desk.fill(desk.prepare_entry("k1", strategy))
    strikes = [
        desk.prepare_entry(constraint, strategy, leg_selection_constraint=constraint)["SelectedLegs"][
            "short_put"
        ]["LiveContract"]["Strike"]
        for constraint in ("FullyUnique", "UniqueInPosition", "None")
    ]
    assert strikes == [5965, 5970, 5970]


def test_an_exit_closes_what_is_held(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry(), qty_multiplier=3)["PositionId"]
    plan = desk.prepare_exit(position)
    assert plan["LegGroupQtys"] == {"1": {"LegQtys": {"short_put": 3, "long_put": -3}, "QtyMultiplier": None}}
    assert {name: leg["Qty"] for name, leg in plan["PositionLegs"].items()} == {
        "short_put": -3,
        "long_put": 3,
    }
    assert plan["Vars"]["expiration_front_dte"] == 29


def test_an_exit_of_nothing_is_refused(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    desk.fill(desk.prepare_exit(position), key="fill-2")
    for id, refusal in (
        (position, ("BadRequest", "Closed", f"position {position} is closed")),
        (77, ("NotFound", "NotFound", "there is no position 77")),
    ):
        args = {"idempotency_key": f"x{id}", "position_id": id, "data_provider": None}
        assert desk.refused("StartPreparePositionExit", **args) == refusal


def test_a_job_survives_the_end_of_the_process(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    job = start(desk)
    desk.close()
    again = Desk(tmp_path / "w")
    assert status(again, job)[0] == "Running"
    again.wait(10)
    assert status(again, job)[0] == "Completed"


def test_after_the_close_plans_show_old_quotes(desk: Desk) -> None:
    desk.go_to(datetime(2025, 1, 18, 12, 0, tzinfo=UTC))
    plan = desk.prepare_entry()
    ages = [prices["BidAgeMs"] for prices in plan["LegPrices"].values()]
    assert all(age > 12 * 3600 * 1000 for age in ages)


def started(desk: Desk, kind: str, position: int) -> str:
    """A job of a kind, of a strangle that is held."""
    args: dict[str, dict[str, Any]] = {
        "Entry": ENTRY,
        "Exit": {"position_id": position, "data_provider": None},
        "Adjustment": {
            "position_id": position,
            "operation": "MoveLeg",
            "condition": "pos_delta > 5 -- move call",
            "data_provider": None,
        },
    }
    answer = desk.ok(f"StartPreparePosition{kind}", idempotency_key=f"start {kind}", **args[kind])
    return answer["JobId"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["Entry", "Exit", "Adjustment"])
def test_jobs_of_all_kinds_can_be_cancelled(desk: Desk, kind: str) -> None:
    position = desk.fill(desk.prepare_entry("p", 103))["PositionId"]
    job, latest = started(desk, kind, position), desk.world.events.latest
    cancel = {"idempotency_key": "c", "job_id": job}
    assert desk.ok(f"CancelPreparePosition{kind}", **cancel) == {"JobId": job, "Status": "Cancelled"}
    desk.wait(20)
    found = desk.ok(f"GetPreparePosition{kind}Status", job_id=job)
    assert (found["Status"], found["Result"], found["Error"]) == ("Cancelled", None, None)
    assert desk.world.events.latest == latest
    assert desk.refused(f"CancelPreparePosition{kind}", **cancel)[0] == "DuplicateRequest"
    again = desk.ok(f"CancelPreparePosition{kind}", idempotency_key="c2", job_id=job)
    assert again == {"JobId": job, "Status": "Cancelled"}
    record = desk.ok("GetIdempotencyRecord", idempotency_key=f"start {kind}")
    assert (record["JobStatus"], record["JobResult"]) == ("Cancelled", None)
    record = desk.ok("GetIdempotencyRecord", idempotency_key="c")
    assert (record["Operation"], record["JobId"]) == (f"CancelPreparePosition{kind}", job)


def test_a_job_is_of_one_kind(desk: Desk) -> None:
    job = start(desk)
    for kind in ("Exit", "Adjustment"):
        told = f"there is no {kind.lower()} job {job}"
        assert desk.refused(f"GetPreparePosition{kind}Status", job_id=job)[2] == told
        cancel = {"idempotency_key": "c", "job_id": job}
        assert desk.refused(f"CancelPreparePosition{kind}", **cancel)[2] == told


def test_without_its_agent_nothing_is_prepared(tmp_path: Path) -> None:
    faults = Faults()
    desk = Desk(tmp_path / "w", faults=faults)
    faults.agent_away("IBKR", desk.now, timedelta(minutes=1))
    jobs = [
        start(desk, "own", data_provider="IBKR"),
        start(desk, "broker", broker_account_id="IB-1"),
        start(desk, "other broker", broker_account_id="TT-1", strategy_id=103),
        start(desk, "paper", strategy_id=103),
    ]
    desk.wait(10)
    found = [desk.ok("GetPreparePositionEntryStatus", job_id=job) for job in jobs]
    gone = "there are no quotes: agent IBKR is not connected"
    assert [(row["Status"], row["Error"]) for row in found] == [
        ("Failed", gone),
        ("Failed", gone),
        ("Completed", None),
        ("Completed", None),
    ]
