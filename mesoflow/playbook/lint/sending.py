"""Findings about `orders.send`: one price, and a `fills.wait` on every path from there.

A path is followed the way the steps run: those behind the sending one, then those behind its group. What may end the run in
between on purpose (a clause with `stop`, an assert that skips), a condition of its own, and a clause that goes on without
the wait make a path that does not reach it. A step that simply fails makes none: the engine takes back what it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.expressions.analyse import references
from mesoflow.expressions.errors import ExpressionError
from mesoflow.findings import Finding
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping, Node, Scalar

SEND, WAIT = "orders.send", "fills.wait"


def sending(shape: Outline) -> Iterator[Finding]:
    """All of them."""
    for step in shape.every:
        if step.action == SEND:
            yield from _walks(step)
            yield from _awaited(step, shape)
        elif step.action == WAIT:
            yield from _waits_for(step, shape)


def _walks(step: StepOutline) -> Iterator[Finding]:
    price = step.inputs.get("price") if step.inputs is not None else None
    key = price.key("step") if isinstance(price, Mapping) else None
    if key is not None:
        help = "one price is sent; orders.work walks"
        yield Finding(
            Code.PRICE_WALK, "nobody walks the price of orders.send", key.place(step.label), help=help
        )


def _waits_for(step: StepOutline, shape: Outline) -> Iterator[Finding]:
    """It waits for the orders of a step that sends."""
    node = step.inputs.get("orders") if step.inputs is not None else None
    names = _read_steps(node)
    others = [name for name in names if name in shape.ids and shape.ids[name].action != SEND]
    if node is not None and (others or not names):
        senders = [f'"{one.id}" (line {one.line()})' for one in shape.every if one.action == SEND]
        help = (
            f"{{{{ steps.ID }}}} of {' or '.join(senders)}" if senders else "no step here is an orders.send"
        )
        summary = "this step waits for an order that no step sends"
        yield Finding(Code.WAITS_FOR_NOTHING, summary, node.place(step.label), help=help)


def _read_steps(node: Node | None) -> list[str]:
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or "{{" not in node.value:
        return []
    try:
        found = references(node.value)
    except ExpressionError:
        return []
    return [str(one.path[1]) for one in found if len(one.path) > 1 and one.path[0] == "steps"]


# --- paths


def _awaited(step: StepOutline, shape: Outline) -> Iterator[Finding]:
    because = _way_out(step, shape)
    if because is None:
        return
    node, why = because
    action = step.node.get("action") or step.node
    related = ((node.place(), why),) if node is not None else ()
    help = f'wait for it behind this step, on every path: action: {WAIT}, with: {{orders: "{{{{ steps.{step.id} }}}}", within: 5m}}'
    summary = "some path from here does not reach a fills.wait for these orders" + (
        "" if node is not None else f": {why}"
    )
    yield Finding(Code.SENT_NOT_AWAITED, summary, action.place(step.label), help=help, related=related)


def _way_out(sender: StepOutline, shape: Outline) -> tuple[Node | None, str] | None:
    """Where a path leaves without a wait; None: every path reaches one."""
    if sender.for_each is not None:
        return sender.for_each, "each turn sends, and a wait takes the orders of one step"
    level, between = sender, False
    while True:
        for other in _behind(level, shape):
            if _covers(other, sender):
                return _gone_around(sender, level, between)
            leaves = _leaves(other)
            if leaves is not None:
                return leaves
            between = True
        parent = level.parent
        if parent is None:
            return None, "nothing behind it waits"
        leaves = _leaves_from(level, parent)
        if leaves is not None:
            return leaves
        level = parent


def _behind(step: StepOutline, shape: Outline) -> list[StepOutline]:
    same = [
        other
        for other in shape.every
        if other.parent is step.parent and other.slot == step.slot and other.clause == step.clause
    ]
    return [other for other in same if other.order > step.order]


def _covers(step: StepOutline, sender: StepOutline) -> bool:
    """Whether this step waits for the sender's orders whenever the sender has sent."""
    if step.when is not None and not any(
        around.when is not None and around.when.value == step.when.value for around in sender.ancestors()
    ):
        return False
    if step.action == WAIT:
        node = step.inputs.get("orders") if step.inputs is not None else None
        return step.for_each is None and sender.id in _read_steps(node)
    if step.for_each is not None:
        return False
    for inner in step.steps:
        if _covers(inner, sender):
            return True
        if _leaves(inner) is not None:
            return False
    return False


def _leaves(step: StepOutline) -> tuple[Node, str] | None:
    """Where a step may end the run on purpose."""
    for clause in step.clauses:
        if clause.stop is not None:
            return clause.node, "the run may end here"
    skips = step.inputs.get("otherwise") if step.action == "assert" and step.inputs is not None else None
    if isinstance(skips, Scalar) and skips.value == "skip":
        return step.node, "the run may end here"
    inside = [*step.steps, *(inner for clause in step.clauses for inner in clause.steps)]
    return next((found for found in map(_leaves, inside) if found is not None), None)


def _leaves_from(level: StepOutline, parent: StepOutline) -> tuple[Node, str] | None:
    """Out of a group, a loop or a clause, without having waited in it."""
    if parent.for_each is not None and level.slot == "body":
        return parent.for_each, "each turn sends, and the wait stands outside the loop"
    if level.slot == "rescue":
        clause = next(one for one in parent.clauses if one.number == level.clause)
        return (clause.node, "the run ends behind this clause") if clause.stop is not None else None
    return next(((one.node, "the run may end here") for one in parent.clauses if one.stop is not None), None)


def _gone_around(sender: StepOutline, level: StepOutline, between: bool) -> tuple[Node, str] | None:
    """A clause around both that goes on when something between the two fails."""
    around = level.parent if level.slot == "body" else None
    if not between or around is None or not around.clauses:
        return None
    return around.clauses[0].node, "what fails between the two goes on here, without the wait"
