"""Typed inputs: what each type accepts, from YAML and from the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.playbook.inputs import from_text, typed


@pytest.mark.parametrize(
    ("declaration", "written", "value"),
    [
        ({"type": "string"}, "x", "x"),
        ({"type": "integer"}, 3, 3),
        ({"type": "decimal"}, 3, Decimal(3)),
        ({"type": "money"}, Decimal("3.50"), Decimal("3.50")),
        ({"type": "boolean"}, True, True),
        ({"type": "date"}, "2025-01-17", date(2025, 1, 17)),
        ({"type": "instant"}, "2025-01-17T15:40:00-05:00", datetime(2025, 1, 17, 20, 40, tzinfo=UTC)),
        ({"type": "duration"}, "5m", "5m"),
        ({"type": "moment"}, "next open + 15m", "next open + 15m"),
        ({"type": "list", "items": "date"}, ["2025-01-17"], [date(2025, 1, 17)]),
        ({"type": "list"}, [1, "a"], [1, "a"]),
        ({"type": "map", "items": "integer", "keys": ["a"]}, {"a": 1}, {"a": 1}),
        ({"type": "map", "items": {"price": "points", "at": "instant"}}, {"leg": {"price": 2, "at": "2025-01-17T15:40:00Z"}},
         {"leg": {"price": Decimal(2), "at": datetime(2025, 1, 17, 15, 40, tzinfo=UTC)}}),
        ({"type": "integer", "minimum": 1, "maximum": 5}, 5, 5),
        ({"type": "string", "one_of": ["a", "b"]}, "b", "b"),
        ({"type": "string", "pattern": "SPX.*"}, "SPXW", "SPXW"),
    ],
)  # fmt: skip
def test_accepted(declaration: dict[str, Any], written: Any, value: Any) -> None:
    assert typed(declaration, written) == value
    assert type(typed(declaration, written)) is type(value)


@pytest.mark.parametrize(
    ("declaration", "written", "sentence"),
    [
        ({"type": "string"}, 1, "1 is no string; put it in quotes"),
        ({"type": "string"}, None, "null is no string"),
        ({"type": "integer"}, "3", "'3' is no integer"),
        ({"type": "integer"}, True, "true is no integer"),
        ({"type": "integer"}, Decimal("3.0"), "3.0 is no integer"),
        ({"type": "decimal"}, "3", "'3' is no number"),
        ({"type": "boolean"}, "yes", "'yes' is neither true nor false"),
        ({"type": "date"}, "17.1.2025", "'17.1.2025' is no date; write 2025-01-17"),
        ({"type": "date"}, "2025-02-30", "'2025-02-30' is no date; write 2025-01-17"),
        ({"type": "instant"}, "2025-01-17T15:40:00", "an instant is written with its zone, for instance 2025-01-17T15:40:00Z"),
        ({"type": "duration"}, "5 m", "'5 m' is no duration; write 30s, 5m or 2h"),
        ({"type": "list", "items": "integer"}, [1, "a"], "item 2: 'a' is no integer"),
        ({"type": "list"}, {}, "{} is no list"),
        ({"type": "map", "keys": ["a"]}, {"b": 1}, "its keys must be a"),
        ({"type": "integer", "minimum": 1}, 0, "0 is less than the minimum, 1"),
        ({"type": "integer", "maximum": 5}, 6, "6 is more than the maximum, 5"),
        ({"type": "string", "one_of": ["a", "b"]}, "c", "'c' is none of a, b"),
        ({"type": "string", "pattern": "SPX"}, "SPXW", "'SPXW' does not match SPX"),
    ],
)  # fmt: skip
def test_refused(declaration: dict[str, Any], written: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        typed(declaration, written)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("declaration", "text", "value"),
    [
        ({"type": "string"}, "3", "3"),
        ({"type": "integer"}, "3", 3),
        ({"type": "decimal"}, "0.10", Decimal("0.10")),
        ({"type": "boolean"}, "false", False),
        ({"type": "moment"}, "10:01", "10:01"),
        ({"type": "list", "items": "integer"}, "[1, 2]", [1, 2]),
        ({"type": "map"}, "{a: 1}", {"a": 1}),
    ],
)
def test_from_the_command_line(declaration: dict[str, Any], text: str, value: Any) -> None:
    assert from_text(declaration, text) == value


@pytest.mark.parametrize(
    ("declaration", "text"),
    [
        ({"type": "integer"}, "3.5"),
        ({"type": "integer"}, "three"),
        ({"type": "decimal"}, "NaN"),
        ({"type": "decimal"}, "1e99"),
        ({"type": "boolean"}, "True"),
        ({"type": "list"}, "[1"),
        ({"type": "list"}, "1"),
    ],
)
def test_refused_from_the_command_line(declaration: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError):
        from_text(declaration, text)
