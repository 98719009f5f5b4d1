"""What operators do with values: exact, strict about types, bounded. No operator converts anything.

A null, or a value of another type, is an error in a comparison and in arithmetic; booleans are no numbers; text is joined
with ~, never added or multiplied. Numbers are int and Decimal; every result stays below 10 to the 30.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any, TypeAlias

from mesoflow.expressions.names import Scope, StepView
from mesoflow.expressions.unknown import Unknown, first_unknown

Object: TypeAlias = Any  # whatever a name may hold; the checks below are the type system

# No price, size or sum of money has more than 15 digits; the rest is room for products of them.
NUMBER_MAX = 10**30
POWER_MAX = 64
TEXT_MAX = 100_000
_EXACT = Context(prec=34, traps=[InvalidOperation, DivisionByZero, Overflow])


class Wrong(Exception):
    """An operation on values that do not fit; compile.py adds the expression and the place."""


def kind(value: Object) -> str:
    """The type of a value, as the language calls it. Order matters: a bool is an int, an instant is a date."""
    if value is None:
        return "null"
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return type(value).__name__


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    ((int, Decimal), "number"),
    (str, "text"),
    (datetime, "instant"),
    (date, "date"),
    (list, "list"),
    ((Mapping, StepView), "map"),
    (Scope, "steps"),
)


def arithmetic(symbol: str, left: Object, right: Object) -> Object:
    """`left symbol right` for + - * / // % **."""
    unknown = first_unknown(left, right)
    if unknown is not None:
        return Unknown("decimal", unknown.until)
    kinds = kind(left), kind(right)
    if kinds == ("number", "number"):
        return _number(symbol, left, right)
    if symbol == "-" and kinds == ("date", "date"):
        return (left - right).days
    if symbol == "-" and kinds == ("instant", "instant"):
        return Decimal((left - right).days * 86400 + (left - right).seconds)
    hint = "; text is joined with ~" if symbol == "+" and "text" in kinds else ""
    raise Wrong(f"{symbol} needs two numbers, not {kinds[0]} and {kinds[1]}{hint}")


def _number(symbol: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    try:
        if symbol == "**":
            return bounded(_power(left, right))
        if isinstance(left, int) and isinstance(right, int) and symbol in _INTEGERS:
            return bounded(_INTEGERS[symbol](left, right))
        return bounded(_DECIMALS[symbol](Decimal(left), Decimal(right)))
    except (DivisionByZero, ZeroDivisionError):
        raise Wrong(f"{symbol} by zero")
    except DecimalException as error:
        if right == 0 and symbol in "//%":
            raise Wrong(f"{symbol} by zero")
        raise Wrong(f"{symbol} of {left} and {right} has no result ({type(error).__name__})")


_INTEGERS: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
# Floor division as for integers: Decimal's own rounds towards zero, and -7 // 2 must not depend on how 7 is written.
_DECIMALS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _EXACT.add,
    "-": _EXACT.subtract,
    "*": _EXACT.multiply,
    "/": _EXACT.divide,
    "//": lambda a, b: (_EXACT.divide(a, b)).to_integral_value("ROUND_FLOOR"),
    "%": lambda a, b: _EXACT.subtract(
        a, _EXACT.multiply(b, _EXACT.divide(a, b).to_integral_value("ROUND_FLOOR"))
    ),
}


def _power(base: int | Decimal, exponent: int | Decimal) -> int | Decimal:
    if not isinstance(exponent, int) or abs(exponent) > POWER_MAX:
        raise Wrong(f"** takes a whole number of at most {POWER_MAX} as exponent")
    if isinstance(base, int) and exponent >= 0:
        return int(base**exponent)
    return _EXACT.power(Decimal(base), exponent)


def bounded(value: int | Decimal) -> int | Decimal:
    """A number within the language's bounds, else an error."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise Wrong("a number that is not finite")
    if not -NUMBER_MAX < value < NUMBER_MAX:
        raise Wrong("a number of more than 30 digits")
    if isinstance(value, Decimal) and value and value.adjusted() < -60:
        raise Wrong("a number too close to zero to mean anything")
    return value


def number(value: Object, what: str) -> int | Decimal:
    """The value, if it is a number."""
    if kind(value) != "number":
        raise Wrong(f"{what} needs a number, not {kind(value)}")
    return bounded(value)


def boolean(value: Object, what: str) -> bool:
    """The value, if it is true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"{what} takes true or false, not {kind(value)}")
    return value


_ORDERED = ("number", "text", "instant", "date")
_ORDERS: Mapping[str, Callable[[Object, Object], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "lteq": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gteq": lambda a, b: a >= b,
}
SYMBOLS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}


def compare(operator: str, left: Object, right: Object) -> Object:
    """`left operator right`; operators as Jinja's parser names them."""
    unknown = first_unknown(left, right)
    if unknown is not None:
        return Unknown("boolean", unknown.until)
    if operator in ("in", "notin"):
        return contains(right, left) is (operator == "in")
    kinds = kind(left), kind(right)
    symbol = SYMBOLS[operator]
    if "null" in kinds:
        raise Wrong(f"{symbol} with null; say what it means then: … | default(…)")
    if kinds[0] != kinds[1]:
        hint = "; a date in quotes becomes one with | date" if set(kinds) == {"text", "date"} else ""
        raise Wrong(f"{symbol} needs two values of one type, not {kinds[0]} and {kinds[1]}{hint}")
    if operator not in ("eq", "ne") and kinds[0] not in _ORDERED:
        raise Wrong(f"{symbol} has no meaning for {kinds[0]}")
    return _ORDERS[operator](plain(left), plain(right))


def contains(container: Object, member: Object) -> bool:
    """Whether a list, a map (its keys) or a text holds something. Values of another type are not equal, not an error."""
    if member is None:
        raise Wrong("in with null; say what it means then: … | default(…)")
    match kind(container):
        case "text" if isinstance(member, str):
            return member in container
        case "list":
            return any(kind(item) == kind(member) and item == member for item in container)
        case "map":
            return member in plain(container)
    raise Wrong(f"in needs a list, a map or text on its right, not {kind(container)}")


def plain(value: Object) -> Object:
    """A value as it leaves an expression: a done step becomes its outputs."""
    if isinstance(value, StepView):
        if value.state != "done":
            raise Wrong(f"the step is {value.state} and has no outputs")
        return value.outputs
    if isinstance(value, Scope):
        raise Wrong("steps is no value by itself; write steps.ID")
    return dict(value) if isinstance(value, Mapping) and type(value) is not dict else value


def text(value: Object) -> str:
    """A value inside text: decimals as written, times in ISO, lists and maps as JSON."""
    match kind(value):
        case "text":
            return str(value)
        case "null":
            return "null"
        case "boolean":
            return "true" if value else "false"
        case "number":
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case "instant":
            return str(value.isoformat().replace("+00:00", "Z"))
        case "date":
            return str(value.isoformat())
        case _:
            return json.dumps(plain(value), default=text, ensure_ascii=False)


def bounded_text(value: str) -> str:
    """A text within the language's bounds, else an error."""
    if len(value) > TEXT_MAX:
        raise Wrong(f"a text of more than {TEXT_MAX:,} characters")
    return value
