"""A definition's parts by role: expirations, legs, operations of adjustments; whatever of them has the right shape.

Nothing here judges: what has another shape is fields.py's finding, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mesoflow.hubs.script import OPERATIONS
from mesoflow.playbook.tree import Mapping, Node, Scalar, Sequence

# Keys of adjustments are whole conditions; a path needs to say which one is meant.
_KEY_SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class Named:
    """An expiration or a leg."""

    path: str
    node: Mapping

    @property
    def name(self) -> str:
        """Its Name; empty where there is none."""
        return text_of(self.node, "Name")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an adjustment."""

    kind: str
    path: str
    node: Mapping

    @property
    def legs(self) -> list[Named]:
        """Those that it adds."""
        return named(self.node.get("Legs"), f"{self.path}.Legs")

    @property
    def expirations(self) -> list[Named]:
        """Aliases of its own."""
        return named(self.node.get("Expirations"), f"{self.path}.Expirations")


@dataclass(frozen=True, slots=True)
class Conditional:
    """A key of the adjustments, and what is done when it is true."""

    path: str
    key: Scalar
    node: Node
    operations: list[Operation]


@dataclass(slots=True)
class Outline:
    """The whole."""

    root: Mapping
    structure: Mapping | None = field(init=False)
    entry: Mapping | None = field(init=False)
    exit: Mapping | None = field(init=False)
    expirations: list[Named] = field(init=False)
    legs: list[Named] = field(init=False)
    conditionals: list[Conditional] = field(init=False)

    def __post_init__(self) -> None:
        self.structure, self.entry, self.exit = (
            map_of(self.root.get(key)) for key in ("Structure", "Entry", "Exit")
        )
        self.expirations = named(under(self.structure, "Expirations"), "Structure.Expirations")
        self.legs = named(under(self.structure, "Legs"), "Structure.Legs")
        self.conditionals = list(self._conditionals())

    def _conditionals(self) -> Iterator[Conditional]:
        path = "Adjustment.ConditionalAdjustments"
        keys = map_of(under(map_of(self.root.get("Adjustment")), "ConditionalAdjustments"))
        for text, (key, node) in keys.entries.items() if keys is not None else ():
            here = joined(path, text)
            yield Conditional(here, key, node, list(_operations(node, here)))

    @property
    def operations(self) -> list[Operation]:
        """Of all adjustments."""
        return [one for conditional in self.conditionals for one in conditional.operations]


def _operations(node: Node, path: str) -> Iterator[Operation]:
    for kind in OPERATIONS:
        found = map_of(under(map_of(node), f"{kind}Adjustment"))
        if found is not None:
            yield Operation(kind, f"{path}.{kind}Adjustment", found)


def joined(path: str, part: str | int) -> str:
    """A path with one part more: `Structure.Legs[0].Qty`, `Adjustment.ConditionalAdjustments[pos_delta > 5]`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    if path.endswith("ConditionalAdjustments"):
        return f"{path}[{part if len(part) <= _KEY_SHOWN_MAX else part[: _KEY_SHOWN_MAX - 1] + '…'}]"
    return f"{path}.{part}" if path else part


def map_of(node: Node | None) -> Mapping | None:
    """The node, if it is a map."""
    return node if isinstance(node, Mapping) else None


def items_of(node: Node | None) -> list[Node]:
    """The items of a list; of anything else none."""
    return node.items if isinstance(node, Sequence) else []


def under(node: Mapping | None, key: str) -> Node | None:
    """What stands under a key; None without it, and where null or a blank text stands there."""
    found = node.get(key) if node is not None else None
    if isinstance(found, Scalar) and (found.value is None or found.value == "" or is_blank(found)):
        return None
    return found


def is_blank(node: Scalar) -> bool:
    """Whether it is a text without a word."""
    return isinstance(node.value, str) and not node.value.strip()


def text_of(node: Mapping | None, key: str) -> str:
    """The text under a key; empty without one."""
    found = under(node, key)
    return found.value if isinstance(found, Scalar) and isinstance(found.value, str) else ""


def named(node: Node | None, path: str) -> list[Named]:
    """The maps of a list, with their paths."""
    return [
        Named(f"{path}[{index}]", item)
        for index, item in enumerate(items_of(node))
        if isinstance(item, Mapping)
    ]
