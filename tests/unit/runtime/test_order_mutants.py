"""Tests of the tests: what the matrix of orders at a broker must catch, broken on purpose, one way each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mesoflow.engine.control import Ended
from mesoflow.engine.effects import Done
from mesoflow.runtime import reconcile, views
from mesoflow.runtime.leaving import Leaving
from mesoflow.runtime.resuming import Resuming
from mesoflow.runtime.run import Run
from mesoflow.runtime.setting import HubFacts
from mesoflow.runtime.settling import trades
from tests.support.broker_toys import walker_rig
from tests.unit.runtime import test_orders_crash_matrix as matrix

CAUGHT = (AssertionError, KeyError)


def halted_and_released(instant: float = 2.0, *, silent: bool = False) -> None:
    """One column of the matrix: withdrawn, confirmed, and gone on with at the same price. `silent`: no event tells."""
    rig = walker_rig()
    rig.world.silent_events = silent
    life = rig.life(halt_after=instant)
    assert life.conclusion.code == "halted"
    assert matrix.alive(rig) == []
    rig.halted = False
    rig.world.fills = {len(rig.world.orders) + 1: [(1.0, 3 - int(matrix.filled(rig)))]}
    assert rig.life().conclusion == Ended("done", outputs={"filled": 3})


def test_the_control():
    halted_and_released()


def test_a_halt_that_withdraws_nothing(monkeypatch):
    monkeypatch.setattr(Leaving, "_is_to_stop", lambda self, order: False)
    with pytest.raises(CAUGHT):
        halted_and_released()


def test_a_halt_that_takes_the_answer_of_a_cancel_for_its_confirmation(monkeypatch):
    """The broker takes a while to stop an order; until then it can fill."""

    async def confirmed(self: Leaving, order: Any) -> bool:
        order.state = "Cancelled"
        return True

    monkeypatch.setattr(Leaving, "_is_confirmed", confirmed)
    with pytest.raises(CAUGHT):
        halted_and_released()


def test_a_withdrawal_that_is_no_input(monkeypatch):
    """To the walk it is then somebody else's cancel, and ends it."""
    honest = Leaving._take_in

    def take_in(self: Leaving, body: Any, account: str = "") -> None:
        if "withdrawn" not in body:
            honest(self, body, account)

    monkeypatch.setattr(Leaving, "_take_in", take_in)
    with pytest.raises(CAUGHT):
        halted_and_released()


def test_a_withdrawal_that_a_crash_cut_in_two_is_forgotten(monkeypatch):
    async def nothing(self: Resuming) -> None:
        self._begun.clear()

    monkeypatch.setattr(Resuming, "_finish_withdrawals", nothing)
    rig = walker_rig()
    rig.life("answered:engine/halt-1/order-601/cancel", halt_after=2.0)
    rig.halted = False
    rig.world.fills = {2: [(1.0, 3)]}
    with pytest.raises(CAUGHT):
        assert rig.life().conclusion == Ended("done", outputs={"filled": 3})


def test_waits_that_go_on_while_the_run_is_left(monkeypatch):
    """The walk sees its order cancelled before the journal says by whom."""

    def column() -> None:
        for tenth in range(20, 40):
            halted_and_released(tenth / 10, silent=True)

    column()
    monkeypatch.setattr(Run, "_drop_waits", lambda self: None)
    with pytest.raises(CAUGHT):
        column()


def test_halt_is_not_looked_at_before_the_send():
    """I7: the column is `test_halted_between_the_commit_and_the_first_byte_nothing_leaves`."""
    rig = walker_rig()
    rig.halted = True
    rig.life(tweak=lambda run: object.__setattr__(run._setting, "halted", lambda: False))
    with pytest.raises(CAUGHT):
        assert rig.world.orders == {}


def test_events_that_are_not_journalled(monkeypatch):
    """The cursor says that they were seen: the next process is not told again, and a fill is lost."""
    monkeypatch.setattr(Run, "_observe", lambda self, event: None)
    with pytest.raises(CAUGHT):
        matrix.test_a_fill_after_a_terminal_state_is_counted_ends_the_walk_and_parks()


def test_a_late_fill_that_is_not_told(monkeypatch):
    """I1: the next price is then sent for what has filled already."""
    monkeypatch.setattr(views.Views, "tell", lambda self, view: None)
    with pytest.raises(CAUGHT):
        matrix.test_a_late_fill_while_nobody_lives_is_found_at_the_resume()


def test_orders_that_are_not_read_at_the_resume(monkeypatch):
    async def compare(self: Resuming) -> None:
        self._comparing = False
        self._release_held()

    monkeypatch.setattr(Resuming, "_compare", compare)
    with pytest.raises(CAUGHT):
        matrix.test_a_late_fill_that_no_event_told_is_read_at_the_resume()
    with pytest.raises(CAUGHT):
        matrix.test_legs_that_differ_at_the_resume_park_with_the_repair_written_out()


def test_traces_that_are_not_looked_for(monkeypatch):
    """No record, and an order that the hub shows all the same: sent a second time, it is there twice."""

    async def nothing(case: reconcile.Case) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(trades, "traces_of", nothing)
    with pytest.raises(CAUGHT):
        lost_reply_and_lost_record()


def test_the_control_of_traces():
    lost_reply_and_lost_record()


def lost_reply_and_lost_record() -> None:
    rig = walker_rig({}, facts=HubFacts(simulator=True))
    rig.world.lose_replies.add("SendOrder")
    rig.world.records_gone = True
    life = rig.life()
    assert life.conclusion.code == "outcome_unknown"
    assert len(rig.world.orders) == 1
    assert "mesoflow settle toys-2025-01-16 walk/rung-1/send --happened LIVE_ORDER_ID" in str(
        life.conclusion.details
    )


def test_a_resend_past_its_time(monkeypatch):
    """What `within` has ended is not started again."""
    honest = Run._no_start

    async def no_start(self: Run, path: str, order: Any) -> str:
        return (
            "" if await honest(self, path, order) == "its time is over" else await honest(self, path, order)
        )

    def column() -> None:
        rig = walker_rig({})
        rig.life("committed:walk/rung-1/send#intended")
        rig.time += timedelta(seconds=61)
        rig.life()
        assert rig.world.orders == {}

    column()
    monkeypatch.setattr(Run, "_no_start", no_start)
    with pytest.raises(CAUGHT):
        column()


def test_a_resend_in_a_cancelled_run(monkeypatch):
    async def always(self: Run, path: str, order: Any) -> str:
        return ""

    def column() -> None:
        rig = walker_rig({})
        rig.life("committed:walk/rung-1/send#intended", cancel_after=0.0)
        life = rig.life(cancel_after=0.0)
        assert rig.world.orders == {}, life.conclusion

    column()
    monkeypatch.setattr(Run, "_no_start", always)
    with pytest.raises(CAUGHT):
        column()


def test_a_cancel_that_is_given_up_when_its_reply_is_lost(monkeypatch):
    async def row(case: reconcile.Case) -> Any:
        return reconcile.Settle(Done({"live_order_id": 601}), {})

    monkeypatch.setitem(reconcile.ROWS, "CancelOrder", row)  # type: ignore[arg-type]
    rig = walker_rig({1: [], 2: [(1.0, 3)]})
    rig.world.lose_requests.add("CancelOrder")
    with pytest.raises(CAUGHT):
        assert rig.life().conclusion == Ended("done", outputs={"filled": 3})
