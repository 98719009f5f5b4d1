"""What an expression reads, where, and under which conditions."""

from __future__ import annotations

import pytest

from mesoflow.expressions import ExpressionError
from mesoflow.expressions.analyse import falsehoods, references, truths


def read(text: str) -> list[tuple[str, bool, str]]:
    """(path, guarded, the text at its place) of every reference."""
    return [
        (".".join(map(str, r.path)), r.guarded, text[r.position : r.position + r.length])
        for r in references(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("{{ steps.a.b }}", [("steps.a.b", False, "steps.a.b")]),
        ("{{ inputs.a }} and {{ run.id }}", [("inputs.a", False, "inputs.a"), ("run.id", False, "run.id")]),
        ("{{ steps.a.b | default(steps.c.d) }}", [("steps.a.b", True, "steps.a.b"), ("steps.c.d", False, "steps.c.d")]),
        ("{{ (steps.a.b + 1) | default(0) }}", [("steps.a.b", False, "steps.a.b")]),
        ("{{ steps.a.l | sort | first | default(0) }}", [("steps.a.l", True, "steps.a.l")]),
        ("{{ steps.a is done }}", [("steps.a", True, "steps.a")]),
        ("{{ steps.a.b if steps.a is done else steps.a.c }}",
         [("steps.a.b", True, "steps.a.b"), ("steps.a", True, "steps.a"), ("steps.a.c", False, "steps.a.c")]),
        ("{{ steps.a is not done or steps.a.b > 1 }}",
         [("steps.a", True, "steps.a"), ("steps.a.b", True, "steps.a.b")]),
        ("{{ steps.a is done and steps.b is done and steps.a.x + steps.b.x > 1 }}",
         [("steps.a", True, "steps.a"), ("steps.b", True, "steps.b"), ("steps.a.x", True, "steps.a.x"), ("steps.b.x", True, "steps.b.x")]),
        ("{{ steps.a['b'][0].c[inputs.k] }}", [("steps.a.b.0.c", False, "steps.a"), ("inputs.k", False, "inputs.k")]),
        ("{{ abs(steps.a.b) > max(inputs.x, [loop.index]) }}",
         [("steps.a.b", False, "steps.a.b"), ("inputs.x", False, "inputs.x"), ("loop.index", False, "loop.index")]),
    ],
)  # fmt: skip
def test_references(text: str, expected: list[tuple[str, bool, str]]) -> None:
    assert read(text) == expected


def test_references_of_a_whole_value() -> None:
    value = {"a": ["{{ steps.x.y }}"], "b": {"c": "{{ inputs.z }}"}, "d": 1}
    assert [reference.path for reference in references(value)] == [("steps", "x", "y"), ("inputs", "z")]


def test_what_a_condition_makes_sure_of() -> None:
    text = "{{ steps.sell is done and steps.close is not done and not (steps.a is skipped or steps.b is not done) }}"
    assert truths(text) == {("sell", "done"), ("close", "not done"), ("a", "not skipped"), ("b", "done")}
    assert truths("{{ steps.a is done or steps.b is done }}") == frozenset()
    assert truths("{{ steps.a is done and inputs.x or steps.a is done }}") == {("a", "done")}
    assert falsehoods("{{ steps.a is skipped }}") == {("a", "not skipped")}
    assert truths("{{ inputs.x }}") == frozenset()


def test_bad_syntax_is_an_error_with_a_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        references({"a": "{{ steps. }}"})
    assert caught.value.position == 8
