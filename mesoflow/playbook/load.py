"""YAML with places: JSON's scalars only, repeated keys refused, everything bounded. One finding, never a traceback.

Built from the parser's events with a stack of its own, so that the bounds hold while reading and a bomb is never unfolded:
an alias counts as all that it stands for. Tags, merge keys and second documents are no part of the language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from mesoflow.findings import Finding, Place
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.tree import Mapping, Node, Scalar, Sequence, Source

# 5,000 steps are about 1 MB; nobody reviews a longer playbook.
BYTES_MAX = 4_000_000
NODES_MAX = 200_000
# The deepest sensible playbook (a rescue in a loop in a rescue) has about 20 levels.
DEPTH_MAX = 64
ALIASES_MAX = 100
DIGITS_MAX = 30

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_WORDS = {"true": True, "false": False, "null": None, "": None}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Refused(Exception):
    def __init__(self, finding: Finding) -> None:
        self.finding = finding


@dataclass(slots=True)
class Loaded:
    """A document, or the one finding that says why there is none. The source is there in any case."""

    source: Source
    root: Node | None = None
    finding: Finding | None = None


def read(path: Path, shown_as: str) -> Loaded:
    """Read and load a file."""
    text = decoded(path, shown_as, BYTES_MAX, "playbook")
    return text if isinstance(text, Loaded) else load(text, shown_as)


def decoded(path: Path, shown_as: str, bytes_max: int, what: str) -> str | Loaded:
    """The text of a file, or the finding that says why there is none."""
    place = Place(shown_as)
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= bytes_max else b""
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Loaded(
            Source(shown_as, ""),
            finding=Finding(Code.FILE_UNREADABLE, f"cannot read this file: {reason}", place),
        )
    if size > bytes_max:
        summary = f"a file of {size:,} bytes is no {what}; the limit is {bytes_max:,}"
        return Loaded(Source(shown_as, ""), finding=Finding(Code.FILE_TOO_LARGE, summary, place))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        summary = f"this file is not UTF-8: byte {data[error.start]:#04x}"
        return Loaded(
            Source(shown_as, ""), finding=Finding(Code.FILE_NOT_TEXT, summary, Place(shown_as, line, column))
        )


def load(text: str, shown_as: str) -> Loaded:
    """Load a text."""
    source = Source(shown_as, text)
    try:
        root = _Builder(source).build()
    except _Refused as refused:
        return Loaded(source, finding=refused.finding)
    except yaml.YAMLError as error:
        return Loaded(source, finding=_not_yaml(source, error))
    if root is None or (isinstance(root, Scalar) and root.value is None):
        help = "a playbook begins with `mesoflow: 1`"
        return Loaded(
            source, finding=Finding(Code.FILE_EMPTY, "this file is empty", Place(shown_as, 1, 1), help=help)
        )
    return Loaded(source, root)


def _not_yaml(source: Source, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        position = getattr(error, "position", 0)
        line = source.text.count("\n", 0, position) + 1
        character = getattr(error, "character", 0)
        shown = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
        summary = f"this file is not YAML: the character {shown:#x} is not allowed"
        return Finding(Code.FILE_NOT_YAML, summary, Place(source.file, line, 1))
    place = Place(source.file, mark.line + 1, mark.column + 1)
    if "\t" in source.line(mark.line + 1)[: mark.column + 1]:
        return Finding(
            Code.FILE_TAB, "a tab; YAML is indented with spaces", place, help="replace the tab by spaces"
        )
    problem = " ".join(
        str(part) for part in (getattr(error, "problem", ""), getattr(error, "context", "")) if part
    )
    return Finding(Code.FILE_NOT_YAML, f"this file is not YAML: {problem}", place)


@dataclass(slots=True)
class _Open:
    """A list or map that is being read."""

    node: Sequence | Mapping
    anchor: str | None
    size: int = 1
    key: Scalar | None = None


@dataclass(slots=True)
class _Builder:
    source: Source
    root: Node | None = None
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    count: int = 0
    aliases: int = 0
    documents: int = 0

    def build(self) -> Node | None:
        loader = _Loader(self.source.text)
        try:
            while loader.check_event():
                self._event(loader.get_event())
        finally:
            loader.dispose()
        return self.root

    def _event(self, event: Any) -> None:  # noqa: ANN401 - PyYAML's events have no common typed base
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._refuse(Code.FILE_DOCUMENTS, "a second document; a playbook is one file", event)
        elif isinstance(event, yaml.ScalarEvent):
            self._no_tag(event)
            self._add(self._scalar(event), 1, event.anchor, event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._no_tag(event)
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)

    def _marks(self, event: Any) -> tuple[Source, int, int, int, int]:  # noqa: ANN401
        start, end = event.start_mark, event.end_mark
        return self.source, start.line, start.column, end.line, end.column

    def _scalar(self, event: Any) -> Scalar:  # noqa: ANN401
        value = event.value
        style = event.style or ""
        if style or self._wants_key():
            return Scalar(*self._marks(event), value, style)
        return Scalar(*self._marks(event), self._plain(value, event), "")

    def _plain(self, text: str, event: Any) -> Any:  # noqa: ANN401
        if text in _WORDS:
            return _WORDS[text]
        if not (text[0] == "-" or text[0].isdigit()):
            return text
        whole = _INTEGER.fullmatch(text)
        if not whole and not _DECIMAL.fullmatch(text):
            return text
        value = int(text) if whole and len(text) <= DIGITS_MAX else Decimal(text)
        if len(text) > DIGITS_MAX or abs(Decimal(value).adjusted()) > DIGITS_MAX:
            self._refuse(Code.FILE_NUMBER, f"a number of more than {DIGITS_MAX} digits", event)
        return value

    def _open(self, event: Any) -> None:  # noqa: ANN401
        if len(self.stack) >= DEPTH_MAX:
            self._refuse(Code.FILE_BOUNDS, f"nested more than {DEPTH_MAX} deep", event)
        if self._wants_key():
            self._refuse(Code.FILE_KEY, "a key is text, not a list or a map", event)
        marks = self._marks(event)
        node = Mapping(*marks, {}) if isinstance(event, yaml.MappingStartEvent) else Sequence(*marks, [])
        self.stack.append(_Open(node, event.anchor))

    def _close(self, event: Any) -> None:  # noqa: ANN401
        done = self.stack.pop()
        done.node.end_line, done.node.end_column = event.end_mark.line, event.end_mark.column
        self._add(done.node, done.size, done.anchor, event)

    def _alias(self, event: Any) -> None:  # noqa: ANN401
        self.aliases += 1
        if self.aliases > ALIASES_MAX:
            self._refuse(Code.FILE_BOUNDS, f"more than {ALIASES_MAX} aliases", event)
        if event.anchor not in self.anchors:
            self._refuse(Code.FILE_NOT_YAML, f"the alias *{event.anchor} has no anchor before it", event)
        node, size = self.anchors[event.anchor]
        if self._wants_key() and not isinstance(node, Scalar):
            self._refuse(Code.FILE_KEY, "a key is text, not a list or a map", event)
        self._add(node, size, None, event)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].node, Mapping) and self.stack[-1].key is None

    def _add(self, node: Node, size: int, anchor: str | None, event: Any) -> None:  # noqa: ANN401
        if anchor is not None:
            self.anchors[anchor] = (node, size)
        if not self.stack:
            self.count += size
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += size
        self.count += 1
        if parent.size > NODES_MAX or self.count > NODES_MAX:
            self._refuse(Code.FILE_BOUNDS, f"more than {NODES_MAX:,} values, aliases unfolded", event)
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is None:
            parent.key = self._new_key(parent.node, node, event)
        else:
            parent.node.entries[str(parent.key.value)] = (parent.key, node)
            parent.key = None

    def _new_key(self, mapping: Mapping, node: Node, event: Any) -> Scalar:  # noqa: ANN401
        assert isinstance(node, Scalar)
        before = mapping.key(str(node.value))
        if before is not None:
            related = ((before.place(), "it is here already"),)
            finding = Finding(
                Code.FILE_REPEATED_KEY, f"the key `{node.value}` is written twice", node.place(), related=related,
                help="one of the two would win silently; remove one",
            )  # fmt: skip
            raise _Refused(finding)
        return node

    def _no_tag(self, event: Any) -> None:  # noqa: ANN401
        # The non-specific tag "!" only says "text"; it comes with every quoted scalar of some writers.
        if event.tag is not None and event.tag != "!":
            self._refuse(Code.FILE_TAG, f"the tag {event.tag} is no part of the language", event)

    def _refuse(self, code: Code, summary: str, event: Any) -> None:  # noqa: ANN401
        mark = event.start_mark
        raise _Refused(Finding(code, summary, Place(self.source.file, mark.line + 1, mark.column + 1)))
