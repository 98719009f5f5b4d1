"""Adjustments of a position, prepared and executed on paper through the hub."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import Desk

D = Decimal
MOVE_CALL, SPENT = "pos_delta > 5 -- move call", "leg_short_call_price <= 0.10 -- call is spent"
TAKE_LESS, CLOSE_SHORTS = "days_in_trade >= 30 -- take less", "true -- close the shorts"
FRIDAY = datetime(2025, 1, 17, 15, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "w")
    yield made
    made.close()


def start(desk: Desk, position: int, operation: str, condition: str, key: str = "adjust-1") -> dict[str, Any]:
    return {
        "idempotency_key": key,
        "position_id": position,
        "operation": operation,
        "condition": condition,
        "leg_selection_constraint": "FullyUnique",
        "data_provider": None,
    }


def job(desk: Desk, *args: Any, **more: Any) -> Any:
    started = desk.ok("StartPreparePositionAdjustment", **start(desk, *args, **more))
    desk.wait(10)
    return desk.ok("GetPreparePositionAdjustmentStatus", job_id=started["JobId"])


def plan(desk: Desk, *args: Any, **more: Any) -> Any:
    status = job(desk, *args, **more)
    assert status["Status"] == "Completed", status["Error"]
    return status["Result"]


def condor(desk: Desk) -> int:
    desk.go_to(FRIDAY)
    return desk.fill(desk.prepare_entry(strategy=104))["PositionId"]  # type: ignore[no-any-return]


def strangle(desk: Desk) -> int:
    return desk.fill(desk.prepare_entry(strategy=103))["PositionId"]  # type: ignore[no-any-return]


def held(desk: Desk, position: int) -> dict[str, Any]:
    legs = desk.ok("GetPosition", position_id=position)["Legs"]
    return {leg["Name"]: leg for leg in legs if leg["ClosedAt"] is None}


def strikes(desk: Desk, position: int) -> dict[str, Any]:
    return {name: leg["LiveContract"]["Strike"] for name, leg in held(desk, position).items()}


def test_legs_are_removed_by_the_strategys_own_rule(desk: Desk) -> None:
    position = condor(desk)
    found = plan(desk, position, "RemoveLegs", CLOSE_SHORTS)
    assert (found["AdjustmentAllowed"], found["PositionId"]) == (True, position)
    assert {name: leg["Qty"] for name, leg in found["OrderLegs"].items()} == {
        "short_put": D(1),
        "short_call": D(1),
    }
    desk.fill(found, "fill-2")
    assert set(held(desk, position)) == {"long_put", "long_call"}
    assert desk.ok("GetPosition", position_id=position)["Position"]["State"] == "Open"


def test_a_leg_is_moved_in_one_plan_closed_here_and_opened_there(desk: Desk) -> None:
    position = strangle(desk)
    before = held(desk, position)
    found = plan(desk, position, "MoveLeg", MOVE_CALL)
    closing, opening = found["OrderLegs"]["short_call"], found["OrderLegs"]["short_call_2"]
    assert (closing["Id"], closing["Qty"], opening["Id"], opening["Qty"]) == (
        before["short_call"]["Id"],
        D(1),
        0,
        D(-1),
    )
    assert {len(names) for names in found["LegGroups"].values()} == {2}, "one package, as its legs were"
    desk.fill(found, "fill-2")
    after = strikes(desk, position)
    assert set(after) == {"short_put", "short_call_2"}
    assert after["short_call_2"] != before["short_call"]["LiveContract"]["Strike"]
    desk.fill(desk.prepare_exit(position), "fill-3")
    assert desk.ok("GetPosition", position_id=position)["Position"]["State"] == "Closed"


def own(desk: Desk, grouped: bool = True, **under: Any) -> int:
    """A position of a strategy with one key of its own."""
    definition = desk.ok("GetStrategy", strategy_id=103)["Strategy"]["StrategyDefinition"]
    definition["Adjustment"]["ConditionalAdjustments"] = {"true -- now": under}
    if not grouped:
        for leg in definition["Structure"]["Legs"]:
            del leg["LegGroupId"]
    strategy = desk.ok("CreateStrategy", strategy_definition=definition, name="own")["StrategyId"]
    return desk.fill(desk.prepare_entry(strategy=strategy))["PositionId"]  # type: ignore[no-any-return]


MOVE_ANYWHERE = {"LegName": "short_call", "StrikeSelector": {"Delta": "20"}}


def test_removing_the_last_leg_closes_the_position_without_an_exit(desk: Desk) -> None:
    both = {"LegNames": ["short_put", "short_call"]}
    position = own(desk, RemoveLegsAdjustment=both)
    desk.fill(plan(desk, position, "RemoveLegs", "true -- now"), "fill-2")
    found = desk.ok("GetPosition", position_id=position)
    assert (found["Position"]["State"], [leg["ClosedAt"] is None for leg in found["Legs"]]) == (
        "Closed",
        [False, False],
    )


def test_variables_of_an_adjustment_are_stored_when_it_is_executed(desk: Desk) -> None:
    position = own(desk, MoveLegAdjustment=MOVE_ANYWHERE | {"VarDefines": {"moves": "moves + 1"}})
    found = plan(desk, position, "MoveLeg", "true -- now")
    assert found["Vars"]["moves"] == 1
    assert desk.ok("GetPosition", position_id=position)["Vars"]["moves"] == 0
    desk.fill(found, "fill-2")
    assert desk.ok("GetPosition", position_id=position)["Vars"]["moves"] == 1


def test_a_leg_without_a_group_is_closed_in_one_order_and_opened_in_another(desk: Desk) -> None:
    position = own(desk, grouped=False, MoveLegAdjustment=MOVE_ANYWHERE)
    found = plan(desk, position, "MoveLeg", "true -- now")
    assert found["LegGroups"] == {"0": ["short_call"], "1": ["short_call_2"]}


def test_a_leg_that_keeps_its_name_when_it_moves_is_a_dial(desk: Desk) -> None:
    desk.faults.moved_leg_name = "same"
    position = own(desk, MoveLegAdjustment=MOVE_ANYWHERE)
    found = plan(desk, position, "MoveLeg", "true -- now")
    assert {key: leg["Name"] for key, leg in found["OrderLegs"].items()} == {
        "short_call": "short_call",
        "short_call_2": "short_call",
    }
    desk.fill(found, "fill-2")
    assert set(held(desk, position)) == {"short_put", "short_call"}


def test_a_condor_whose_shorts_are_gone_is_left_by_an_exit(desk: Desk) -> None:
    position = condor(desk)
    desk.fill(plan(desk, position, "RemoveLegs", CLOSE_SHORTS), "fill-2")
    refused = desk.refused(
        "StartPreparePositionAdjustment", **start(desk, position, "RemoveLegs", "no such key", key="x")
    )
    assert refused[1] == "NoSuchCondition"
    desk.fill(desk.prepare_exit(position), "fill-3")
    assert desk.ok("GetPosition", position_id=position)["Position"]["State"] == "Closed"


def test_a_condition_that_is_not_true_is_not_allowed_and_says_so(desk: Desk) -> None:
    position = strangle(desk)
    assert plan(desk, position, "RemoveLegs", SPENT)["AdjustmentAllowed"] is False


def test_variables_are_updated_at_once_without_an_order(desk: Desk) -> None:
    position = strangle(desk)
    before = desk.ok("GetPosition", position_id=position)["Vars"]
    found = plan(desk, position, "UpdateVars", TAKE_LESS)
    after = desk.ok("GetPosition", position_id=position)["Vars"]
    assert after != before and found["Vars"] != {}
    assert desk.ok("ListExecutions", exec_plan_id=found["ExecPlanId"])["Executions"] == []


@pytest.mark.parametrize(
    ("operation", "condition", "code"),
    [
        ("MoveLeg", "pos_delta > 5 -- move  call", "NoSuchCondition"),
        ("AddLegs", MOVE_CALL, "NoSuchCondition"),
        ("Roll", MOVE_CALL, "Operation"),
    ],
)
def test_only_what_the_strategy_defines_letter_for_letter(
    desk: Desk, operation: str, condition: str, code: str
) -> None:
    args = start(desk, strangle(desk), operation, condition)
    assert desk.refused("StartPreparePositionAdjustment", **args)[1] == code


def test_the_same_key_is_the_same_job(desk: Desk) -> None:
    args = start(desk, strangle(desk), "MoveLeg", MOVE_CALL)
    first = desk.ok("StartPreparePositionAdjustment", **args)
    desk.wait(10)
    again = desk.call("StartPreparePositionAdjustment", **args)
    assert again["Status"] == "DuplicateRequest"
    record = desk.ok("GetIdempotencyRecord", idempotency_key="adjust-1")
    assert (record["Status"], record["JobId"]) == ("Completed", first["JobId"])


def test_a_job_is_cancelled(desk: Desk) -> None:
    started = desk.ok("StartPreparePositionAdjustment", **start(desk, strangle(desk), "MoveLeg", MOVE_CALL))
    desk.ok("CancelPreparePositionAdjustment", idempotency_key="stop-1", job_id=started["JobId"])
    desk.wait(10)
    status = desk.ok("GetPreparePositionAdjustmentStatus", job_id=started["JobId"])
    assert (status["Status"], status["Result"]) == ("Cancelled", None)


def test_a_closed_position_is_not_adjusted(desk: Desk) -> None:
    position = strangle(desk)
    desk.fill(desk.prepare_exit(position), "fill-2")
    args = start(desk, position, "MoveLeg", MOVE_CALL)
    assert desk.refused("StartPreparePositionAdjustment", **args)[1] == "Closed"


def test_a_plan_that_the_position_has_outgrown_is_stale(desk: Desk) -> None:
    position = condor(desk)
    old = plan(desk, position, "RemoveLegs", CLOSE_SHORTS)
    desk.fill(desk.prepare_exit(position), "fill-2")
    fills = {name: {"price": prices["Mark"]} for name, prices in old["LegPrices"].items()}
    refused = desk.refused(
        "ApplyPaperFills", idempotency_key="late", exec_plan_id=old["ExecPlanId"], paper_leg_fills=fills
    )
    assert refused[1] == "PlanStale"


def test_the_theta_engine_is_hedged_once_while_volatility_is_high(desk: Desk) -> None:
    """Three far puts for each that was sold; after that more than one trade is open, and the key is not true any more."""
    key = "open_trades_cnt == 1 and underlying_iv_rank > 50"
    position = desk.fill(desk.prepare_entry(strategy=108))["PositionId"]
    sold = held(desk, position)["short_put"]["Qty"]
    rank = desk.world.core.volatility.rank(desk.world.market.at(desk.now))
    found = plan(desk, position, "AddLegs", key)
    assert found["AdjustmentAllowed"] is (rank > 50)
    assert {name: leg["Qty"] for name, leg in found["OrderLegs"].items()} == {"hedge_put": -3 * sold}
    assert found["LegGroups"] == {"2": ["hedge_put"]} and found["Vars"]["hedge_price"] > 0
    desk.fill(found, key="hedge")
    assert set(held(desk, position)) == {"short_put", "hedge_put"}
    again = job(desk, position, "AddLegs", key, key="adjust-2")
    assert again["Error"] == "leg 'hedge_put' is held already"
