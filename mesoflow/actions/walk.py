"""One leg group's walk (EXECUTION.md §3). Prices were frozen at decision time; here they only get worse, rung by rung.

    rung n: facts → price → rails → send
            → watch until it is over, or the rung's time is
            → cancel → confirm; a fill that wins the race is a fill
            → remainder = target − Σ filled; 0 → done; `within` over → done with what there is; else rung n + 1

One order is alive at a time: no price follows while the last one's fate is not known. How a walk ended is in its state,
`why` where it was not by filling everything; who decides what that means is incomplete.py.
"""

from __future__ import annotations

from datetime import datetime
from itertools import count

from mesoflow.actions.base import Acting
from mesoflow.actions.hub import shielded
from mesoflow.actions.rungs import send_rung
from mesoflow.actions.sent import Sent, ask_why, follow, take_back
from mesoflow.actions.way import Walk, multiplier_of
from mesoflow.engine.action import Context
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.paths import attempt
from mesoflow.hubs.inferred import means_no_combo


def walk(ctx: Context, way: Walk) -> Acting[None]:
    """From start to worst, until everything filled or `within` is over."""
    for number, stand in enumerate(way.frozen.ladder.stands(), 1):
        way.rungs, way.passed = number, False
        for again in count(1):
            name = attempt(f"rung-{number}", again)
            sent = way.live
            if sent is None:
                sent = yield from send_rung(ctx, way, name, stand.price)
            if sent is None:
                if way.ended(ctx.now):
                    return
                if way.passed:
                    break
                continue
            until = way.until if stand.length is None else min(ctx.now + stand.length, way.until)
            yield from _stand(ctx, sent, name, until)
            yield from ask_why(ctx, sent, name)
            same_price = _after(ctx, way, sent)
            if way.ended(ctx.now):
                return
            if not same_price:
                break


def _stand(ctx: Context, sent: Sent, name: str, until: datetime) -> Acting[None]:
    """The order rests until it is over or `until`, then it is taken back. A cancel from outside takes it back too."""
    try:
        yield from follow(ctx, sent, name, until)
    except Cancelled:
        yield from shielded(take_back(ctx, sent, name))
        raise
    yield from shielded(take_back(ctx, sent, name))


def _after(ctx: Context, way: Walk, sent: Sent) -> bool:
    """What a terminal order means for the walk; true: the same price again, for what a halt or a park took back."""
    way.entered.filled = way.entered.filled or bool(sent.filled)
    if sent.differs is not None:
        guess = sent.differs.guess
        way.why = StepError(
            "rail_refused",
            f"order {sent.order_id} was taken back: {sent.differs}",
            {"rule": "order_differs", "guess": guess, "order_id": sent.order_id},
        )
    elif sent.state == "Rejected":
        way.why = rejected(sent)
    elif not sent.taken_back and sent.state in ("Cancelled", "Expired"):
        if sent.order_id in ctx.withdrawn:
            way.spent = way.spent or _ends_its_plan(ctx, way, sent)
            return True
        way.why = StepError(
            "not_filled",
            f"order {sent.order_id} was {sent.state.lower()}, and not by us; the walk ends there",
            {"order_id": sent.order_id, "state": sent.state},
        )
    way.spent = way.spent or _ends_its_plan(ctx, way, sent)
    return False


def _ends_its_plan(ctx: Context, way: Walk, sent: Sent) -> bool:
    """Only an entry's remainder can be sent of the same plan, as a multiplier; elsewhere a partial fill ends it."""
    return 0 < way.rest < way.group.packages and multiplier_of(ctx, way) is None and bool(sent.filled)


def rejected(sent: Sent) -> StepError:
    """The broker refused an order that the hub had accepted."""
    reason = sent.rejection.get("reason")
    code = "combo_not_supported" if means_no_combo(sent.rejection.get("code"), reason) else "rejected"
    said = f": {reason}" if reason else ""
    return StepError(
        code,
        f"the broker rejected order {sent.order_id}{said}",
        {"order_id": sent.order_id, **sent.rejection},
    )
