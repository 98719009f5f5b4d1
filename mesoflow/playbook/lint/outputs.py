"""What a step gives, by its action's output model: for findings about fields that there are not."""

from __future__ import annotations

from dataclasses import dataclass

from mesoflow.playbook.language import Language, Type
from mesoflow.playbook.later import NOT_YET
from mesoflow.playbook.outline import StepOutline
from mesoflow.playbook.tree import Mapping, Path

LOOP = ("results", "failed")


@dataclass(frozen=True, slots=True)
class NoSuch:
    """The part of a path that does not exist, and what there is instead. `of` says of what."""

    index: int
    known: tuple[str, ...]
    of: str


def no_such_output(step: StepOutline, path: Path, language: Language) -> NoSuch | None:
    """Follow `steps.ID.a.b` into what the step gives; None if it is there, or if nobody can know."""
    if len(path) < 3:
        return None
    if any(key in step.node.entries for key in NOT_YET["Step"]):
        return None
    if step.for_each is not None:
        return None if path[2] in LOOP else NoSuch(2, LOOP, "a loop")
    declared = step.node.get("outputs")
    if declared is not None:
        names = tuple(declared.entries) if isinstance(declared, Mapping) else ()
        return None if path[2] in names else NoSuch(2, names, "its `outputs`")
    if step.action is None:
        return NoSuch(2, (), "a group without `outputs`")
    if step.action == "set":
        names = tuple(step.inputs.entries) if step.inputs is not None else ()
        return None if path[2] in names else NoSuch(2, names, "set")
    action = language.actions.get(step.action)
    if action is None or action.outputs == "any":
        return None
    if action.outputs is None:
        return NoSuch(2, (), step.action)
    return _follow(action.outputs, path, step.action, language)


def _follow(kind: Type, path: Path, of: str, language: Language) -> NoSuch | None:
    for index in range(2, len(path)):
        part = path[index]
        if isinstance(kind, dict):
            if "list" in kind and not isinstance(part, int):
                return NoSuch(index, (), "a list")
            kind = kind.get("map", kind.get("list"))
        elif kind in language.types:
            fields = language.types[kind]
            if part not in fields:
                return NoSuch(index, tuple(fields), of if index == 2 else str(kind))
            kind = fields[str(part)]
        elif kind == "any":
            return None
        else:
            return NoSuch(index, (), "a single value")
    return None
