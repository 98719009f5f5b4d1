"""Signals of a world: on and off on their timer, kept while they are on, and the same whoever asks when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.faults import Faults
from tests.support.worlds import Desk

MINUTE = timedelta(minutes=1)
SPENT = "leg_short_call_price <= 1000 -- call is spent"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def strategy(desk: Desk, of: int = 103, *, active: list[str] | None = None, **parts: Any) -> int:
    """A template with some of Entry, Exit and ConditionalAdjustments replaced."""
    raw = desk.ok("GetStrategy", strategy_id=of)["Strategy"]["StrategyDefinition"]
    raw["Entry"] |= parts.get("entry", {})
    raw["Exit"] |= parts.get("leave", {})
    if "adjustments" in parts:
        raw["Adjustment"]["ConditionalAdjustments"] = parts["adjustments"]
    args = {"strategy_definition": raw, "active_on_accounts": active}
    return desk.ok("CreateStrategy", **args)["StrategyId"]  # type: ignore[no-any-return]


def signals(desk: Desk, since: int = 0) -> list[tuple[str, str, str]]:
    """Time, kind and state of all signals and errors."""
    found, token = [], None
    while True:
        args = {"event_seq_id": since, "continuation_token": token, "limit": 500}
        page = desk.ok("GetEventsSince", **args)
        found += [
            (row["Event"]["EventTime"][11:19], row["EventType"].removesuffix("Event"), row["Event"]["State"])
            for row in page["Events"]
            if "Signal" in row["EventType"] or row["EventType"] == "ErrorEvent"
        ]
        if (token := page["ContinuationToken"]) is None:
            return found


def last(desk: Desk) -> dict[str, Any]:
    return desk.ok("GetEventsSince", event_seq_id=0, limit=500)["Events"][-1]["Event"]  # type: ignore[no-any-return]


def friday(hour: int, minute: int) -> datetime:
    return datetime(2025, 1, 17, hour, minute, tzinfo=UTC)


# --- entries -------------------------------------------------------------------------------------------------------


def test_an_entry_s_signal_is_on_in_the_window_of_its_schedule(desk: Desk) -> None:
    desk.ok("UpdateStrategy", strategy_id=101, active_on_accounts=["PAPER-1", "IB-1"])
    desk.go_to(friday(22, 0))
    assert signals(desk) == [
        ("20:45:00", "EntrySignal", "On"),
        ("20:45:00", "EntrySignal", "On"),
        ("20:50:00", "EntrySignal", "Off"),
        ("20:50:00", "EntrySignal", "Off"),
    ]
    on = desk.ok("GetEventsSince", event_seq_id=2)["Events"][0]["Event"]
    assert (on["StrategyId"], on["StrategyName"], on["BrokerAccountId"]) == (
        101,
        "SPX put calendar 30/60",
        "PAPER-1",
    )
    assert on["EntrySignalResult"] == {
        "EntryTimeOk": True,
        "EntryConditions": [
            {
                "Condition": "pos_theta > 0 -- time must work for us",
                "Result": True,
                "Error": None,
                "Values": None,
            }
        ],
    }


def test_a_strategy_that_is_active_nowhere_has_no_entry_signal(desk: Desk) -> None:
    desk.go_to(friday(22, 0))
    assert signals(desk) == []


ALWAYS: dict[str, Any] = {
    "Schedule": {"AfterMarketOpenMinutes": 0, "Every": "5min"},
    "AbortConditions": [],
    "ReentryDays": None,
    "Concurrency": None,
}


@pytest.mark.parametrize(
    ("gate", "again"),
    [
        ({"Concurrency": {"MaxPositionsInFlight": 1}}, "the position is closed"),
        ({"Concurrency": {"EntryShiftDays": 1}}, "tomorrow"),
        ({"ReentryDays": 1}, "tomorrow, once it is closed"),
    ],
)
def test_gates_of_an_entry(desk: Desk, gate: dict[str, Any], again: str) -> None:
    id = strategy(desk, active=["PAPER-1"], entry=ALWAYS | gate, leave={"MaxDaysInTrade": None})
    desk.wait(60)
    assert last(desk)["State"] == "On"
    position = desk.fill(desk.prepare_entry(strategy=id))["PositionId"]
    desk.wait(60)
    on = [("15:01:00", "EntrySignal", "On")]
    if "once" not in again:
        assert signals(desk) == [*on, ("15:02:00", "EntrySignal", "Off")]
    desk.fill(desk.prepare_exit(position), key="f2")
    desk.wait(120)
    assert (signals(desk)[-1][2] == "On") == (again == "the position is closed")
    desk.go_to(friday(14, 31))
    assert signals(desk)[-1][2] == "On"


def test_an_entry_that_cannot_be_judged_is_an_error_until_it_can(desk: Desk) -> None:
    id = strategy(desk, active=["PAPER-1"], entry=ALWAYS | {"Conditions": ["nobody > 1"]})
    desk.wait(180)
    assert signals(desk) == [("15:01:00", "Error", "On")]
    told = last(desk)
    assert {
        name: told[name] for name in ("StrategyId", "Message", "ConditionType", "Statement", "PositionId")
    } == {
        "StrategyId": id,
        "Message": "there is no 'nobody' here",
        "ConditionType": "Entry",
        "Statement": "nobody > 1",
        "PositionId": None,
    }
    desk.ok("UpdateStrategy", strategy_id=id, active_on_accounts=[])
    desk.wait(60)
    assert signals(desk)[1:] == [("15:04:00", "Error", "Off")]
    assert last(desk)["ErrorId"] == told["ErrorId"] and last(desk)["EventId"] != told["EventId"]


# --- positions -----------------------------------------------------------------------------------------------------


def test_an_exit_s_signal_ends_with_its_position(desk: Desk) -> None:
    id = strategy(desk, leave={"Conditions": ["leg_short_put_qty < 0"]}, adjustments={})
    position = desk.fill(desk.prepare_entry(strategy=id))["PositionId"]
    desk.wait(120)
    on = last(desk)
    assert (on["PositionId"], on["State"], on["ExitSignalResult"]["Conditions"]) == (
        position,
        "On",
        [
            {
                "Condition": "leg_short_put_qty < 0",
                "Result": True,
                "Error": None,
                "Values": {"leg_short_put_qty": -1},
            }
        ],
    )
    assert on["ExitSignalResult"]["ExitTimeOk"] is False
    desk.fill(desk.prepare_exit(position), key="f2")
    desk.wait(60)
    assert signals(desk) == [("15:01:00", "ExitSignal", "On"), ("15:03:00", "ExitSignal", "Off")]
    assert desk.world.signals.active() == []


def test_a_signal_says_when_its_time_comes_and_goes(desk: Desk) -> None:
    leave = {
        "Schedule": {"AfterMarketOpenMinutes": 35, "Every": "day"},
        "Conditions": ["true"],
        "MaxDaysInTrade": None,
    }
    desk.fill(desk.prepare_entry(strategy=strategy(desk, leave=leave, adjustments={})))
    desk.wait(900)
    assert signals(desk) == [
        ("15:01:00", "ExitSignal", "On"),
        ("15:05:00", "ExitSignal", "On"),
        ("15:10:00", "ExitSignal", "On"),
    ]


def test_each_adjustment_has_a_signal_and_a_leg_that_is_gone_has_none(desk: Desk) -> None:
    keys = {
        SPENT: {"RemoveLegsAdjustment": {"LegNames": ["short_call"]}},
        "true": {"UpdateVarsAdjustment": {"VarDefines": {"moves": "1"}}},
    }
    position = desk.fill(desk.prepare_entry(strategy=strategy(desk, adjustments=keys)))["PositionId"]
    desk.wait(60)
    found = [row["Event"] for row in desk.ok("GetEventsSince", event_seq_id=0, limit=500)["Events"][-2:]]
    assert [(one["Condition"]["Condition"], one["State"], one["AdjustmentTimeOk"]) for one in found] == [
        (SPENT, "On", True),
        ("true", "On", True),
    ]
    job = desk.ok(
        "StartPreparePositionAdjustment",
        idempotency_key="a",
        position_id=position,
        operation="RemoveLegs",
        condition=SPENT,
        data_provider=None,
    )["JobId"]
    desk.wait(10)
    plan = desk.ok("GetPreparePositionAdjustmentStatus", job_id=job)["Result"]
    assert plan["AdjustmentAllowed"] is True
    desk.fill(plan, key="f2")
    desk.wait(60)
    assert (last(desk)["Condition"]["Condition"], last(desk)["State"]) == (SPENT, "Off")


def test_who_changes_the_variables_changes_the_signal(desk: Desk) -> None:
    keys = {"pos_pnl > -1e9": {"UpdateVarsAdjustment": {"VarDefines": {"profit_target": "-1e9"}}}}
    leave = {"ProfitTarget": "1e9", "StopLoss": None, "MaxDaysInTrade": None}
    id = strategy(desk, leave=leave, adjustments=keys)
    position = desk.fill(desk.prepare_entry(strategy=id))["PositionId"]
    desk.wait(60)
    desk.ok(
        "StartPreparePositionAdjustment",
        idempotency_key="a",
        position_id=position,
        operation="UpdateVars",
        condition="pos_pnl > -1e9",
        data_provider=None,
    )
    desk.wait(120)
    assert signals(desk) == [("15:01:00", "AdjustmentSignal", "On"), ("15:02:00", "ExitSignal", "On")]


def test_without_its_strategy_a_position_has_no_signals(desk: Desk) -> None:
    id = strategy(desk, leave={"Conditions": ["true"]}, adjustments={})
    desk.fill(desk.prepare_entry(strategy=id))
    desk.wait(60)
    desk.ok("DeleteStrategy", strategy_id=id, force=True)
    desk.wait(60)
    assert [state for *_, state in signals(desk)] == ["On", "Off"]


def test_while_the_agent_is_away_signals_stay_and_an_error_says_why(tmp_path: Path) -> None:
    faults = Faults()
    desk = Desk(tmp_path / "w", faults=faults)
    id = strategy(desk, leave={"Conditions": ["true"]}, adjustments={})
    desk.fill(desk.prepare_entry(strategy=id))
    desk.wait(60)
    for connector in ("IBKR", "TastyTrade"):
        faults.agent_away(connector, desk.now, timedelta(minutes=3))
    desk.wait(300)
    assert signals(desk) == [
        ("15:01:00", "ExitSignal", "On"),
        ("15:02:00", "Error", "On"),
        ("15:05:00", "Error", "Off"),
    ]
    assert last(desk)["Message"] == "agent IBKR and TastyTrade is not connected"


def test_what_expires_ends_its_signals_without_an_error(desk: Desk) -> None:
    desk.fill(desk.prepare_entry(strategy=104))
    desk.go_to(datetime(2025, 1, 17, 15, tzinfo=UTC))
    assert ("21:00:00", "Error", "On") not in signals(desk)
    assert {kind for _, kind, _ in signals(desk)} <= {"AdjustmentSignal", "ExitSignal"}
    assert desk.world.signals.active() == []


# --- time ----------------------------------------------------------------------------------------------------------


def test_it_does_not_matter_when_or_how_often_somebody_asks(tmp_path: Path) -> None:
    desks = [Desk(tmp_path / name) for name in "abc"]
    for desk in desks:
        desk.ok("UpdateStrategy", strategy_id=101, active_on_accounts=["PAPER-1"])
        desk.fill(desk.prepare_entry(strategy=104))
    asked, unasked, restarted = desks
    end = asked.now + timedelta(hours=5)
    while asked.now < end:
        asked.wait(137)
        asked.ok("ListStrategies")
    restarted.wait(9834)
    restarted.close()
    again = Desk(tmp_path / "c")
    for desk in (asked, unasked, again):
        desk.go_to(end + timedelta(minutes=10))
        desk.ok("ListAgents")
    fingerprint = [
        [row for row in desk.world.dump().splitlines() if not row.startswith("meta")]
        for desk in (asked, unasked, again)
    ]
    assert fingerprint[0] == fingerprint[1] == fingerprint[2]
    assert len(signals(asked)) > 3


def test_a_look_that_finds_nothing_new_writes_nothing(desk: Desk) -> None:
    id = strategy(desk, leave={"Conditions": ["true"]}, adjustments={})
    desk.fill(desk.prepare_entry(strategy=id))
    desk.wait(120)
    assert signals(desk) == [("15:01:00", "ExitSignal", "On")]
    before = desk.world.fingerprint()
    desk.wait(1200)
    desk.ok("ListAgents")
    assert desk.world.fingerprint() == before
    assert desk.world.signals.next_due() == desk.now.replace(second=0, microsecond=0) + MINUTE


def test_after_the_close_the_next_look_is_after_the_next_open(desk: Desk) -> None:
    desk.ok("UpdateStrategy", strategy_id=101, active_on_accounts=["PAPER-1"])
    desk.go_to(datetime(2025, 1, 17, 22, tzinfo=UTC))
    desk.ok("ListAgents")
    assert desk.world.signals.next_due() == datetime(2025, 1, 21, 14, 31, tzinfo=UTC), "after a holiday"


def test_nothing_is_due_where_there_is_nothing_to_look_at(desk: Desk) -> None:
    assert desk.world.signals.next_due() is None


def folded(desk: Desk, until: int | None = None) -> set[str]:
    """The last event of everything that the history says is on; a history that ends what never began is wrong."""
    on: dict[tuple[Any, ...], str] = {}
    token = None
    while True:
        page = desk.ok("GetEventsSince", event_seq_id=0, limit=500, continuation_token=token)
        for row in page["Events"]:
            event = row["Event"]
            if "State" not in event or (until is not None and row["EventSeqId"] > until):
                continue
            condition = (event.get("Condition") or {}).get("Condition")
            whose = (event["StrategyId"], event["BrokerAccountId"], event.get("PositionId"))
            key = (row["EventType"], *whose, condition, event.get("ErrorId"))
            if event["State"] == "On":
                on[key] = event["EventId"]
            else:
                del on[key]
        if (token := page["ContinuationToken"]) is None:
            return set(on.values())


def test_the_history_of_signals_folds_to_what_is_on(tmp_path: Path) -> None:
    faults = Faults()
    desk = Desk(tmp_path / "w", faults=faults)
    hour = {"Schedule": {"AfterMarketOpenMinutes": 60}, "Conditions": ["nobody > 1", "nav > 1"]}
    strategy(desk, active=["PAPER-1", "IB-1"], entry=ALWAYS | hour)
    for of in (103, 104):
        desk.fill(desk.prepare_entry(f"p{of}", of), key=f"f{of}")
    for hours in (1, 3):
        faults.agent_away("IBKR", desk.now + timedelta(hours=hours), timedelta(minutes=7))
    for _ in range(9):
        desk.wait(2000)
        told = {event.event_id for _, event in desk.world.signals.active()}
        assert folded(desk, desk.world.events.latest) == told
    assert len(signals(desk)) > 15
    with desk.world.core.change(desk.now):
        desk.world.store.run("DELETE FROM events WHERE id IN (SELECT event FROM signals)")
    assert told and folded(desk) != told, "the mutant: what is on was never told"
