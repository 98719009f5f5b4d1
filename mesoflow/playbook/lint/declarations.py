"""Findings about the declarations of inputs: bounds that do not go with the type, defaults that do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.findings import Finding
from mesoflow.playbook.inputs import NUMBERS, TYPES, typed
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.outline import Outline
from mesoflow.playbook.patterns import bounded
from mesoflow.playbook.tree import Mapping, Node, Scalar, to_value

# Which keys go with which types; the others go with all.
_GOES_WITH = {
    "minimum": NUMBERS,
    "maximum": NUMBERS,
    "pattern": ("string",),
    "items": ("list", "map"),
    "keys": ("map",),
    "one_of": ("string", "integer", "decimal", "date", "duration", "moment", "points", "money"),
}


def declarations(shape: Outline) -> Iterator[Finding]:
    """All of them."""
    for name, (_, node) in shape.section("inputs").entries.items():
        if isinstance(node, Mapping):
            yield from _declaration(name, node)


def _declaration(name: str, node: Mapping) -> Iterator[Finding]:
    kind = to_value(node.get("type"))
    within = f'in input "{name}"'
    for key, kinds in _GOES_WITH.items():
        written = node.key(key)
        if written is not None and kind in TYPES and kind not in kinds:
            yield Finding(
                Code.INPUT_WRONG, f"`{key}` does not go with the type {kind}", written.place(within)
            )
            return
    if "file" in node.entries and "default" in node.entries:
        key_node = node.key("default") or node
        yield Finding(
            Code.INPUT_WRONG, "`default` and `file`: the value comes from one of them", key_node.place(within)
        )
    yield from _values(node, within)


def _values(node: Mapping, within: str) -> Iterator[Finding]:
    declaration = to_value(node)
    pattern, default = node.get("pattern"), node.get("default")
    if isinstance(pattern, Scalar) and isinstance(pattern.value, str):
        wrong = list(_tried(lambda: bounded(pattern.value), pattern, within))
        yield from wrong
        if wrong:
            return
    if default is not None and isinstance(declaration.get("type"), str):
        yield from _tried(lambda: typed(declaration, to_value(default)), default, within)


def _tried(attempt: object, node: Node, within: str) -> Iterator[Finding]:
    try:
        assert callable(attempt)
        attempt()
    except ValueError as error:
        yield Finding(Code.INPUT_WRONG, str(error), node.place(within))
    except (TypeError, KeyError, AttributeError):
        return  # the declaration itself is wrong, and structure.py has said so
