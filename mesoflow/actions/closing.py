"""What the engine does with orders of `orders.send` that no `fills.wait` has taken, however the run ends: take them back,
confirm them, count what filled, compare. What filled is a hold (EXECUTION.md §3).

The engine runs this in a shield, once steps and rescue are over and before `always`.
"""

from __future__ import annotations

from mesoflow.actions.base import Acting
from mesoflow.actions.groups import Desk, traded
from mesoflow.actions.hub import below
from mesoflow.actions.incomplete import compared_with_hub, hold
from mesoflow.actions.sending import take_all_back
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError


def close_orders(ctx: Context) -> Acting[StepError | None]:
    """Close every exec plan that is still open; gives the first error that this comes to, None: nothing filled."""
    first: StepError | None = None
    for plan_id, desk in list(ctx.open_orders.items()):
        ctx.open_orders.pop(plan_id)
        if not isinstance(desk, Desk):
            continue  # booked on paper: it was compared when it was booked
        error: StepError | None = yield from below(f"plan-{plan_id}", _closed(ctx, desk))
        first = first or error
    return first


def _closed(ctx: Context, desk: Desk) -> Acting[StepError | None]:
    yield from take_all_back(ctx, desk)
    told = traded(desk)
    compared = yield from compared_with_hub(ctx, desk, told)
    if not desk.filled:
        return None
    return (
        yield from hold(
            ctx, desk, compared, StepError("incomplete", "the run ended before anybody waited for it")
        )
    )
