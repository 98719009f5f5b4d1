"""JSON with places: the same tree as load.py's, from a file whose reader takes JSON only. One finding, never a traceback.

A reader of its own, because YAML is no superset of what JSON files hold (keys of more than 1,024 characters, pairs of
surrogates, tabs) and takes more (NaN, comments, single quotes). It has a stack of its own: deep nesting is a finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # typeshed leaves it out
from pathlib import Path
from typing import Any, NoReturn

from mesoflow.findings import Finding, Place
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.load import DEPTH_MAX, DIGITS_MAX, NODES_MAX, Loaded, decoded
from mesoflow.playbook.tree import Mapping, Node, Scalar, Sequence, Source

# What the API takes of a definition.
BYTES_MAX = 2 * 1024 * 1024

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_0-9.+-]+")
# One of a pair of surrogates; no text that is printed or sent can hold it.
_HALF = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None}


class _Refused(Exception):
    def __init__(self, finding: Finding) -> None:
        self.finding = finding


def read_json(path: Path, shown_as: str) -> Loaded:
    """Read and load a file."""
    text = decoded(path, shown_as, BYTES_MAX, "strategy definition")
    return text if isinstance(text, Loaded) else load_json(text, shown_as)


def load_json(text: str, shown_as: str) -> Loaded:
    """Load a text."""
    source = Source(shown_as, text)
    try:
        return Loaded(source, _Reader(source).read())
    except _Refused as refused:
        return Loaded(source, finding=refused.finding)


@dataclass(slots=True)
class _Open:
    """A list or map that is being read, and the key whose value comes next."""

    node: Sequence | Mapping
    key: Scalar | None = None


@dataclass(slots=True)
class _Reader:
    source: Source
    at: int = 0
    # The line of `marked`, the last offset that was asked for: places are asked for in the order of the text.
    line: int = 0
    line_start: int = 0
    marked: int = 0
    count: int = 0
    stack: list[_Open] = field(default_factory=list)

    def read(self) -> Node:
        self._space()
        if self.at == len(self.source.text):
            self._refuse(Code.FILE_EMPTY, "this file is empty")
        node = self._value()
        while self.stack:
            node = self._next()
        self._space()
        if self.at < len(self.source.text):
            self._refuse(Code.FILE_NOT_JSON, "this file is not JSON: something stands behind its end")
        return node

    def _next(self) -> Node:
        """One step within the innermost list or map: a key, a value, or its end. What was read last is answered."""
        held = self.stack[-1].node
        closing = "]" if isinstance(held, Sequence) else "}"
        empty = not (held.items if isinstance(held, Sequence) else held.entries)
        self._space()
        character = self._character()
        if character == closing:
            self.at += 1
            held.end_line, held.end_column = self._mark(self.at)
            self.stack.pop()
            return held
        if not empty:
            self._expect(",", f"`,` or `{closing}`")
            self._space()
        if isinstance(held, Mapping):
            self._key(held)
        return self._value()

    def _key(self, mapping: Mapping) -> None:
        if self._character() != '"':
            self._not_json("a key in double quotes")
        key = self._text()
        before = mapping.key(key.value)
        if before is not None:
            related = ((before.place(), "it is here already"),)
            help = "one of the two would win silently; remove one"
            summary = f"the key `{key.value}` is written twice"
            raise _Refused(Finding(Code.FILE_REPEATED_KEY, summary, key.place(), related=related, help=help))
        self._space()
        self._expect(":", "`:`")
        self._space()
        self.stack[-1].key = key

    def _value(self) -> Node:
        self.count += 1
        if self.count > NODES_MAX:
            self._refuse(Code.FILE_BOUNDS, f"more than {NODES_MAX:,} values")
        character = self._character()
        if character in ("{", "["):
            return self._add(self._opened(character))
        return self._add(self._text() if character == '"' else self._plain())

    def _add(self, node: Node) -> Node:
        """Into what holds it; a list or map is then open itself."""
        is_open = isinstance(node, Sequence | Mapping)
        holder = self.stack[-1] if self.stack else None
        if holder is not None and isinstance(holder.node, Sequence):
            holder.node.items.append(node)
        elif holder is not None and isinstance(holder.node, Mapping):
            assert holder.key is not None
            holder.node.entries[str(holder.key.value)] = (holder.key, node)
            holder.key = None
        if is_open:
            assert isinstance(node, Sequence | Mapping)
            self.stack.append(_Open(node))
        return node

    def _opened(self, character: str) -> Node:
        if len(self.stack) >= DEPTH_MAX:
            self._refuse(Code.FILE_BOUNDS, f"nested more than {DEPTH_MAX} deep")
        line, column = self._mark(self.at)
        self.at += 1
        marks = (self.source, line, column, line, column + 1)
        return Mapping(*marks, {}) if character == "{" else Sequence(*marks, [])

    def _text(self) -> Scalar:
        start = self._mark(self.at)
        try:
            value, self.at = scanstring(self.source.text, self.at + 1, True)
        except JSONDecodeError as error:
            self.at = error.pos
            self._refuse(
                Code.FILE_NOT_JSON, f"this file is not JSON: {error.msg.lower().removesuffix(' at')}"
            )
        if _HALF.search(value):
            self._refuse(Code.FILE_NOT_JSON, "this file is not JSON: half of a character in a text")
        return Scalar(self.source, *start, *self._mark(self.at), value, '"')

    def _plain(self) -> Scalar:
        start = self._mark(self.at)
        number = _NUMBER.match(self.source.text, self.at)
        word = _WORD.match(self.source.text, self.at)
        value: Any
        if word is None:
            self._not_json("a value")
        if number is not None and number.end() == word.end():
            value = self._number(number)
        elif word[0] in _WORDS:
            value = _WORDS[word[0]]
        else:
            self._not_json("a value")
        self.at = word.end()
        return Scalar(self.source, *start, *self._mark(self.at), value, "")

    def _number(self, found: re.Match[str]) -> int | Decimal:
        text = found[0]
        # Decimal takes no exponent of more digits.
        if len(text) > DIGITS_MAX or len(found[2] or "") > 5 or abs(Decimal(text).adjusted()) > DIGITS_MAX:
            self._refuse(Code.FILE_NUMBER, f"a number of more than {DIGITS_MAX} digits")
        return Decimal(text) if found[1] or found[2] else int(text)

    # --- characters

    def _space(self) -> None:
        found = _SPACE.match(self.source.text, self.at)
        self.at = found.end() if found else self.at

    def _character(self) -> str:
        return self.source.text[self.at : self.at + 1]

    def _expect(self, character: str, words: str) -> None:
        if self._character() != character:
            self._not_json(words)
        self.at += 1

    def _found(self) -> str:
        word = _WORD.match(self.source.text, self.at)
        shown = word[0][:40] if word else self._character()
        return f"not {shown}" if shown else "and the file ends"

    def _mark(self, offset: int) -> tuple[int, int]:
        text = self.source.text
        if offset < self.marked:
            self.line = self.line_start = self.marked = 0
        lines = text.count("\n", self.marked, offset)
        if lines:
            self.line += lines
            self.line_start = text.rfind("\n", 0, offset) + 1
        self.marked = offset
        return self.line, offset - self.line_start

    def _not_json(self, wanted: str) -> NoReturn:
        self._refuse(Code.FILE_NOT_JSON, f"this file is not JSON: {wanted} is wanted, {self._found()}")

    def _refuse(self, code: Code, summary: str) -> NoReturn:
        line, column = self._mark(self.at)
        raise _Refused(Finding(code, summary, Place(self.source.file, line + 1, column + 1)))
