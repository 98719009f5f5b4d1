"""A playbook's shape, taken from the tree with tolerance: steps, clauses, where each stands. For the lint, which must work
on playbooks that are half wrong; what does not have its shape is left out here and found by structure.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mesoflow.playbook.tree import Mapping, Node, Scalar, Sequence, Source

Slot = Literal["steps", "body", "rescue", "last", "always"]


@dataclass(eq=False, slots=True)
class ClauseOutline:
    """One rescue clause. `errors` empty and `any` false: the clause has no readable errors."""

    node: Mapping
    number: int
    any: bool
    errors: list[Scalar]
    steps: list[StepOutline]
    stop: str | None


@dataclass(eq=False, slots=True)
class StepOutline:
    """One step and where it stands: `parent` and `slot` say in whose body or clause, `clause` in which."""

    node: Mapping
    id: str
    id_node: Scalar | None
    action: str | None
    parent: StepOutline | None
    slot: Slot
    clause: int
    order: int
    steps: list[StepOutline] = field(default_factory=list)
    clauses: list[ClauseOutline] = field(default_factory=list)

    @property
    def label(self) -> str:
        """As findings name it."""
        kind = self.action or ("group" if "steps" in self.node.entries else "")
        return f'step "{self.id}" ({kind})' if kind else f'step "{self.id}"'

    @property
    def inputs(self) -> Mapping | None:
        """What stands under `with`."""
        node = self.node.get("with")
        return node if isinstance(node, Mapping) else None

    @property
    def when(self) -> Scalar | None:
        """The condition."""
        node = self.node.get("when")
        return node if isinstance(node, Scalar) else None

    @property
    def for_each(self) -> Mapping | None:
        """The loop."""
        node = self.node.get("for_each")
        return node if isinstance(node, Mapping) else None

    @property
    def goes_on(self) -> list[ClauseOutline]:
        """The clauses after which the playbook goes on although this step failed."""
        return [clause for clause in self.clauses if clause.stop is None]

    def line(self) -> int:
        """1-based."""
        return self.node.line + 1

    def ancestors(self) -> Iterator[StepOutline]:
        """Itself, then whose body or clause it stands in, and so on."""
        step: StepOutline | None = self
        while step is not None:
            yield step
            step = step.parent


@dataclass(slots=True)
class Outline:
    """The whole playbook. `ids` holds the first step of each id."""

    source: Source
    root: Mapping
    steps: list[StepOutline] = field(default_factory=list)
    last: list[ClauseOutline] = field(default_factory=list)
    always: list[StepOutline] = field(default_factory=list)
    every: list[StepOutline] = field(default_factory=list)
    ids: dict[str, StepOutline] = field(default_factory=dict)

    def section(self, key: str) -> Mapping:
        """A map at the top, empty if it is not there or no map."""
        node = self.root.get(key)
        if isinstance(node, Mapping):
            return node
        place = node or self.root
        return Mapping(self.source, place.line, place.column, place.line, place.column, {})


def outline(source: Source, root: Mapping) -> Outline:
    """The shape of a document."""
    shape = Outline(source, root)
    shape.steps = _steps(shape, root.get("steps"), None, "steps", 0)
    shape.last = _clauses(shape, root.get("rescue"), None)
    shape.always = _steps(shape, root.get("always"), None, "always", 0)
    return shape


def _steps(
    shape: Outline, node: Node | None, parent: StepOutline | None, slot: Slot, clause: int
) -> list[StepOutline]:
    items = node.items if isinstance(node, Sequence) else []
    return [_step(shape, item, parent, slot, clause) for item in items if isinstance(item, Mapping)]


def _step(shape: Outline, node: Mapping, parent: StepOutline | None, slot: Slot, clause: int) -> StepOutline:
    action, written = _text(node.get("action")), node.get("id")
    named = written if isinstance(written, Scalar) and isinstance(written.value, str) else None
    name = str(named.value) if named else default_id(action)
    step = StepOutline(node, name, named, action, parent, slot, clause, len(shape.every))
    shape.every.append(step)
    if name:
        shape.ids.setdefault(name, step)
    step.steps = _steps(shape, node.get("steps"), step, "body", 0)
    step.clauses = _clauses(shape, node.get("rescue"), step)
    return step


def _clauses(shape: Outline, node: Node | None, parent: StepOutline | None) -> list[ClauseOutline]:
    items = node.items if isinstance(node, Sequence) else []
    slot: Slot = "last" if parent is None else "rescue"
    found = []
    for number, item in enumerate(items, 1):
        if isinstance(item, Mapping):
            errors = item.get("errors")
            codes = (
                [code for code in errors.items if isinstance(code, Scalar)]
                if isinstance(errors, Sequence)
                else []
            )
            steps = _steps(shape, item.get("steps"), parent, slot, number)
            found.append(
                ClauseOutline(item, number, _text(errors) == "any", codes, steps, _text(item.get("stop")))
            )
    return found


def _text(node: Node | None) -> str | None:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def default_id(action: str | None) -> str:
    """The id of a step that has none: the last word of its action."""
    return (action or "").rsplit(".", 1)[-1]
