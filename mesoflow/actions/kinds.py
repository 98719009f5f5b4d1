"""The kinds of value that inputs and outputs have, in the words of the catalogue: money, points, duration, instant …

A kind is a Python type with a word on it: the word appears in the schema, the reference and the previews. Authored
values are strict: an integer is accepted where a decimal is wanted, nothing else is converted.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic.fields import FieldInfo

from mesoflow.trading import durations as trading_durations
from mesoflow.trading.moments import Moment


@dataclass(frozen=True, slots=True)
class Kind:
    """The word of a type in ACTIONS.md."""

    word: str


def _whole_is_decimal(value: object) -> object:
    """An integer where a decimal is wanted; true and false are no numbers."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


_WHOLE = BeforeValidator(_whole_is_decimal)
_NUMBER = WithJsonSchema({"type": "number"})

Number: TypeAlias = Annotated[Decimal, _WHOLE, _NUMBER, Kind("decimal")]
Money: TypeAlias = Annotated[Decimal, _WHOLE, _NUMBER, Kind("money")]
Points: TypeAlias = Annotated[Decimal, _WHOLE, _NUMBER, Kind("points")]
Percent: TypeAlias = Annotated[Decimal, _WHOLE, _NUMBER, Kind("percent")]


def _length(value: object, info: ValidationInfo) -> object:
    """`30s`, `5m`, `2h`; a number of seconds where an expression gave it, never where a person wrote it."""
    written = isinstance(info.context, Mapping) and info.context.get("authored")
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and not written:
        if value < 0:
            raise ValueError("a duration is not negative")
        return timedelta(milliseconds=int(value * 1000))
    return trading_durations.Duration.parse(value)


# A length of time as an input. `model_validate(…, context={"authored": True})` refuses a bare number, as the schema does.
Duration: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_length),
    WithJsonSchema({"type": "string", "pattern": f"^{trading_durations.PATTERN}$"}),
    Kind("duration"),
]


def _is_moment(value: str) -> str:
    Moment.parse(value)
    return value


# A moment as written; it is resolved when its step begins (waits.py).
MomentText: TypeAlias = Annotated[str, AfterValidator(_is_moment), Kind("moment")]

# A length of time as an output: a Value has no kind of its own for it, so it is its number of seconds.
Seconds: TypeAlias = Annotated[Decimal, _WHOLE, _NUMBER, Kind("duration")]

_WORDS: Mapping[object, str] = {
    int: "integer",
    str: "string",
    bool: "boolean",
    Decimal: "decimal",
    date: "date",
    datetime: "instant",
    timedelta: "duration",
    Any: "any",
    object: "any",
}


def field_word(field: FieldInfo) -> str:
    """The word of a model's field; pydantic keeps what is annotated at the top beside the type."""
    words = [meta.word for meta in field.metadata if isinstance(meta, Kind)]
    return words[0] if words else word_of(field.annotation)


def word_of(annotation: Any) -> str:  # noqa: ANN401 - annotations have no common type
    """The catalogue's word for a type: `integer`, `list<Condition>`, `map<Leg>`, `open|closed`, `money?`."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        words = [meta.word for meta in inner[1:] if isinstance(meta, Kind)]
        return words[0] if words else word_of(inner[0])
    if origin in (typing.Union, types.UnionType):
        present = [word_of(part) for part in inner if part is not type(None)]
        return "|".join(present) + ("?" if len(present) < len(inner) else "")
    if origin is Literal:
        return "|".join(str(member) for member in inner)
    if origin is list:
        return f"list<{word_of(inner[0])}>"
    if origin is dict:
        return f"map<{word_of(inner[1])}>"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    return _WORDS.get(annotation, str(annotation))
