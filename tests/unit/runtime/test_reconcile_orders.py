"""The rows of SendOrder and CancelOrder (EXECUTION.md §4): what each finding at the hub comes to."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from mesoflow.engine.effects import Done, Place, Refused, Withdraw
from mesoflow.journal.memory import MemoryJournal
from mesoflow.runtime import reconcile
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.perform import Performer
from mesoflow.runtime.reconcile import Case, Human, Resend, Settle, settle_unknown
from mesoflow.runtime.setting import HubFacts, Setting
from mesoflow.runtime.views import Views
from tests.support.broker_toys import LEG_RATIO, PLAN, broker_order
from tests.support.memory_hub import MemoryHub, MemoryWorld, Record
from tests.support.rig import RigClock, VirtualLoop
from tests.support.toys import T0

KEY = "mf-key"


class Desk:
    """A hub in some state, and one unknown call that left ten seconds ago."""

    def __init__(self, method="SendOrder", *, kind="entry", age=10):
        self.world = MemoryWorld(now=lambda: self.clock.now())
        self.world.leg_ratio = LEG_RATIO
        self.method, self.kind, self.age = method, kind, age
        self.views = Views()
        self.facts = HubFacts(late_arrival=timedelta(seconds=30), retention=timedelta(minutes=10))
        self.order = broker_order(3, 1, type("Now", (), {"now": T0}), None, kind)

    def at_the_hub(self, order_id, *, filled=0, ours=False, state="Submitted", plan=PLAN):
        """An order that the hub shows; `ours`: another rung of the walk, which the journal explains."""
        shown = {
            "order_id": order_id,
            "exec_plan_id": plan,
            "leg_group_id": 1,
            "state": state,
            "qty": D(3),
            "cum_qty": D(filled),
            "limit_price": D("42.30"),
        }
        self.world.orders[order_id] = shown
        if filled:
            self.world._hold(shown, filled)
        if ours:
            self.views.settled("walk/rung-0/send", self.order, Done({"live_order_id": order_id}))
            self.views.read({"order": shown})
        return self

    def record(self, status, **answer):
        self.world.records[KEY] = Record(self.method, b"{}", status, answer, T0)
        return self

    def verdict(self):
        loop = VirtualLoop()
        self.clock = RigClock(T0 + timedelta(seconds=self.age), loop)
        try:
            return loop.run_until_complete(self._ask())
        finally:
            loop.close()

    async def _ask(self):
        committer = Committer(MemoryJournal(), CrashPoints(), lambda error: None)
        setting = Setting(
            MemoryHub(self.world), self.clock, committer, CrashPoints(), tell=None, facts=self.facts
        )
        effect = (
            Place("send", self.order)
            if self.method == "SendOrder"
            else Withdraw("cancel", "CancelOrder", {"live_order_id": 601})
        )
        intent = Intent("walk/send", self.method, b"{}", KEY, 0, "d", T0)
        case = Case(effect, intent, setting, Performer(setting, self.views), False, self.views.ours())
        return await settle_unknown(case)


# --- SendOrder ---------------------------------------------------------------------------------------------------------


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


# --- CancelOrder -------------------------------------------------------------------------------------------------------


def test_a_cancel_whose_record_is_done_is_done():
    verdict = Desk("CancelOrder").at_the_hub(601).record("Completed", live_order_id=601).verdict()
    assert isinstance(verdict, Settle)
    assert verdict.outcome == Done({"live_order_id": 601})


@pytest.mark.parametrize("state", ["Filled", "Cancelled", "Rejected"])
def test_without_a_record_an_order_that_is_over_makes_the_cancel_done(state):
    verdict = Desk("CancelOrder").at_the_hub(601, state=state).verdict()
    assert verdict == Settle(Done({"live_order_id": 601}), {"order": 601, "state": state, "cum_qty": D(0)})


@pytest.mark.parametrize("age", [10, 3600])
def test_without_a_record_an_order_that_lives_is_asked_again_at_once_at_any_age(age):
    desk = Desk("CancelOrder", age=age).at_the_hub(601)
    assert isinstance(desk.verdict(), Resend)
    assert desk.clock.now() - (T0 + timedelta(seconds=age)) < timedelta(seconds=1)


def test_a_cancel_whose_record_failed_while_the_order_lives_is_refused_and_the_watch_tells():
    verdict = Desk("CancelOrder").at_the_hub(601).record("Failed").verdict()
    assert isinstance(verdict, Settle)
    assert isinstance(verdict.outcome, Refused)


def test_the_table_knows_every_method_that_trades_or_withdraws():
    from mesoflow.hubs.contract import METHODS

    keyed = {name for name, method in METHODS.items() if method.klass in ("trade", "prepare")}
    assert keyed <= set(reconcile.ROWS)


def test_the_record_is_asked_for_over_a_fresh_connection(monkeypatch):
    opened, honest = [], MemoryHub.fresh

    async def fresh(self):
        opened.append(1)
        await honest(self)

    monkeypatch.setattr(MemoryHub, "fresh", fresh)
    Desk().verdict()
    assert opened == [1]
