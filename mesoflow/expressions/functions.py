"""The functions and filters of the language: an explicit list, name → member. No clock, no randomness, no state.

A member takes evaluated values and raises `Wrong` in words. Unknown values never reach it: compile.py answers for them with
the type named here. `default` is not in the list: it decides what happens *before* its value exists (compile.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mesoflow.expressions.errors import MissingValue
from mesoflow.expressions.names import StepView
from mesoflow.expressions.unknown import Unknown
from mesoflow.expressions.values import (
    Object,
    Wrong,
    arithmetic,
    boolean,
    bounded_text,
    compare,
    kind,
    number,
    plain,
    text,
)

# A desk's positions, legs or calendar dates come in hundreds. What one filter does to a list takes milliseconds at this size.
LIST_MAX = 5_000
# `selectattr(…, 'in', list)` is the one product of two lists.
AGAINST_MAX = 500
# The listed options' exchanges all keep New York time; a session in another zone brings its own entry here.
EXCHANGE_ZONE = "America/New_York"
_DURATION = re.compile(r"(\d{1,9})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Member:
    """A function or filter: what it does, and the type of its result while an argument is unknown."""

    call: Callable[..., Object]
    type: str


# --- functions -------------------------------------------------------------------------------------------------------


def _abs(value: Object) -> Object:
    return abs(number(value, "abs"))


def _extreme(name: str, pick: Callable[[Sequence[Object]], Object]) -> Callable[..., Object]:
    def of(*values: Object) -> Object:
        members = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        if not members:
            raise MissingValue(f"{name} of nothing")
        for other in members:
            compare("lt", members[0], other)  # one ordered type, no null
        return pick(members)

    return of


def _round(value: Object, digits: Object = 0) -> Object:
    """Half up, as people round money. Without digits: a whole number."""
    exact = Decimal(number(value, "round"))
    if not isinstance(digits, int) or isinstance(digits, bool) or not 0 <= digits <= 12:
        raise Wrong("round takes 0 to 12 digits")
    rounded = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return int(rounded) if digits == 0 else rounded


def _duration(value: Object) -> Object:
    """Seconds, as a number, so that durations compare; a number is taken as seconds already."""
    if kind(value) == "number":
        return number(value, "duration")
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Wrong(f"{text(value)!r} is no duration; write 30s, 5m or 2h")
    return int(match[1]) * _SECONDS[match[2]]


FUNCTIONS: Mapping[str, Member] = {
    "abs": Member(_abs, "decimal"),
    "min": Member(_extreme("min", min), "decimal"),
    "max": Member(_extreme("max", max), "decimal"),
    "round": Member(_round, "decimal"),
    "duration": Member(_duration, "decimal"),
}


# --- filters over lists ----------------------------------------------------------------------------------------------


def _items(value: Object, what: str) -> list[Object]:
    if not isinstance(value, list):
        raise Wrong(f"{what} needs a list, not {kind(value)}")
    if len(value) > LIST_MAX:
        raise Wrong(f"{what} of {len(value):,} items; the limit is {LIST_MAX:,}")
    return value


def field(value: Object, path: str, what: str) -> Object:
    """`a.b` of an item; what is not there is missing, never null."""
    for name in path.split("."):
        if isinstance(value, StepView):
            value = plain(value)
        if not isinstance(value, Mapping) or name.startswith("_") or name not in value:
            raise MissingValue(f"{what}: there is no {name!r} in an item that is {kind(value)}")
        value = value[name]
    return value


def _length(value: Object) -> Object:
    if kind(value) not in ("list", "map", "text"):
        raise Wrong(f"length needs a list, a map or text, not {kind(value)}")
    return len(plain(value))


def _list(value: Object) -> Object:
    if kind(value) == "map":
        return list(plain(value))
    return list(_items(value, "list"))


def _sort(value: Object, reverse: Object = False, attribute: Object = None) -> Object:
    """Null is above every value, so that "largest first" shows what is not known first."""
    items = _items(value, "sort")
    keys = [item if attribute is None else field(item, str(attribute), "sort") for item in items]
    known = [key for key in keys if key is not None]
    for key in known:
        compare("lt", known[0], key)
    order = sorted(
        range(len(items)),
        key=lambda i: (keys[i] is None, 0 if keys[i] is None else keys[i]),
        reverse=boolean(reverse, "reverse"),
    )
    return [items[i] for i in order]


def _first(value: Object) -> Object:
    items = _items(value, "first")
    if not items:
        raise MissingValue("first of an empty list")
    return items[0]


def _last(value: Object) -> Object:
    items = _items(value, "last")
    if not items:
        raise MissingValue("last of an empty list")
    return items[-1]


def _sum(value: Object, attribute: Object = None) -> Object:
    total: Object = 0
    for item in _items(value, "sum"):
        total = arithmetic("+", total, item if attribute is None else field(item, str(attribute), "sum"))
    return total


def _join(value: Object, separator: Object = "", attribute: Object = None) -> Object:
    parts = [
        item if attribute is None else field(item, str(attribute), "join") for item in _items(value, "join")
    ]
    return bounded_text(text(separator).join(text(part) for part in parts))


_NOTHING = object()


def _map(
    value: Object,
    name: Object = None,
    *arguments: Object,
    attribute: Object = None,
    default: Object = _NOTHING,
) -> Object:
    """`map(attribute='x')`, with `default=` for items that lack it, or `map('abs')`: a filter or function by name."""
    items = _items(value, "map")
    if (name is None) == (attribute is None):
        raise Wrong("map takes attribute='NAME' or the name of a filter")
    if attribute is not None:
        return [_field_or(item, str(attribute), default) for item in items]
    member = FILTERS.get(str(name)) or FUNCTIONS.get(str(name))
    if member is None:
        raise Wrong(f"there is no filter {text(name)!r}")
    return [member.call(item, *arguments) for item in items]


def _field_or(item: Object, path: str, default: Object) -> Object:
    try:
        value = field(item, path, "map")
    except MissingValue:
        if default is _NOTHING:
            raise
        return default
    return default if value is None and default is not _NOTHING else value


_TESTS = {"==": "eq", "eq": "eq", "!=": "ne", "ne": "ne", "<": "lt", "lt": "lt", "<=": "lteq", "le": "lteq",
          ">": "gt", "gt": "gt", ">=": "gteq", "ge": "gteq", "in": "in"}  # fmt: skip


def _selectattr(value: Object, attribute: Object, test: Object = None, against: Object = None) -> Object:
    """`selectattr('ours')` for what is true, `selectattr('state', '==', 'open')` for a comparison."""
    items = _items(value, "selectattr")
    if test is None:
        return [item for item in items if boolean(field(item, str(attribute), "selectattr"), "selectattr")]
    if test not in _TESTS:
        raise Wrong(
            f"selectattr knows {', '.join(t for t in _TESTS if not t.isalpha())} and in, not {text(test)!r}"
        )
    operator = _TESTS[str(test)]
    if isinstance(against, list) and len(against) > AGAINST_MAX:
        raise Wrong(f"selectattr against a list of {len(against):,}; the limit is {AGAINST_MAX}")
    return [item for item in items if compare(operator, field(item, str(attribute), "selectattr"), against)]


# --- filters over single values --------------------------------------------------------------------------------------


def _date(value: Object) -> Object:
    """The exchange's date of an instant; a date that is written as text."""
    match kind(value):
        case "date":
            return value
        case "instant":
            return _local(value).date()
        case "text":
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise Wrong(f"{value!r} is no date; write 2025-01-17")
    raise Wrong(f"date needs an instant, a date or text, not {kind(value)}")


def _time(value: Object) -> Object:
    """The exchange's clock time of an instant."""
    if kind(value) != "instant":
        raise Wrong(f"time needs an instant, not {kind(value)}")
    return _local(value).strftime("%H:%M")


def _local(value: datetime) -> datetime:
    from zoneinfo import ZoneInfo  # read from disk; few playbooks show times

    return value.astimezone(ZoneInfo(EXCHANGE_ZONE))


def _money(value: Object) -> Object:
    return f"{Decimal(number(value, 'money')).quantize(Decimal('0.01'), ROUND_HALF_UP):,.2f}"


def _points(value: Object) -> Object:
    return f"{Decimal(number(value, 'points')).quantize(Decimal('0.01'), ROUND_HALF_UP):.2f}"


def _days_from(value: Object, other: Object) -> Object:
    """Calendar days to a date, or to the nearest of a list, before or after."""
    day = _date(value)
    dates = [_date(item) for item in other] if isinstance(other, list) else [_date(other)]
    if not dates:
        raise Wrong("days_from needs at least one date; the list is empty")
    if isinstance(other, list) and max(dates) < day:
        # A calendar that has run out would say "far from every date" for ever after.
        raise Wrong(f"the last date of the list, {max(dates)}, is past; the list needs new dates")
    return min(abs((day - item).days) for item in dates)


FILTERS: Mapping[str, Member] = {
    "length": Member(_length, "integer"),
    "list": Member(_list, "list"),
    "sort": Member(_sort, "list"),
    "first": Member(_first, "any"),
    "last": Member(_last, "any"),
    "sum": Member(_sum, "decimal"),
    "join": Member(_join, "string"),
    "map": Member(_map, "list"),
    "selectattr": Member(_selectattr, "list"),
    "date": Member(_date, "date"),
    "time": Member(_time, "string"),
    "money": Member(_money, "string"),
    "points": Member(_points, "string"),
    "days_from": Member(_days_from, "integer"),
    **{name: FUNCTIONS[name] for name in ("abs", "min", "max", "round", "duration")},
}


def unknown_among(values: Sequence[Any]) -> Unknown | None:
    """The first unknown among arguments, or in a list among them."""
    for value in values:
        if isinstance(value, Unknown):
            return value
        if isinstance(value, list):
            inner = next((item for item in value if isinstance(item, Unknown)), None)
            if inner is not None:
                return inner
    return None
