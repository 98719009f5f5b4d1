"""A new exec plan for what is left of an exit or an adjustment, of which a partial fill ended the plan before.

It is prepared as the one before was, and must plan exactly the remainder; where it does not (an adjustment that adds legs
plans them all anew), the group ends with what it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from mesoflow.actions.adjustments import adjustment_prepare
from mesoflow.actions.base import Acting
from mesoflow.actions.exits import ExitOrder, exit_prepare
from mesoflow.actions.hub import below
from mesoflow.actions.values import ExecPlan
from mesoflow.actions.way import Walk
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError


def prepare_again(ctx: Context, way: Walk, name: str) -> Acting[None]:
    """Prepare anew, or say why that cannot be (`why`)."""
    preparing = _preparing(ctx, way)
    if preparing is None:
        way.why = StepError(
            "not_filled",
            f"{way.rest} of {way.group.packages} packages did not fill, and this plan cannot send a part of itself",
            {"group": way.group.id},
        )
        return
    try:
        plan = yield from below(f"{name}/prepare", preparing)
    except StepError as error:
        way.why = error
        return
    wanted = {leg: Decimal(count * way.rest) for leg, count in way.group.ratio.items()}
    source = next((group for group in plan.groups if group.ratio.keys() == wanted.keys()), None)
    found = {leg: plan.legs[leg].quantity for leg in wanted if leg in plan.legs}
    if source is None or found != wanted:
        way.why = _other_remainder(way, plan, wanted, found)
        return
    way.plan, way.source, way.spent = plan, source.id, False


def _preparing(ctx: Context, way: Walk) -> Acting[ExecPlan] | None:
    """As the plan before was prepared; None: it cannot be."""
    kind, position_id = way.work.plan.kind, way.plan.position_id
    if kind == "exit" and position_id is not None:
        return exit_prepare.body(ctx, ExitOrder(position_id=position_id))
    inputs = ctx.prepared.get(way.plan.exec_plan_id)
    return None if inputs is None else adjustment_prepare.body(ctx, inputs)


def _other_remainder(
    way: Walk, plan: ExecPlan, wanted: Mapping[str, Decimal], found: Mapping[str, Decimal]
) -> StepError:
    said = ", ".join(f"{leg} {found.get(leg, 'nothing')} for {quantity}" for leg, quantity in wanted.items())
    return StepError(
        "not_filled",
        f"exec plan {plan.exec_plan_id} was to trade the remainder of group {way.group.id} and plans {said}",
        {"group": way.group.id, "exec_plan_id": plan.exec_plan_id},
    )
