"""The values of inputs: what a declaration accepts, and what a text on the command line means for it.

A value that does not fit is a ValueError with a sentence. Durations and moments stay text, as their author wrote them; dates
and instants become what they are; numbers become Decimal unless they are declared as integers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mesoflow.playbook.load import load
from mesoflow.playbook.patterns import matches
from mesoflow.playbook.tree import to_value
from mesoflow.playbook.words import moment

NUMBERS = ("integer", "decimal", "points", "money")
# Longer values have no use as inputs; files hold longer lists.
TEXT_MAX = 10_000


def typed(declaration: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any value of YAML
    """The value as the declaration means it, or ValueError."""
    kind = declaration.get("type")
    result = _member(declaration, value) if kind in ("list", "map") else of_type(str(kind), value)
    _bounds(declaration, result)
    return result


def from_text(declaration: Mapping[str, Any], text: str) -> Any:  # noqa: ANN401
    """The value that `--set name=text` means. Lists and maps are written as in YAML: [a, b], {a: 1}."""
    kind = declaration.get("type")
    if kind in ("list", "map"):
        loaded = load(text, "--set")
        if loaded.finding is not None:
            raise ValueError(f"{text!r} is no {kind}: {loaded.finding.summary}")
        return typed(declaration, to_value(loaded.root))
    return typed(declaration, _READ.get(str(kind), _as_is)(text))


def _as_is(text: str) -> Any:  # noqa: ANN401
    return text


def _number(text: str) -> Any:  # noqa: ANN401
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    return int(value) if re.fullmatch(r"-?\d+", text) else value


def _boolean(text: str) -> Any:  # noqa: ANN401
    return {"true": True, "false": False}.get(text, text)


_READ: Mapping[str, Callable[[str], Any]] = {**dict.fromkeys(NUMBERS, _number), "boolean": _boolean}


# --- types


def of_type(kind: str, value: Any) -> Any:  # noqa: ANN401
    """A single value of a type, or ValueError."""
    if value is None:
        raise ValueError(f"null is no {kind}")
    return _TYPES[kind](value) if kind in _TYPES else value


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is no string; put it in quotes")
    if len(value) > TEXT_MAX:
        raise ValueError(f"a text of {len(value):,} characters; the limit is {TEXT_MAX:,}")
    return value


def _integer(value: Any) -> int:  # noqa: ANN401
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is no integer")
    return value


def _decimal(value: Any) -> Decimal:  # noqa: ANN401
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is no number")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 30:
        raise ValueError(f"{_shown(value)} is no number of at most 30 digits")
    return exact


def _truth(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is neither true nor false")
    return value


def _day(value: Any) -> date:  # noqa: ANN401
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"{_shown(value)} is no date; write 2025-01-17")


def _instant(value: Any) -> datetime:  # noqa: ANN401
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("an instant is written with its zone, for instance 2025-01-17T15:40:00Z")
    return value.astimezone(UTC)


def _duration(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or re.fullmatch(r"\d{1,9}[smh]", value) is None:
        raise ValueError(f"{_shown(value)} is no duration; write 30s, 5m or 2h")
    return value


def _moment(value: Any) -> str:  # noqa: ANN401
    return moment(_text(value))


_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "string": _text,
    "integer": _integer,
    "decimal": _decimal,
    "points": _decimal,
    "money": _decimal,
    "boolean": _truth,
    "date": _day,
    "instant": _instant,
    "duration": _duration,
    "moment": _moment,
}


TYPES = (*_TYPES, "list", "map")


def _member(declaration: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401
    """A list or a map, its items checked one by one."""
    items, kind = declaration.get("items"), declaration["type"]
    if kind == "list":
        if not isinstance(value, list):
            raise ValueError(f"{_shown(value)} is no list")
        return [_item(items, item, f"item {number}") for number, item in enumerate(value, 1)]
    if not isinstance(value, dict):
        raise ValueError(f"{_shown(value)} is no map")
    keys = declaration.get("keys")
    if keys is not None and set(keys) != set(value):
        raise ValueError(f"its keys must be {', '.join(keys)}")
    return {key: _item(items, item, f"`{key}`") for key, item in value.items()}


def _item(items: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    try:
        if isinstance(items, Mapping):
            if not isinstance(value, dict) or set(value) != set(items):
                raise ValueError(f"it must have {', '.join(items)}")
            return {key: of_type(str(kind), value[key]) for key, kind in items.items()}
        return value if items is None else of_type(str(items), value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}")


# --- bounds


def _bounds(declaration: Mapping[str, Any], value: Any) -> None:  # noqa: ANN401
    choices = declaration.get("one_of")
    if choices is not None:
        kind = str(declaration.get("type"))
        if value not in [of_type(kind, choice) for choice in choices]:
            raise ValueError(f"{_shown(value)} is none of {', '.join(str(choice) for choice in choices)}")
    low, high = declaration.get("minimum"), declaration.get("maximum")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if low is not None and value < low:
            raise ValueError(f"{value} is less than the minimum, {low}")
        if high is not None and value > high:
            raise ValueError(f"{value} is more than the maximum, {high}")
    pattern = declaration.get("pattern")
    if pattern is not None and isinstance(value, str) and not matches(pattern, value):
        raise ValueError(f"{_shown(value)} does not match {pattern}")


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
