"""Where a step gets what another one made: `exec_plan: "{{ steps.plan }}"` comes from the step "plan"."""

from __future__ import annotations

from mesoflow.expressions.access import DOTTED
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Scalar


def source_of(step: StepOutline, key: str, shape: Outline) -> StepOutline | None:
    """The step whose whole result is given as an input; None where that cannot be seen."""
    node = step.inputs.get(key) if step.inputs is not None else None
    match = DOTTED.fullmatch(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else None
    if match is None:
        return None
    parts = match[1].split(".")
    return shape.ids.get(parts[1]) if parts[0] == "steps" else None
