"""A partial fill of an exit or an adjustment ends its plan: prepared again, it must be exactly the remainder."""

from decimal import Decimal
from typing import Any

import pytest

from mesoflow.actions import foretold
from mesoflow.actions.adjustments import AdjustmentOrder, adjustment_prepare
from mesoflow.actions.exits import ExitOrder, exit_prepare
from tests.support.desk import Desk, Fate
from tests.support.walks import QUOTES, WALK, closing, leave

D = Decimal


def test_a_partial_fill_of_an_exit_is_prepared_again_and_goes_on_with_the_same_worst() -> None:
    played = leave(Fate(fills=[(3, 4)]), Fate(fills=[(2, 6)]), lots=10)
    assert played.outputs["ended"] == "filled"
    assert [path for path in played.lines if "prepare" in path] == [
        "group-1/rung-2/prepare/position",
        "group-1/rung-2/prepare/start",
        "group-1/rung-2/prepare/job",
    ]
    first, second = (played.order(f"group-1/rung-{n}/send") for n in (1, 2))
    assert (first.exec_plan_id, second.exec_plan_id) == (9002, 9101)
    assert first.groups[0].worst == second.groups[0].worst
    assert (second.args["qty_multiplier"], second.groups[0].packages, second.target) == (None, 6, 10)
    assert [path for path in played.lines if path.startswith("compare")] == [
        "compare/legs",
        "compare/executions",
        "compare/executions~2",
        "compare/closed",
    ]


def test_a_new_plan_that_is_not_the_remainder_ends_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    body = exit_prepare.body

    def other(ctx: Any, inputs: Any) -> Any:
        plan = yield from body(ctx, inputs)
        legs = {
            name: leg.model_copy(update={"quantity": leg.quantity * 2}) for name, leg in plan.legs.items()
        }
        return plan.model_copy(update={"legs": legs})

    monkeypatch.setattr(exit_prepare, "body", other)
    played = leave(Fate(fills=[(3, 4)]), lots=10)
    assert (played.code, len(played.desk.orders)) == ("incomplete", 1)
    assert "was to trade the remainder of group 1 and plans short_put 12 for 6" in str(played.error)


def adjusting(lots: int = 10) -> dict[str, Any]:
    """An adjustment that takes the calendar's legs away."""
    return closing(lots) | {"kind": "adjustment", "exec_plan_id": 9003}


def test_a_partial_fill_of_an_adjustment_is_prepared_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(ctx: Any, inputs: Any) -> Any:
        plan = yield from exit_prepare.body(ctx, ExitOrder(position_id=inputs.position_id))
        return plan.model_copy(update={"kind": "adjustment"})

    monkeypatch.setattr(adjustment_prepare, "body", again)
    monkeypatch.setattr(foretold, "ADJUSTMENT", foretold.EXIT)
    held = {"short_put": -10, "long_put": 10}
    desk = Desk(quotes=QUOTES, fates=[Fate(fills=[(3, 4)]), Fate(fills=[(2, 6)])], held=held)
    desk.ctx.prepared[9003] = AdjustmentOrder(
        position_id=7, operation="remove_legs", condition="pos_delta > 5"
    )
    played = desk.play("orders.work", {"exec_plan": adjusting(), "price": WALK, "within": "5m"})
    assert [int(order.row["qty"]) for order in desk.orders] == [10, 6]
    assert (played.outputs["kind"], played.outputs["ended"]) == ("adjustment", "filled")


def test_an_adjustment_that_nobody_can_prepare_again_ends_with_what_it_has() -> None:
    held = {"short_put": -10, "long_put": 10}
    desk = Desk(quotes=QUOTES, fates=[Fate(fills=[(3, 4)])], held=held)
    played = desk.play("orders.work", {"exec_plan": adjusting(), "price": WALK, "within": "5m"})
    assert (played.code, len(desk.orders)) == ("incomplete", 1)
    assert "6 of 10 packages did not fill, and this plan cannot send a part of itself" in str(played.error)
