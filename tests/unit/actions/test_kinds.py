"""Kinds of value: what is accepted, what is never converted, and the words for types."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mesoflow.actions.kinds import Duration, Money, Seconds, field_word, word_of
from mesoflow.actions.values import ExecPlan


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        (15, 15),
        (Decimal("1.5"), 1.5),
        (timedelta(seconds=3), 3),
        (0, 0),
    ],
)
def test_durations(given: Any, length: float) -> None:
    assert TypeAdapter(Duration).validate_python(given) == timedelta(seconds=length)


@pytest.mark.parametrize("given", ["5", "1d", "5 m", "-5m", "", True, None, -1, 1.5, "9999999999s"])
def test_what_is_no_duration(given: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(given)


@pytest.mark.parametrize("given", [15, Decimal(15)])
def test_nobody_writes_a_bare_number_for_a_duration(given: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(given, context={"authored": True})


@pytest.mark.parametrize("given", [5, Decimal("5.00")])
def test_whole_numbers_are_decimals_where_decimals_are_wanted(given: Any) -> None:
    value = TypeAdapter(Money).validate_python(given, strict=True)
    assert (type(value), value) == (Decimal, Decimal(5))


@pytest.mark.parametrize("given", ["5", True, 5.0, None])
def test_nothing_else_is_converted(given: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Money).validate_python(given, strict=True)


@pytest.mark.parametrize(
    ("annotation", "word"),
    [
        (int, "integer"),
        (Money, "money"),
        (Money | None, "money?"),
        (Seconds, "duration"),
        (int | str, "integer|string"),
        (list[str], "list<string>"),
        (dict[str, Money], "map<money>"),
        (ExecPlan, "ExecPlan"),
    ],
)
def test_words(annotation: Any, word: str) -> None:
    assert word_of(annotation) == word


def test_words_of_fields() -> None:
    words = {name: field_word(field) for name, field in ExecPlan.model_fields.items()}
    assert words == {
        "exec_plan_id": "integer",
        "kind": "entry|exit|adjustment",
        "position_id": "integer?",
        "position_name": "string",
        "strategy_id": "integer",
        "strategy_name": "string",
        "broker_account_id": "string",
        "lots": "decimal",
        "legs": "map<Leg>",
        "groups": "list<Group>",
        "quote": "Quote",
        "greeks": "Greeks",
        "premium": "money",
        "max_loss": "money?",
        "underlying": "Underlying",
        "vars": "map<decimal>",
        "conditions": "list<Condition>",
        "prepared_at": "instant",
    }
