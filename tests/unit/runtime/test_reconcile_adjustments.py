"""The row of StartPreparePositionAdjustment: a prepare job, unless it is the hub that applies variables."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from mesoflow.engine.effects import Call, Done
from mesoflow.journal.memory import MemoryJournal
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.reconcile import ROWS, Case, Human, Renew, Resend, Settle
from mesoflow.runtime.setting import HubFacts, Setting
from tests.support.rig import RigClock, VirtualLoop
from tests.support.toys import T0

METHOD = "StartPreparePositionAdjustment"
BEFORE = {"moves": D(1), "profit_target": D(400)}


class AtTheHub(Case):
    """A case whose look-ups a test answers."""

    __slots__ = ("now_there", "shown")

    async def read(self, method, args):
        assert (method, args) == ("GetPosition", {"position_id": 7})
        return {"vars": self.now_there}

    async def record(self):
        return self.shown


def verdict(record, now_there=None, *, operation="UpdateVars", names=("moves",)):
    loop = VirtualLoop()
    clock = RigClock(T0 + timedelta(seconds=10), loop)
    committer = Committer(MemoryJournal(), CrashPoints(), lambda error: None)
    facts = HubFacts(late_arrival=timedelta(seconds=30), retention=timedelta(minutes=10))
    setting = Setting(None, clock, committer, CrashPoints(), tell=None, facts=facts)
    args = {"position_id": 7, "operation": operation, "condition": "k"}
    before = {name: value for name, value in BEFORE.items() if not names or name in names}
    hints = {} if operation != "UpdateVars" else {"vars_before": before, "vars_names": list(names)}
    case = AtTheHub(
        Call("start", METHOD, args, hints), Intent("p", METHOD, b"{}", "k", 0, "d", T0), setting, None
    )
    case.shown, case.now_there = record, BEFORE if now_there is None else now_there
    try:
        return loop.run_until_complete(ROWS[METHOD](case)), clock.now() - T0
    finally:
        loop.close()


JOB = {"status": "Completed", "job_id": "job-1"}
FAILED = {"status": "Failed", "error_message": "no data"}


@pytest.mark.parametrize("operation", ["MoveLeg", "UpdateVars"])
def test_a_record_names_the_job(operation):
    found, took = verdict(JOB, operation=operation)
    assert found == Settle(Done({"job_id": "job-1"}), JOB)
    assert took == timedelta(seconds=10), "nothing was waited for"


def test_a_plan_is_prepared_again():
    assert isinstance(verdict(None, operation="MoveLeg")[0], Resend)
    assert isinstance(verdict(FAILED, operation="MoveLeg")[0], Renew)


def test_variables_that_have_changed_were_applied():
    found, took = verdict(None, BEFORE | {"moves": D(2)})
    assert found == Settle(Done({"job_id": None}), {"read_back": "applied", "changed": ["moves"]})
    assert took >= timedelta(seconds=30), "late arrivals were waited for before the variables were read"


def test_variables_of_somebody_else_prove_nothing():
    assert isinstance(verdict(None, BEFORE | {"profit_target": D(1)})[0], Resend)


def test_where_the_definition_is_not_told_any_change_counts():
    assert isinstance(verdict(None, BEFORE | {"new": D(1)}, names=())[0], Settle)


def test_variables_that_are_what_they_were_are_asked_for_again():
    assert isinstance(verdict(None)[0], Resend)
    assert isinstance(verdict(FAILED)[0], Renew)


def test_a_failed_record_is_not_believed_where_the_variables_have_changed():
    assert isinstance(verdict(FAILED, BEFORE | {"moves": D(2)})[0], Settle)


def test_a_record_without_a_job_needs_a_person():
    assert isinstance(verdict({"status": "Completed"})[0], Human)
