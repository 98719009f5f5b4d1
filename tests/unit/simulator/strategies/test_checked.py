"""The simulator's reading of definitions against `check`: what the one takes the other finds nothing wrong with, and back.

Of expressions the simulator says something when it evaluates them, so there the Lua itself is compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.playbook.check import check_file
from mesoflow.playbook.definition.lua import fault, words
from mesoflow.playbook.lint.codes import Code
from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua
from mesoflow.simulator.strategies.reading import DefinitionRefused

ROOT = Path(__file__).resolve().parents[4]
TEMPLATES = sorted((ROOT / "mesoflow" / "data" / "strategies").glob("*.json"))
CASES = sorted((ROOT / "tests" / "cases" / "definitions").glob("*.json"))
OF_EXPRESSIONS = {Code.LUA_SYNTAX, Code.LUA_NAME, Code.LUA_LATER}


def is_taken(path: Path) -> bool:
    try:
        read_definition(json.loads(path.read_text(encoding="utf-8")))
    except (DefinitionRefused, ValueError):
        return False
    return True


def is_found_right(path: Path) -> bool:
    """By `check`: no error but of expressions, and nothing that the simulator does not have."""
    found = [one for one in check_file(path).findings if one.code not in OF_EXPRESSIONS]
    return not any(
        one.level == "error" or (one.code == Code.NOT_SIMULATED and "takes no strategy" in one.summary)
        for one in found
    )


@pytest.mark.parametrize("path", [*TEMPLATES, *CASES], ids=lambda path: path.name)
def test_the_simulator_takes_what_check_finds_right(path: Path) -> None:
    assert is_taken(path) == is_found_right(path)


WORDS = (
    "pos_delta",
    "1",
    "0.5",
    "(",
    ")",
    "+",
    "-",
    "*",
    "<=",
    "==",
    "and",
    "or",
    "not",
    "nil",
    "abs(",
    ",",
    "==",
    "return",
    "end",
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9))
def test_what_is_no_lua_is_no_lua_for_both(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        Lua(7).value(text, {"pos_delta": 1.0})
        compiles = True
    except ExpressionFailed as failed:
        compiles = (
            "syntax error" not in failed.reason
            and "expected" not in failed.reason
            and "unexpected" not in failed.reason
        )
    assert (fault(text, words(text)) is None) == compiles, text
