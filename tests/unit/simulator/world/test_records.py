"""The idempotency store: what a key protects, for how long, and what the dials do to it."""

from datetime import timedelta
from pathlib import Path

import pytest

from mesoflow.simulator.faults import Faults
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def fill_again(desk: Desk, plan: dict, key: str = "fill-1", price: str = "50") -> tuple[str, str, str]:
    fills = {name: {"price": price} for name in plan["LegPrices"]}
    return desk.refused(
        "ApplyPaperFills", idempotency_key=key, exec_plan_id=plan["ExecPlanId"], paper_leg_fills=fills
    )


def filled(desk: Desk, price: str = "50") -> dict:
    plan = desk.prepare_entry()
    fills = {name: {"price": price} for name in plan["LegPrices"]}
    desk.ok(
        "ApplyPaperFills", idempotency_key="fill-1", exec_plan_id=plan["ExecPlanId"], paper_leg_fills=fills
    )
    return plan  # type: ignore[no-any-return]


def test_the_same_call_again_is_a_duplicate_and_another_one_a_conflict(desk: Desk) -> None:
    plan = filled(desk)
    assert fill_again(desk, plan)[:2] == ("DuplicateRequest", "DuplicateRequest")
    assert fill_again(desk, plan, price="51")[:2] == ("Conflict", "KeyUsed")
    assert desk.refused(
        "StartPreparePositionExit", idempotency_key="fill-1", position_id=1001, data_provider=None
    ) == ("Conflict", "KeyUsed", "the key was used for another call, a ApplyPaperFills")
    assert desk.world.ledger.keys() == {"fill-1": 1}


def test_a_record_says_what_became_of_the_call(desk: Desk) -> None:
    plan = filled(desk)
    record = desk.ok("GetIdempotencyRecord", idempotency_key="fill-1")
    told = {
        name: record[name]
        for name in ("Operation", "Status", "LiveExecPlanId", "LiveOrderIds", "ResponseStatus")
    }
    assert told == {
        "Operation": "ApplyPaperFills",
        "Status": "Completed",
        "LiveExecPlanId": plan["ExecPlanId"],
        "LiveOrderIds": [],
        "ResponseStatus": "Success",
    }
    assert record["ResponseData"] == '{"PositionId":1001,"ExecPlanId":5001,"LiveOrderIds":[]}'


def test_a_record_of_a_job_says_what_became_of_the_job(desk: Desk) -> None:
    started = desk.ok(
        "StartPreparePositionEntry",
        idempotency_key="prep-1",
        position_name="p",
        strategy_id=101,
        broker_account_id="PAPER-1",
        leg_selection_constraint="FullyUnique",
        underlying=None,
        data_provider=None,
    )
    record = desk.ok("GetIdempotencyRecord", idempotency_key="prep-1")
    assert (record["Status"], record["JobId"], record["JobStatus"]) == (
        "Completed",
        started["JobId"],
        "Running",
    )
    desk.wait(10)
    record = desk.ok("GetIdempotencyRecord", idempotency_key="prep-1")
    assert (record["JobStatus"], record["JobResult"]["ExecPlanId"], record["LiveExecPlanId"]) == (
        "Completed",
        5001,
        5001,
    )


def test_a_refused_call_leaves_no_record(desk: Desk) -> None:
    plan = desk.prepare_entry()
    assert fill_again(desk, plan, price="-1")[0] == "BadRequest"
    assert desk.refused("GetIdempotencyRecord", idempotency_key="fill-1")[0] == "NotFound"


def test_a_record_lives_as_long_as_the_retention(desk: Desk) -> None:
    plan = filled(desk)
    desk.wait(599)
    assert fill_again(desk, plan)[0] == "DuplicateRequest"
    desk.wait(1)
    assert desk.refused("GetIdempotencyRecord", idempotency_key="fill-1")[0] == "NotFound"
    assert fill_again(desk, plan)[:2] == ("BadRequest", "PlanExecuted"), "the plan itself still protects"


@pytest.mark.parametrize("key", ["", "  ", "x" * 257])
def test_a_key_has_a_length(desk: Desk, key: str) -> None:
    plan = desk.prepare_entry()
    assert fill_again(desk, plan, key=key)[:2] == ("BadRequest", "IdempotencyKey")


def test_the_dial_keeps_a_record_processing(tmp_path: Path) -> None:
    faults = Faults(record_processing={"ApplyPaperFills": timedelta(seconds=20)})
    desk = Desk(tmp_path / "w", faults=faults)
    plan = filled(desk)
    record = desk.ok("GetIdempotencyRecord", idempotency_key="fill-1")
    assert (record["Status"], record["ResponseStatus"], record["LiveExecPlanId"]) == (
        "Processing",
        None,
        None,
    )
    assert fill_again(desk, plan)[:2] == ("Conflict", "Processing")
    desk.wait(20)
    assert desk.ok("GetIdempotencyRecord", idempotency_key="fill-1")["Status"] == "Completed"
    assert fill_again(desk, plan)[0] == "DuplicateRequest"


def test_the_dial_makes_records_vanish(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    filled(desk)
    desk.faults.record_gone.add("ApplyPaperFills")
    assert desk.refused("GetIdempotencyRecord", idempotency_key="fill-1")[0] == "NotFound"
    assert desk.ok("GetIdempotencyRecord", idempotency_key="prep-1")["Status"] == "Completed"


def test_the_hash_does_not_depend_on_the_form_of_a_number(desk: Desk) -> None:
    """JSON sends 50.00 as a number, MessagePack as text: the same call."""
    plan = filled(desk, price="50.00")
    args = {
        "IdempotencyKey": "fill-1",
        "ExecPlanId": plan["ExecPlanId"],
        "PaperLegFills": {name: {"Price": "50.00"} for name in plan["LegPrices"]},
    }
    assert desk.raw("ApplyPaperFills", args)["Status"] == "DuplicateRequest"
