"""Findings about what MesoLive ignores, treats differently, or does not support, of what a definition sets.

What is ignored and what differs is in every definition that was also tested back: one finding each, with a line a part. What
is not supported may be what the author relies on: a finding each. A part that is empty, or says what MesoLive does anyway,
is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesoflow.findings import Finding, Place
from mesoflow.playbook.definition.facts import Facts
from mesoflow.playbook.definition.outline import joined
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import Node, Scalar, Sequence

# More parts of one kind are told as a number.
PARTS_MAX = 40
_WHAT = {
    "ignored": (
        Code.LIVE_IGNORES,
        "MesoLive ignores {} of this definition",
        "what they say has to be said in the playbook, or is not needed",
    ),
    "different": (
        Code.LIVE_DIFFERS,
        "MesoLive treats {} of this definition differently",
        "make sure that the strategy is meant so",
    ),
}


@dataclass(frozen=True, slots=True)
class _Part:
    path: str
    place: Place
    support: str
    note: str

    @property
    def line(self) -> str:
        return f"{self.path}: {self.note}"


def live(root: MappingNode, facts: Facts) -> Iterator[Finding]:
    """All of them."""
    parts = list(_parts(facts.schema, root, "", facts))
    for support, (code, does, help) in _WHAT.items():
        found = [part for part in parts if part.support == support]
        if found:
            count = "1 part" if len(found) == 1 else f"{len(found)} parts"
            related = tuple((part.place, part.line) for part in found[:PARTS_MAX])
            yield Finding(code, does.format(count), found[0].place, "warning", (), related, help)
    for part in parts:
        if part.support == "not supported":
            name = part.path.rpartition(".")[2]
            summary = f"MesoLive does not support `{name}`: {part.note}"
            yield Finding(Code.LIVE_REFUSES, summary, part.place, "warning", help=_HELP.get(name, _NOTHING))


_NOTHING = "MesoLive does as if it were not there"
_HELP = {
    "MaxAdjustmentCount": "count in a variable (UpdateVarsAdjustment) and let conditions read it",
    "VarDefines": "compute them in a condition of Exit, or in the playbook",
    "ExpirationSelectionConstraint": "keep aliases apart by their DTE, Min, Max and Roots",
}


def _parts(schema: Mapping[str, Any], node: Node, path: str, facts: Facts) -> Iterator[_Part]:
    schema = facts.resolved(schema)
    if isinstance(node, Sequence) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(node.items):
            yield from _parts(schema["items"], item, joined(path, index), facts)
    if not isinstance(node, MappingNode):
        return
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for key, (own, value) in node.entries.items():
        below = known.get(key, others)
        if not isinstance(below, Mapping) or _is_empty(value):
            continue
        here = joined(path, key)
        said = below.get("x-mesolive", {})
        if said.get("note"):
            if not (isinstance(value, Scalar) and value.value in said.get("harmless", ())):
                yield _Part(here, own.place(f"in {here}"), said["support"], said["note"])
        else:
            yield from _parts(below, value, here, facts)


def _is_empty(node: Node) -> bool:
    match node:
        case Scalar():
            return node.value is None or node.value == ""
        case Sequence():
            return not node.items
        case MappingNode():
            return not node.entries
    return False
