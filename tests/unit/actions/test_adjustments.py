"""adjustment.prepare and position.update_vars: only the strategy's own key, letter for letter, and only a plan that fits."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from tests.support.acting import Acted, Script, act, foretell
from tests.support.answers import exit_plan, held_legs, job, leg, position, strategy

D = Decimal
MOVE, REMOVE, LESS = (
    "pos_delta > 5 -- move put",
    "true -- close the short",
    "days_in_trade >= 30 -- take less",
)
DEFINITION = {
    "Adjustment": {
        "ConditionalAdjustments": {
            MOVE: {"MoveLegAdjustment": {"LegName": "short_put"}},
            REMOVE: {"RemoveLegsAdjustment": {"LegNames": ["short_put"]}},
            LESS: {"UpdateVarsAdjustment": {"VarDefines": {"profit_target": "100"}}},
        }
    }
}


def adjustment(legs: dict[str, dict[str, Any]], quantities: dict[str, int], **changes: Any) -> dict[str, Any]:
    """What an adjustment job gives: its legs are those to trade."""
    plan = exit_plan()
    plan.pop("position_legs")
    told = dict.fromkeys(legs, plan["leg_prices"]["short_put"])
    fields = {
        "exec_plan_id": 9003,
        "operation": "MoveLeg",
        "condition": MOVE,
        "order_legs": legs,
        "leg_groups": {"1": list(legs)},
        "leg_group_qtys": {"1": {"leg_qtys": {name: D(qty) for name, qty in quantities.items()}}},
        "leg_prices": told,
        "leg_greeks": dict.fromkeys(legs, plan["leg_greeks"]["short_put"]),
        "abort_conditions": [],
        "adjustment_allowed": True,
    }
    return {**plan, **fields, **changes}


def move(**changes: Any) -> dict[str, Any]:
    """The short put is bought back, another one sold."""
    closing = held_legs()["short_put"] | {"qty": D(1)}
    opening = leg(0, "short_put_2", -1, position=0, days=28, strike=5950)
    return adjustment(
        {"short_put": closing, "short_put_2": opening}, {"short_put": 1, "short_put_2": -1}, **changes
    )


def remove(**changes: Any) -> dict[str, Any]:
    """The short put is bought back."""
    closing = held_legs()["short_put"] | {"qty": D(1)}
    fields = {"operation": "RemoveLegs", "condition": REMOVE} | changes
    return adjustment({"short_put": closing}, {"short_put": 1}, **fields)


def hub(*statuses: dict[str, Any], definition: Any = DEFINITION, **of_position: Any) -> Script:
    found = {"position": position(7, **of_position), "legs": list(held_legs().values()), "vars": {}}
    script = Script().answers("GetPosition", found)
    script.answers("GetStrategy", {"strategy": strategy(201, "campaign", strategy_definition=definition)})
    script.answers("StartPreparePositionAdjustment", {"job_id": "job-1"})
    script.answers("CancelPreparePositionAdjustment", {"job_id": "job-1", "status": "Cancelled"})
    return script.answers("GetPreparePositionAdjustmentStatus", *(statuses or (job(move()),)))


def prepare(script: Script | None = None, **inputs: Any) -> Acted:
    asked = {"position_id": 7, "operation": "move_leg", "condition": MOVE} | inputs
    return act("adjustment.prepare", asked, script or hub())


def quantities(acted: Acted) -> dict[str, tuple[Decimal, int | None]]:
    return {name: (leg["quantity"], leg["leg_id"]) for name, leg in acted.outputs["legs"].items()}


def test_a_move_closes_one_leg_and_opens_another() -> None:
    acted = prepare()
    assert quantities(acted) == {"short_put": (D(1), 11), "short_put_2": (D(-1), None)}
    assert (acted.outputs["kind"], acted.outputs["position_id"], acted.outputs["exec_plan_id"]) == (
        "adjustment",
        7,
        9003,
    )
    assert acted.effect("start").args == {
        "position_id": 7,
        "operation": "MoveLeg",
        "condition": MOVE,
        "leg_selection_constraint": "FullyUnique",
        "data_provider": None,
    }


def test_a_removal_that_does_not_say_whether_it_is_allowed_is() -> None:
    script = hub(job(remove(adjustment_allowed=None)))
    assert quantities(prepare(script, operation="remove_legs", condition=REMOVE)) == {"short_put": (D(1), 11)}


def test_any_other_that_does_not_say_so_is_not() -> None:
    assert prepare(hub(job(move(adjustment_allowed=None)))).code == "adjustment_not_allowed"


def test_a_plan_that_repeats_what_is_held_closes_it_all_the_same() -> None:
    held = {"1": {"leg_qtys": {"short_put": D(-1)}}}
    script = hub(job(remove(leg_group_qtys=held)))
    assert quantities(prepare(script, operation="remove_legs", condition=REMOVE)) == {"short_put": (D(1), 11)}


@pytest.mark.parametrize("condition", [MOVE + " ", MOVE.upper(), "no such key", REMOVE])
def test_a_key_that_is_not_the_strategys_never_reaches_the_hub(condition: str) -> None:
    acted = prepare(condition=condition)
    assert acted.code == "no_such_condition"
    assert acted.asked == ["position: GetPosition", "strategy: GetStrategy"]


def test_a_hub_that_does_not_tell_the_definition_judges_the_key_itself() -> None:
    assert quantities(prepare(hub(definition=None)))["short_put"] == (D(1), 11)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script().refuses("GetPosition", "NotFound"), "position_not_found"),
        (hub(state="Closed"), "nothing_to_trade"),
        (hub(broker_account_id="IB-1"), "account_not_allowed"),
        (hub(job(move(adjustment_allowed=False))), "adjustment_not_allowed"),
        (hub(job(status="Failed", error="x")), "prepare_failed"),
        (hub(job(status="Running")), "prepare_too_slow"),
        (hub(job()), "prepare_failed"),
    ],
)
def test_adjustments_that_cannot_be_prepared(script: Script, code: str) -> None:
    assert prepare(script).code == code


def opens(name: str, quantity: int) -> dict[str, Any]:
    return adjustment({name: leg(0, name, quantity, position=0, days=28, strike=5950)}, {name: quantity})


def closes(quantity: int) -> dict[str, Any]:
    legs = {"short_put": held_legs()["short_put"] | {"qty": D(quantity)}}
    return adjustment(legs, {"short_put": quantity})


@pytest.mark.parametrize(
    ("operation", "condition", "result"),
    [
        ("remove_legs", REMOVE, opens("wing", 1)),  # opens where legs are only removed
        ("move_leg", MOVE, closes(3)),  # closes more than is open
        ("move_leg", MOVE, opens("long_put", -1)),  # another leg has this name
    ],
)
def test_a_plan_that_is_not_what_was_asked_for_is_not_traded(
    operation: str, condition: str, result: dict[str, Any]
) -> None:
    assert prepare(hub(job(result)), operation=operation, condition=condition).code == "prepare_failed"


def test_a_forecast() -> None:
    told = foretell("adjustment.prepare", {"position_id": 7, "operation": "move_leg", "condition": MOVE})
    assert told.asked == ["start: StartPreparePositionAdjustment", "stop: CancelPreparePositionAdjustment"]
    assert (told.outputs["kind"], told.outputs["position_id"]) == ("adjustment", 7)


# --- variables ---------------------------------------------------------------------------------------------------------


def updated(**inputs: Any) -> Acted:
    found = {"position": position(7), "legs": list(held_legs().values()), "vars": {"profit_target": D(200)}}
    after = deepcopy(found) | {"vars": {"profit_target": D(100)}}
    script = Script().answers("GetPosition", found, after)
    script.answers("GetStrategy", {"strategy": strategy(201, "campaign", strategy_definition=DEFINITION)})
    script.answers("StartPreparePositionAdjustment", {"job_id": "job-1"})
    script.answers("GetPreparePositionAdjustmentStatus", job())
    return act("position.update_vars", {"position_id": 7, "condition": LESS} | inputs, script)


def test_variables_are_applied_by_the_hub_and_read_back() -> None:
    acted = updated()
    assert acted.outputs == {"vars": {"profit_target": D(100)}}
    start = acted.effect("start")
    assert (start.args["operation"], start.hints["vars_before"]) == ("UpdateVars", {"profit_target": D(200)})


def test_a_key_without_variables_is_refused() -> None:
    assert updated(condition=MOVE).code == "no_such_condition"
