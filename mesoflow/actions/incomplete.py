"""How an exec plan at a broker ends: compared with the hub, then given as an Execution, or, where not everything filled,
as `if_incomplete` says.

    hold      a person is called, the step ends in `incomplete`; until somebody clears it nothing but exits touch the position
    keep      whole packages of the only group stay: the Execution is `part_kept`
    unwind    on entries: what filled is traded back, and the step ends in `not_filled`; what does not come back is a hold

Where nothing filled the step ends in what stopped the walk, `not_filled` where that was its time. In a cancelled scope
nothing is unwound and nothing is held: what filled is the partial result, and a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesoflow.actions.base import Acting
from mesoflow.actions.exits import ExitOrder, exit_prepare
from mesoflow.actions.fills import Compared, Traded, compare, execution
from mesoflow.actions.groups import Desk, decide, traded, work_groups
from mesoflow.actions.hub import below, note, shielded
from mesoflow.actions.ledger import put_on_hold, remember
from mesoflow.actions.values import ExecPlan, Execution
from mesoflow.actions.way import Walk, count_late
from mesoflow.actions.work import IfIncomplete, Unwind, Unwinding, Work
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Tell, Value
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.paths import join


def work_at_broker(ctx: Context, work: Work, if_incomplete: IfIncomplete) -> Acting[Execution]:
    """Walk every group, compare, and end as the step wants it. Cancelled: what filled is the partial result."""
    desk = yield from decide(ctx, work)
    try:
        yield from work_groups(ctx, desk)
    except Cancelled as cancelled:
        if not desk.sent:
            raise
        filled = yield from shielded(partial(ctx, desk))
        raise Cancelled(cancelled.reason, filled) from None
    return (yield from conclude(ctx, desk, if_incomplete))


def conclude(ctx: Context, desk: Desk, if_incomplete: IfIncomplete) -> Acting[Execution]:
    """Compare, and give what filled or end in an error."""
    for way in desk.walks:
        count_late(ctx, way)
    told = traded(desk)
    compared = yield from shielded(compared_with_hub(ctx, desk, told))
    if desk.complete:
        return execution(ctx, desk.work.plan, told, compared)
    if not desk.filled:
        raise _nothing_filled(desk)
    if if_incomplete == "keep" and len(desk.walks) == 1:
        return execution(ctx, desk.work.plan, told, compared)
    try:
        if isinstance(if_incomplete, Unwinding):
            yield from _unwind(ctx, desk, compared, if_incomplete.unwind)
        error = yield from hold(ctx, desk, compared)
    except Cancelled as cancelled:  # what filled has been compared; what came back of it is told beside it
        unwound = {} if cancelled.partial is None else {"unwound": cancelled.partial}
        raise Cancelled(cancelled.reason, {**said(desk, compared), **unwound}) from None
    raise error


def compared_with_hub(ctx: Context, desk: Desk, told: Traded) -> Acting[Compared]:
    """MesoLive's legs and executions against what filled (C21); what traded is remembered."""
    plan = desk.work.plan
    compared = yield from compare(ctx, plan, told)
    if compared.position_id is not None and told.fills:
        remember(ctx, plan.broker_account_id, compared.position_id, plan.exec_plan_id, compared.open_legs)
    return compared


def partial(ctx: Context, desk: Desk) -> Acting[dict[str, Value]]:
    """What a cancelled step leaves behind: its orders are over, and this is what filled."""
    told = traded(desk)
    compared = yield from compared_with_hub(ctx, desk, told)
    return said(desk, compared)


def said(desk: Desk, compared: Compared) -> dict[str, Value]:
    """What filled of what was wanted, for errors and partial results."""
    plan, told = desk.work.plan, traded(desk)
    return {
        "exec_plan_id": plan.exec_plan_id,
        "kind": plan.kind,
        "position_id": compared.position_id,
        "legs": told.fills,
        "groups": [
            {"id": one.group.id, "packages": one.group.packages, "filled": one.filled} for one in told.groups
        ],
        "orders": [order.value() for order in told.orders],
    }


def _nothing_filled(desk: Desk) -> StepError:
    why = desk.why
    if why is not None:
        return why
    plan = desk.work.plan
    groups = ", ".join(f"group {way.group.id} at {_worst_words(way)}" for way in desk.walks if way.orders)
    waits = next((way.waits for way in desk.walks if way.waits is not None), None)
    summary = f"nothing of exec plan {plan.exec_plan_id} filled in time"
    summary += f" (last price: {groups})" if groups else ""
    summary += f"; last: {waits.summary}" if waits is not None else ""
    last: dict[str, Value] = {} if waits is None else {"last": waits.code}
    return StepError("not_filled", summary, {"exec_plan_id": plan.exec_plan_id, **last})


def _worst_words(way: Walk) -> str:
    """The last price of a walk, with its word."""
    worst = way.frozen.ladder.worst
    return f"{abs(worst)} {'credit' if worst < 0 else 'debit'}"


def hold(ctx: Context, desk: Desk, compared: Compared, also: StepError | None = None) -> Acting[StepError]:
    """Call a person, mark the position as held, and give the error to end in."""
    plan, why = desk.work.plan, also or desk.why
    filled = ", ".join(f"group {way.group.id}: {way.filled} of {way.group.packages}" for way in desk.walks)
    summary = f"position {compared.position_id} holds a part of exec plan {plan.exec_plan_id} ({filled})"
    if why is not None:
        summary += f"; {why.summary}"
    held: dict[str, Value] = {
        "hold": {
            "account": plan.broker_account_id,
            "position_id": compared.position_id,
            "exec_plan_id": plan.exec_plan_id,
            "summary": summary,
        }
    }
    yield from note("hold", held)
    if compared.position_id is not None:
        put_on_hold(ctx, compared.position_id, summary)
    yield Tell("page", (), f"position {compared.position_id} is incomplete", summary, "page")
    details = said(desk, compared)
    return StepError("incomplete", summary, {**details, "last": "not_filled" if why is None else why.code})


def _unwind(ctx: Context, desk: Desk, compared: Compared, unwind: Unwind) -> Acting[None]:
    """Trade back what filled of an entry, and end in `not_filled`; returns only where that cannot be."""
    assert compared.position_id is not None, "something filled, so there is a position"
    try:
        order = ExitOrder(position_id=compared.position_id)
        plan: ExecPlan = yield from below("unwind/prepare", exit_prepare.body(ctx, order))
        where = join(desk.work.where, "unwind")
        work = Work(plan, unwind.price, unwind.within, where)
        back: Execution = yield from below("unwind", _all_back(ctx, work))
    except StepError as error:
        raise (yield from hold(ctx, desk, compared, error)) from error
    raise StepError(
        "not_filled",
        f"what filled of exec plan {desk.work.plan.exec_plan_id} was traded back",
        {**said(desk, compared), "unwound": _shown(back)},
    )


def _all_back(ctx: Context, work: Work) -> Acting[Execution]:
    """An unwinding that does not come to its end is no hold of its own: the entry's is."""
    desk = yield from decide(ctx, work)
    try:
        yield from work_groups(ctx, desk)
    except Cancelled as cancelled:
        filled = yield from shielded(partial(ctx, desk))
        raise Cancelled(cancelled.reason, filled) from None
    told = traded(desk)
    compared = yield from shielded(compared_with_hub(ctx, desk, told))
    if desk.complete:
        return execution(ctx, work.plan, told, compared)
    why = desk.why
    raise StepError(
        "not_filled", "unwinding did not fill" + (f": {why.summary}" if why else ""), said(desk, compared)
    )


def _shown(back: Execution) -> Mapping[str, Any]:
    return {"exec_plan_id": back.exec_plan_id, "price": back.price.value(), "cash": back.cash}
