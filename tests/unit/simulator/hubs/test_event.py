"""Callbacks: who hears what, and when."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.faults import Faults
from tests.support.worlds import Desk, Listener


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def join(desk: Desk, name: str) -> Listener:
    listener = Listener(name)
    asyncio.run(desk.hub("event").connected(listener))
    return listener


def subscribe(
    desk: Desk, listener: Listener, strategies: Any, *, off: bool = False
) -> tuple[list[int], list[int]]:
    method = "UnsubscribeFromStrategies" if off else "SubscribeToStrategies"
    answer = asyncio.run(desk.hub("event").invoke(method, [{"Strategies": strategies}], listener))
    return answer["Data"]["SuccessfulStrategies"], answer["Data"]["FailedStrategies"]


def targets(listener: Listener) -> list[str]:
    return [target for target, _ in listener.heard]


def test_callbacks_go_to_those_who_subscribed(desk: Desk) -> None:
    everyone, one, other, nobody = (join(desk, name) for name in "abcd")
    assert subscribe(desk, everyone, None) == ([101, 102, 103, 104, 105, 106, 107, 108], [])
    assert subscribe(desk, one, [101, 999]) == ([101], [999])
    assert subscribe(desk, other, [102]) == ([102], [])
    assert subscribe(desk, nobody, []) == ([], [])
    desk.fill(desk.prepare_entry())
    story = ["OnPositionEntryPreparationCompleted", "OnPositionUpdate", "OnLegUpdate", "OnLegUpdate"]
    assert [targets(listener) for listener in (everyone, one, other, nobody)] == [story, story, [], []]


def test_everything_includes_strategies_that_are_made_later(desk: Desk) -> None:
    listener = join(desk, "a")
    subscribe(desk, listener, None)
    strategy = desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=101)["StrategyId"]
    desk.prepare_entry(strategy=strategy)
    assert targets(listener) == ["OnPositionEntryPreparationCompleted"]


def test_unsubscribing_is_symmetrical(desk: Desk) -> None:
    listener = join(desk, "a")
    subscribe(desk, listener, None)
    assert subscribe(desk, listener, [101, 5], off=True) == ([101], [5])
    desk.prepare_entry("p1")
    subscribe(desk, listener, [101])
    desk.prepare_entry("p2")
    subscribe(desk, listener, None, off=True)
    desk.prepare_entry("p3")
    assert [body["EventSeqId"] for _, body in listener.heard] == [4]


def test_a_callback_leaves_on_time_when_nobody_asks(desk: Desk) -> None:
    listener = join(desk, "a")
    subscribe(desk, listener, None)
    desk.ok(
        "StartPreparePositionEntry",
        idempotency_key="k",
        position_name="p",
        strategy_id=101,
        broker_account_id="PAPER-1",
        leg_selection_constraint="FullyUnique",
        underlying=None,
        data_provider=None,
    )
    due = min(timer.when for timer in desk.clock.timers if not timer.cancelled)
    desk.go_to(due)
    ((target, body),) = listener.heard
    assert (target, body["EventTime"]) == ("OnPositionEntryPreparationCompleted", due)


def test_a_callback_is_what_the_history_replays(desk: Desk) -> None:
    listener = join(desk, "a")
    subscribe(desk, listener, None)
    desk.fill(desk.prepare_entry())
    answer = asyncio.run(desk.hub("event").invoke("GetEventsSince", [{"EventSeqId": 2}], listener))
    assert [body for _, body in listener.heard] == [row["Event"] for row in answer["Data"]["Events"]]


def test_who_has_gone_hears_nothing(desk: Desk) -> None:
    closed, gone = join(desk, "a"), join(desk, "b")
    for listener in (closed, gone):
        subscribe(desk, listener, None)
    closed.closed = True
    asyncio.run(desk.hub("event").disconnected(gone))
    desk.prepare_entry()
    assert closed.heard == gone.heard == []


def test_signals_that_are_on_are_told_at_connecting_under_their_own_ids(desk: Desk) -> None:
    first = join(desk, "a")
    subscribe(desk, first, None)
    desk.fill(desk.prepare_entry(strategy=104))
    assert join(desk, "b").heard == []
    desk.wait(60)
    ((target, body),) = join(desk, "c").heard
    assert (target, body["State"], body["AdjustmentTimeOk"]) == ("OnAdjustmentSignal", "On", True)
    assert first.heard[-1] == (target, body), "the same event that subscribers have heard"


def test_a_callback_of_a_signal_leaves_on_time_when_nobody_asks(desk: Desk) -> None:
    listener = join(desk, "a")
    subscribe(desk, listener, None)
    desk.fill(desk.prepare_entry(strategy=104))
    listener.heard.clear()
    desk.go_to(desk.now.replace(second=0) + timedelta(minutes=1))
    assert targets(listener) == ["OnAdjustmentSignal"]


def test_in_a_silence_nothing_is_told_at_connecting(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w", faults=Faults())
    desk.fill(desk.prepare_entry(strategy=104))
    desk.wait(60)
    desk.faults.silence(desk.now, timedelta(minutes=1))
    assert join(desk, "a").heard == []
