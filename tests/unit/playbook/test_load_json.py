"""JSON with places: what it reads, and that it reads what Python's own reader reads."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.load_json import load_json, read_json
from mesoflow.playbook.tree import Mapping, Scalar, to_value

TEXT = '{\n\t"a": [1, -2.50, "x\\ny"],\n  "b": {"c": null, "d": true}\n}\n'


def test_every_value_and_every_key_knows_its_place() -> None:
    root = load_json(TEXT, "x.json").root
    assert isinstance(root, Mapping)
    assert to_value(root) == {"a": [1, Decimal("-2.50"), "x\ny"], "b": {"c": None, "d": True}}
    key, value = root.entries["b"]
    assert (key.place().line, key.place().column, key.place().width) == (3, 3, 3)
    assert (value.place().line, value.place().column, value.place().width) == (3, 8, 22)
    inner = root.get("b")
    assert isinstance(inner, Mapping)
    last = inner.get("d")
    assert isinstance(last, Scalar)
    assert (last.place().line, last.place().column, last.place().width) == (3, 25, 4)
    assert (root.line, root.column, root.end_line, root.end_column) == (0, 0, 3, 1)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", Code.FILE_EMPTY, 1, 1),
        (" \n", Code.FILE_EMPTY, 2, 1),
        ("{", Code.FILE_NOT_JSON, 1, 2),
        ("[1 2]", Code.FILE_NOT_JSON, 1, 4),
        ("[1,]", Code.FILE_NOT_JSON, 1, 4),
        ('{"a" 1}', Code.FILE_NOT_JSON, 1, 6),
        ('{"a": 1, "a": 2}', Code.FILE_REPEATED_KEY, 1, 10),
        ("{1: 2}", Code.FILE_NOT_JSON, 1, 2),
        ("[NaN]", Code.FILE_NOT_JSON, 1, 2),
        ("[Infinity]", Code.FILE_NOT_JSON, 1, 2),
        ("[-Infinity]", Code.FILE_NOT_JSON, 1, 2),
        ("[01]", Code.FILE_NOT_JSON, 1, 2),
        ("[1.]", Code.FILE_NOT_JSON, 1, 2),
        ("[+1]", Code.FILE_NOT_JSON, 1, 2),
        ("[TRUE]", Code.FILE_NOT_JSON, 1, 2),
        ('["a\nb"]', Code.FILE_NOT_JSON, 1, 4),
        ('["\\x"]', Code.FILE_NOT_JSON, 1, 3),
        ('["\\ud800"]', Code.FILE_NOT_JSON, 1, 10),
        ("[1e9999999999999999999]", Code.FILE_NUMBER, 1, 2),
        ("[" + "1" * 31 + "]", Code.FILE_NUMBER, 1, 2),
        ("[" * 65 + "]" * 65, Code.FILE_BOUNDS, 1, 65),
        ("{} {}", Code.FILE_NOT_JSON, 1, 4),
        ("[" * 1_000_000, Code.FILE_BOUNDS, 1, 65),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_what_is_no_json_is_one_finding_with_its_place(text: str, code: Code, line: int, column: int) -> None:
    loaded = load_json(text, "x.json")
    assert loaded.root is None
    assert loaded.finding is not None
    assert (loaded.finding.code, loaded.finding.place.line, loaded.finding.place.column) == (
        code,
        line,
        column,
    )


def test_more_values_than_anyone_reads() -> None:
    finding = load_json("[" + "1," * 200_000 + "1]", "x.json").finding
    assert finding is not None
    assert (finding.code, finding.summary) == (Code.FILE_BOUNDS, "more than 200,000 values")


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b'{"a": "\xff"}')
    found = [read_json(tmp_path / name, name).finding for name in ("none.json", "bytes.json")]
    assert [finding.code if finding else None for finding in found] == [
        Code.FILE_UNREADABLE,
        Code.FILE_NOT_TEXT,
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


@given(VALUES, st.sampled_from((None, 0, 1, "\t")), st.booleans())
def test_it_reads_what_json_reads(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert to_value(load_json(text, "x.json").root) == json.loads(text)
