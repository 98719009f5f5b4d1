"""What is known of a step when another one runs: whether it has run, may have run, or cannot be seen from there.

Steps run in the order in which they are written, and every step that is reached and fails ends the run, unless it is
rescued. So an earlier step has run, except for what a `when`, a rescue that goes on, and the borders of loops and clauses
say. What a condition makes sure of is taken from its expression (expressions/analyse.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mesoflow.expressions.analyse import NOTHING, Facts, truths
from mesoflow.playbook.outline import ClauseOutline, StepOutline
from mesoflow.playbook.tree import Node

Verdict = Literal["runs", "maybe", "later", "itself", "hidden", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Reached:
    """The verdict, and for "maybe" and "hidden" the node that says why, in words."""

    verdict: Verdict
    because: Node | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Where an expression stands. `step` None: the playbook's outputs. `part`: which of the step's keys it is in."""

    step: StepOutline | None
    part: str = ""

    def known(self) -> Facts:
        """What the conditions around the reader have made sure of."""
        facts = NOTHING
        for step in self.step.ancestors() if self.step else ():
            own = step is self.step and self.part == "when"
            if step.when is not None and not own and isinstance(step.when.value, str):
                facts |= truths(step.when.value)
        return facts


def reached(target: StepOutline, reader: Reader, known: Facts) -> Reached:
    """Whether `target` has run when `reader` reads it."""
    around = list(reader.step.ancestors()) if reader.step else []
    if target in around:
        own = target is reader.step and reader.part == "outputs"
        return Reached("runs") if own else Reached("itself")
    apart = [step for step in target.ancestors() if step not in around]
    top = apart[-1]
    border = next((step for step in apart[1:] if step.for_each is not None), None)
    if border is not None:
        return Reached("hidden", border.for_each, f'step "{border.id}" is a loop')
    section = _section(top, around, reader)
    if section is not None:
        return section
    if reader.step is not None and _comes_later(top, around, reader):
        return Reached("later")
    return _maybe(target, apart, around, reader, known)


def _section(top: StepOutline, around: list[StepOutline], reader: Reader) -> Reached | None:
    """Across the sections of a playbook: its steps, its rescue, its always."""
    here = around[-1].slot if around else "steps"
    if top.parent is not None or top.slot == here:
        other = top.parent is None and top.slot == "last" and around and around[-1].clause != top.clause
        return Reached("elsewhere") if other else None
    if top.slot in ("last", "always"):
        return Reached("elsewhere")
    return None  # `rescue` and `always` read the steps: all of these may not have run; _maybe says so


def _comes_later(top: StepOutline, around: list[StepOutline], reader: Reader) -> bool:
    here = around[-1].slot
    if top.parent is None and top.slot == "steps" and here in ("last", "always"):
        return False
    sibling = next((step for step in around if step.parent is top.parent), around[-1])
    # A step's own `outputs` come after its body and its clauses.
    if top.parent is reader.step and reader.part == "outputs":
        return False
    return top.order > sibling.order if top.parent is None or sibling.parent is top.parent else False


def _maybe(
    target: StepOutline, apart: list[StepOutline], around: list[StepOutline], reader: Reader, known: Facts
) -> Reached:
    if (target.id, "done") in known:
        return Reached("runs")
    top = apart[-1]
    here = around[-1].slot if around else "steps"
    if top.parent is None and top.slot == "steps" and here in ("last", "always"):
        where = "the playbook's rescue" if here == "last" else "always"
        return Reached("maybe", top.node, f"{where} runs however far the steps have come")
    inside = next((step for step in around if step is top.parent), None)
    if inside is not None:
        in_clause = _clause_between(inside, around)
        after = inside is reader.step and reader.part == "outputs"
        if after and top.slot == "body" and inside.goes_on:
            rescue = inside.node.key("rescue") or inside.node
            return Reached("maybe", rescue, "after these errors the playbook goes on without it")
        if in_clause and top.slot == "body":
            return Reached("maybe", inside.node, f'step "{inside.id}" failed, perhaps before it')
        if top.slot == "rescue" and in_clause != top.clause:
            because = _clause(inside, top.clause)
            if not _only_way(target, inside, known):
                return Reached("maybe", because.node, "it runs only after these errors")
    for step in reversed(apart):
        doubt = _doubt(step, target, apart, around, known)
        if doubt is not None:
            return doubt
    return Reached("runs")


def _clause_between(parent: StepOutline, around: list[StepOutline]) -> int:
    """In which clause of `parent` the reader stands, 0 for its body."""
    child = next((step for step in around if step.parent is parent), None)
    return child.clause if child is not None and child.slot == "rescue" else 0


def _clause(step: StepOutline, number: int) -> ClauseOutline:
    return next(clause for clause in step.clauses if clause.number == number)


def _doubt(
    step: StepOutline, target: StepOutline, apart: list[StepOutline], around: list[StepOutline], known: Facts
) -> Reached | None:
    """Why one step on the way down to the target may not have run, or may have failed and gone on."""
    if (step.id, "done") in known:
        return None
    when = step.when
    if when is not None and when.value is not True and (step.id, "not skipped") not in known:
        same = any(other.when is not None and other.when.value == when.value for other in around)
        if not same:
            key = step.node.key("when") or when
            return Reached("maybe", key, "it runs only if this is true")
    if step.slot == "rescue" and step is not apart[-1] and not _only_way(target, step.parent, known):
        assert step.parent is not None
        return Reached("maybe", _clause(step.parent, step.clause).node, "it runs only after these errors")
    gives_after_rescue = step is target and "outputs" in step.node.entries and step.for_each is None
    inside_clause = any(other.parent is step and other.slot == "rescue" for other in apart)
    if step.goes_on and not gives_after_rescue and not inside_clause:
        rescue = step.node.key("rescue") or step.node
        return Reached("maybe", rescue, "after these errors the playbook goes on without it")
    return None


def _only_way(target: StepOutline, parent: StepOutline | None, known: Facts) -> bool:
    """Whether the one clause that goes on must have run, since a step of the body is known not to be done."""
    if parent is None or len(parent.goes_on) != 1 or target.clause != parent.goes_on[0].number:
        return False
    sure = {step.id for step in parent.steps if step.when is None and not step.goes_on}
    return any(name in sure and state in ("not done", "skipped", "failed") for name, state in known)
