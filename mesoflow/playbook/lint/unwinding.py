"""Findings about `if_incomplete: {unwind: …}`: it trades back what filled of an entry.

On an exit or an adjustment it would close what was there before. orders.work refuses that when it runs; here it is seen
earlier, where the plan's own step is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.findings import Finding
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.sources import source_of
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping

_ELSEWHERE = {"exit.prepare": "an exit", "adjustment.prepare": "an adjustment"}


def unwinding(shape: Outline) -> Iterator[Finding]:
    """All of them."""
    for step in shape.every:
        wish = step.inputs.get("if_incomplete") if step.inputs is not None else None
        key = wish.key("unwind") if isinstance(wish, Mapping) else None
        planner = _planner(step, shape)
        what = _ELSEWHERE.get(planner.action or "") if planner is not None else None
        if key is not None and planner is not None and what is not None:
            yield Finding(
                Code.UNWIND_ELSEWHERE,
                f"`unwind` is for entries, and this trades {what}: it would close what was there before",
                key.place(step.label),
                related=((planner.node.place(), f'step "{planner.id}" plans {what}'),),
                help="if_incomplete: hold",
            )


def _planner(step: StepOutline, shape: Outline) -> StepOutline | None:
    """The step that prepared what is traded; a wait's orders have been sent by another one."""
    sender = source_of(step, "orders", shape) if step.action == "fills.wait" else step
    return None if sender is None else source_of(sender, "exec_plan", shape)
