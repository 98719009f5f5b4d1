"""Recovery's second step (EXECUTION.md §4): agents and accounts are read anew before a resumed run goes on, and what is wrong
with them parks it before anything is sent. What has to be withdrawn is withdrawn all the same."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mesoflow.engine.control import Ended
from mesoflow.engine.effects import Call
from mesoflow.engine.errors import StepError
from mesoflow.runtime.core import Parked
from mesoflow.runtime.resuming import Resuming
from tests.support.broker_toys import walker_rig

DIED = "committed:walk/rung-2/send#settled"
OFFLINE = Parked(
    "agent_offline", "before the run can go on: no IBKR agent is connected for IB-1", "", {"account": "IB-1"}
)
DONE = Ended("done", outputs={"filled": 3})


class Checks:
    """What a resume reads of agents and accounts, and whether it finds fault with it."""

    def __init__(self, *, offline=True):
        self.offline, self.count = offline, 0

    def __call__(self, ctx):
        self.count += 1
        yield Call("account", "GetAccount", {"broker_account_id": "PAPER-1"})
        if self.offline:
            summary = "no IBKR agent is connected for IB-1"
            raise StepError("agent_offline", summary, {"account": "IB-1"}, retryable=True)


def checked_rig(**how):
    rig = walker_rig()
    rig.recheck = Checks(**how)
    return rig


def alive(rig):
    return [order["order_id"] for order in rig.world.orders.values() if order["state"] == "Submitted"]


def test_a_start_has_its_own_preflight_and_a_resume_reads_anew():
    rig = checked_rig(offline=False)
    rig.life(DIED)
    assert rig.recheck.count == 0
    assert rig.life().conclusion == DONE
    assert rig.recheck.count == 1


def test_an_agent_that_is_offline_parks_the_run_before_anything_is_sent_and_the_next_resume_goes_on():
    rig = checked_rig()
    rig.life(DIED)
    sent = len(rig.world.orders)
    assert rig.life().conclusion == replace(OFFLINE, details={"account": "IB-1", "working": [602]})
    assert len(rig.world.orders) == sent
    rig.recheck.offline = False
    assert rig.life().conclusion == DONE


def test_an_unknown_is_not_asked_for_before_the_agent_is_back():
    rig = checked_rig()
    rig.world.lose_replies.add("SendOrder")
    rig.life("sent:walk/rung-1/send")
    life = rig.life()
    assert (life.conclusion, [point for point in life.points if "reconcile" in point]) == (OFFLINE, [])


def test_a_hub_that_stays_away_parks_as_such():
    rig = checked_rig(offline=False)
    rig.life(DIED)
    rig.world.away_until = rig.time + timedelta(hours=1)
    parked = rig.life().conclusion
    assert (parked.code, parked.reason.startswith("before the run can go on: the hub did not answer")) == (
        "hub_unavailable",
        True,
    )


def test_withdrawals_that_were_begun_come_first():
    rig = checked_rig()
    rig.life("committed:engine/halt-1/order-601/cancel#intended", halt_after=2.0)
    rig.halted = False
    assert rig.life().conclusion == OFFLINE
    assert alive(rig) == []


def test_a_run_that_is_cancelled_needs_no_agent_to_stop_its_orders():
    rig = checked_rig()
    rig.life("committed:walk/rung-1/cancel#intended", cancel_after=2.0)
    life = rig.life()
    assert (life.conclusion.state, alive(rig), rig.recheck.count) == ("cancelled", [], 0)


def test_a_cancel_while_the_agent_is_looked_for_counts_more_than_what_was_found():
    rig = checked_rig()
    rig.life(DIED)
    assert (rig.life(cancel_after=0.0).conclusion.state, alive(rig)) == ("cancelled", [])


def test_a_run_that_only_has_to_say_that_it_is_over_needs_no_agent():
    rig = checked_rig()
    rig.life("committed:always/last/tell#settled")
    assert (rig.life().conclusion, rig.recheck.count) == (DONE, 0)


def test_a_resume_that_does_not_look_is_seen(monkeypatch):
    """The mutant."""

    async def blind(self):
        return None

    monkeypatch.setattr(Resuming, "_recheck", blind)
    with pytest.raises(AssertionError):
        test_an_agent_that_is_offline_parks_the_run_before_anything_is_sent_and_the_next_resume_goes_on()
