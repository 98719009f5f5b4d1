"""A YAML document as values that know their place: every value and every key keeps its line and column.

What a playbook is made of before anything about playbooks is known. load.py builds it, everything else reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mesoflow.findings import Place

Path: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Source:
    """One file: its name as the user gave it, and its text."""

    file: str
    text: str
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")

    def line(self, number: int) -> str:
        """A line by its 1-based number; empty beyond the end."""
        return self.lines[number - 1].rstrip("\r") if 0 < number <= len(self.lines) else ""


@dataclass(slots=True)
class Node:
    """A value with its place: 0-based line and column of its first and behind its last character, as YAML marks them."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def place(self, within: str = "") -> Place:
        """The place of the whole value; what runs over several lines is underlined to the end of its first."""
        end = self.end_column if self.end_line == self.line else len(self.source.line(self.line + 1))
        return Place(self.source.file, self.line + 1, self.column + 1, max(end - self.column, 1), within)


@dataclass(slots=True)
class Scalar(Node):
    """null, true, false, a number (int or Decimal) or text. `style` is '"', "'", "|", ">" or "" for plain."""

    value: Any
    style: str

    def place_at(self, offset: int, length: int, within: str = "") -> Place:
        """The place of a part of a text, by its offset in the value."""
        start = self.column + (1 if self.style in ("'", '"') else 0)
        text = str(self.value)
        if self.line == self.end_line and self.source.line(self.line + 1)[start : start + len(text)] == text:
            return Place(self.source.file, self.line + 1, start + offset + 1, max(length, 1), within)
        return self._search(text, offset, length, within)

    def _search(self, text: str, offset: int, length: int, within: str) -> Place:
        """Folded, literal and escaped texts: find the same words, by their how-manieth occurrence, in the lines."""
        wanted = text[offset : offset + max(length, 1)].split("\n")[0]
        nth = text[:offset].count(wanted) if wanted else 0
        for number in range(self.line + 1, self.end_line + 2):
            line = self.source.line(number)
            at = -1
            while wanted and (at := line.find(wanted, at + 1)) >= 0:
                if nth == 0 and (number > self.line + 1 or at >= self.column):
                    return Place(self.source.file, number, at + 1, len(wanted), within)
                nth -= 1
        return self.place(within)


@dataclass(slots=True)
class Sequence(Node):
    """A list."""

    items: list[Node]


@dataclass(slots=True)
class Mapping(Node):
    """A map; keys are text, in the order in which they are written."""

    entries: dict[str, tuple[Scalar, Node]]

    def get(self, key: str) -> Node | None:
        """The value of a key, None without it."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar | None:
        """The key itself, None without it."""
        entry = self.entries.get(key)
        return entry[0] if entry else None


def to_value(node: Node | None) -> Any:  # noqa: ANN401 - the values of YAML have no common type
    """The plain value of a node."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [to_value(item) for item in node.items]
        case Mapping():
            return {key: to_value(value) for key, (_, value) in node.entries.items()}
    return None


def follow(node: Node, path: Path) -> tuple[Node, Scalar | None]:
    """The node at a path and the key that leads to it. Parts of the path that are not in the document are skipped.

    A model's errors name union members and validators among the keys; they are in no document.
    """
    key: Scalar | None = None
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            key, node = node.entries[part]
        elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
            key, node = None, node.items[part]
    return node, key


def texts(node: Node | None) -> Iterator[Scalar]:
    """Every text in a node, at any depth, in the order of the document."""
    match node:
        case Scalar() if isinstance(node.value, str):
            yield node
        case Sequence():
            for item in node.items:
                yield from texts(item)
        case Mapping():
            for _, value in node.entries.values():
                yield from texts(value)
