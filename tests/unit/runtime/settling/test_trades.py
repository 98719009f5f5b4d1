"""The row of SendOrder (EXECUTION.md §4): what each finding at the hub comes to."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from mesoflow.engine.effects import Done
from mesoflow.hubs.errors import CallRefused
from mesoflow.runtime.reconcile import Human, Resend, Settle
from tests.support.broker_toys import PLAN
from tests.support.memory_hub import MemoryHub, MemoryWorld
from tests.support.toys import T0
from tests.support.unknowns import KEY, Desk


def test_a_completed_record_names_the_order_to_adopt():
    assert Desk().record("Completed", live_order_id=601).verdict() == Settle(
        Done({"live_order_id": 601}),
        {"operation": "SendOrder", "status": "Completed", "live_order_ids": [601]},
    )


def test_a_completed_record_that_names_none_is_a_humans_affair():
    verdict = Desk().record("Completed").verdict()
    assert isinstance(verdict, Human)
    assert verdict.reason == "the record says that the order was accepted, and names none"


def test_a_failed_record_without_traces_proves_a_refusal_after_late_arrivals():
    desk = Desk().record("Failed")
    verdict = desk.verdict()
    assert isinstance(verdict, Settle)
    assert verdict.outcome.code == "rejected"
    assert desk.clock.now() >= T0 + desk.facts.late_arrival


def test_a_failed_record_that_names_an_order_is_a_humans_affair():
    assert isinstance(Desk().record("Failed", live_order_id=601).verdict(), Human)


@pytest.mark.parametrize("status", ["Failed", None])
def test_a_strange_order_of_the_plan_is_a_humans_affair(status):
    desk = Desk().at_the_hub(601)
    if status:
        desk.record(status)
    verdict = desk.verdict()
    assert isinstance(verdict, Human)
    assert verdict.said["orders"] == [601]


def test_a_record_that_stays_processing_is_a_humans_affair_after_a_minute():
    desk = Desk().record("Processing", live_order_id=601)
    verdict = desk.verdict()
    assert verdict.reason == "the hub's record is still Processing"
    assert desk.clock.now() - T0 >= timedelta(seconds=60)


@pytest.mark.parametrize("operation", ["CancelOrder", "ApplyPaperFills"])
def test_a_record_of_another_call_is_a_humans_affair_and_names_no_order_of_ours(operation):
    desk = Desk().record("Completed", live_order_id=601)
    desk.world.records[KEY].operation = operation
    verdict = desk.verdict()
    assert (type(verdict), verdict.reason, verdict.said["operation"]) == (
        Human,
        "the hub's record under this key is of another call",
        operation,
    )


def test_an_operation_that_nobody_knows_says_nothing():
    desk = Desk().record("Completed", live_order_id=601)
    desk.world.records[KEY].operation = "PlaceOrder"
    assert isinstance(desk.verdict(), Settle)


@pytest.mark.parametrize("status", ["Gone", "Unauthorized", "ServerError"])
@pytest.mark.parametrize("asked", ["GetIdempotencyRecord", "ListOrders", "ListExecutions", "ListPositions"])
def test_a_look_up_that_is_refused_settles_nothing(monkeypatch, asked, status):
    def refuse(self, args, request):
        raise CallRefused(asked, status, "not today")

    monkeypatch.setattr(MemoryWorld, f"_{asked}", refuse)
    assert Desk().verdict() == Human(
        "the hub refuses to tell what became of it",
        {"method": asked, "status": status, "message": "not today"},
    )


def test_no_record_and_nothing_of_it_is_sent_again_once_nothing_can_arrive_late():
    desk = Desk()
    assert isinstance(desk.verdict(), Resend)
    assert desk.clock.now() >= T0 + desk.facts.late_arrival


def test_other_rungs_of_the_same_plan_are_explained_by_the_journal():
    assert isinstance(Desk().at_the_hub(600, ours=True, state="Cancelled").verdict(), Resend)
    assert isinstance(Desk().at_the_hub(600, ours=True, filled=1, state="Cancelled").verdict(), Resend)


def test_an_order_of_another_plan_says_nothing():
    assert isinstance(Desk().at_the_hub(599, plan=PLAN + 1).verdict(), Resend)


def test_legs_that_our_fills_do_not_explain_are_a_trace():
    desk = Desk().at_the_hub(600, ours=True, filled=1, state="Cancelled")
    desk.world.positions[4700]["legs"]["long_put"] += 1
    verdict = desk.verdict()
    assert isinstance(verdict, Human)
    assert verdict.said["legs"] == {"short_put": D(-1), "long_put": D(2)}
    assert verdict.said["legs_known"] == {"short_put": D(-1), "long_put": D(1)}


def test_a_position_before_anything_of_ours_has_filled_is_a_trace():
    desk = Desk()
    desk.world.positions[4700] = {"id": 4700, "plan": PLAN, "legs": {}}
    assert desk.verdict().said["positions"] == [4700]


def test_an_exits_position_was_there_before():
    desk = Desk(kind="exit")
    desk.world.positions[4700] = {"id": 4700, "plan": PLAN, "legs": {}}
    assert isinstance(desk.verdict(), Resend)


def test_past_the_hubs_memory_absence_says_nothing():
    verdict = Desk(age=601).verdict()
    assert isinstance(verdict, Human)
    assert "no longer keeps records" in verdict.reason


def test_the_record_is_asked_for_over_a_fresh_connection(monkeypatch):
    opened, honest = [], MemoryHub.fresh

    async def fresh(self):
        opened.append(1)
        await honest(self)

    monkeypatch.setattr(MemoryHub, "fresh", fresh)
    Desk().verdict()
    assert opened == [1]
