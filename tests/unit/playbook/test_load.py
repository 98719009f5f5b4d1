"""YAML with places: JSON's scalars, every value and key with its line and column, everything bounded, one finding each."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.playbook.load import BYTES_MAX, load, read
from mesoflow.playbook.tree import Mapping, Scalar, Sequence, follow, to_value


def value(text: str) -> object:
    loaded = load(text, "x.yaml")
    assert loaded.finding is None
    return to_value(loaded.root)


def finding(text: str) -> tuple[str, str, int, int]:
    loaded = load(text, "x.yaml")
    assert loaded.finding is not None
    assert loaded.root is None
    place = loaded.finding.place
    return str(loaded.finding.code), loaded.finding.summary, place.line, place.column


def test_scalars_are_those_of_json() -> None:
    written = "[15:45, on, NO, yes, 0777, 0x1F, 1_000, .5, 5., +1, 2025-01-17, ~, .inf, '1', \"true\", <<]"
    assert value(written) == [
        "15:45", "on", "NO", "yes", "0777", "0x1F", "1_000", ".5", "5.", "+1", "2025-01-17", "~", ".inf", "1", "true", "<<",
    ]  # fmt: skip
    assert value("[1, -1, 0, 1.50, -2e3, true, false, null]") == [
        1, -1, 0, Decimal("1.50"), Decimal("-2e3"), True, False, None,
    ]  # fmt: skip
    assert str(value("42.250")) == "42.250"
    assert value("{a: , 1: x, true: y}") == {"a": None, "1": "x", "true": "y"}


def test_every_value_and_key_has_its_place() -> None:
    text = "a:\n  - b: 'x {{ y }}'\n    c: >-\n      folded {{ z }}\n      text\n"
    root = load(text, "x.yaml").root
    assert isinstance(root, Mapping)
    node, key = follow(root, ("a", 0, "b"))
    assert isinstance(node, Scalar)
    assert key is not None
    assert (key.place().line, key.place().column, key.place().width) == (2, 5, 1)
    assert (node.place().line, node.place().column, node.place().width) == (2, 8, 11)
    assert node.place_at(node.value.index("y"), 1).column == 14
    folded, _ = follow(root, ("a", 0, "c"))
    assert isinstance(folded, Scalar)
    place = folded.place_at(folded.value.index("z"), 1)
    assert (place.line, text.split("\n")[place.line - 1][place.column - 1]) == (4, "z")


def test_a_path_with_parts_that_are_not_in_the_document_is_followed() -> None:
    root = load("a: {b: [1, 2]}", "x.yaml").root
    assert root is not None
    assert to_value(follow(root, ("a", "Model", "b", "list[int]", 1, "int"))[0]) == 2


def test_aliases_are_values_and_counted_as_what_they_stand_for() -> None:
    assert value("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}
    assert finding("a: *x")[:2] == ("MF005", "the alias *x has no anchor before it")
    assert finding("a: &x [*x]")[:2] == ("MF005", "the alias *x has no anchor before it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("MF004", "this file is empty", 1, 1)),
        ("# comment\n", ("MF004", "this file is empty", 1, 1)),
        ("a: [1, 2\n", ("MF005", "this file is not YAML: did not find expected ',' or ']' while parsing a flow sequence", 2, 1)),
        ("a:\n\tb: 1\n", ("MF006", "a tab; YAML is indented with spaces", 2, 1)),
        ("a: 1\nb: 2\na: 3\n", ("MF007", "the key `a` is written twice", 3, 1)),
        ("a: {b: 1, b: 1}", ("MF007", "the key `b` is written twice", 1, 11)),
        ("a: 1\n---\nb: 1\n", ("MF009", "a second document; a playbook is one file", 2, 1)),
        ("a: !!python/object:os.system x", ("MF010", "the tag tag:yaml.org,2002:python/object:os.system is no part of the language", 1, 4)),
        ("a: !!float 1", ("MF010", "the tag tag:yaml.org,2002:float is no part of the language", 1, 4)),
        ("? [a]\n: 1", ("MF011", "a key is text, not a list or a map", 1, 3)),
        ("? {a: 1}\n: 1", ("MF011", "a key is text, not a list or a map", 1, 3)),
        ("a: " + "1" * 31, ("MF012", "a number of more than 30 digits", 1, 4)),
        ("a: 1e999", ("MF012", "a number of more than 30 digits", 1, 4)),
        ("a: \x01", ("MF005", "this file is not YAML: the character 0x1 is not allowed", 1, 1)),
        ("a: b: c", ("MF005", "this file is not YAML: mapping values are not allowed in this context", 1, 5)),
        ("a: " + "[" * 100 + "]" * 100, ("MF008", "nested more than 64 deep", 1, 67)),
    ],
)  # fmt: skip
def test_what_is_no_playbook_is_one_finding(text: str, expected: tuple[str, str, int, int]) -> None:
    assert finding(text) == expected


def test_a_hundred_thousand_brackets_end_at_the_parser_s_own_limit() -> None:
    assert finding("[" * 100_000)[0] in ("MF005", "MF008")


def test_an_alias_bomb_is_not_unfolded() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    before = time.perf_counter()
    code, summary, line, _ = finding("\n".join(lines))
    assert (code, summary, line) == ("MF008", "more than 200,000 values, aliases unfolded", 6)
    assert finding("a: &a 1\nb: [" + "*a, " * 101 + "]")[:2] == ("MF008", "more than 100 aliases")
    assert time.perf_counter() - before < 1


def test_files(tmp_path: Path) -> None:
    def of(content: bytes | None) -> tuple[str, str]:
        path = tmp_path / "x.yaml"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        loaded = read(path, "x.yaml")
        assert loaded.finding is not None
        return str(loaded.finding.code), loaded.finding.summary

    assert of(None) == ("MF001", "cannot read this file: no such file or directory")
    assert of(b"a: \xff") == ("MF003", "this file is not UTF-8: byte 0xff")
    assert of(b"a" * (50 * 1024 * 1024)) == (
        "MF002",
        f"a file of 52,428,800 bytes is no playbook; the limit is {BYTES_MAX:,}",
    )
    assert read(tmp_path, "x").finding is not None
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert to_value(read(tmp_path / "bom.yaml", "bom.yaml").root) == {"a": 1}


@given(st.text(alphabet="ab:-[]{}*&!|>'\"#%@,? \n\t01.~<", max_size=80))
def test_any_text_is_a_value_or_a_finding(text: str) -> None:
    loaded = load(text, "x.yaml")
    assert (loaded.root is None) != (loaded.finding is None)
    if loaded.finding is not None:
        assert loaded.finding.place.line >= 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text("abc: #'\"{", max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text("abc -", min_size=1, max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    ).filter(lambda data: isinstance(data, list | dict))
)
def test_what_is_written_as_json_is_read_as_json(data: object) -> None:
    import json

    loaded = load(json.dumps(data), "x.yaml")
    assert loaded.finding is None
    assert to_value(loaded.root) == data
    assert isinstance(loaded.root, Sequence | Mapping)
