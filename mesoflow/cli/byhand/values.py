"""`key=value` as a person types it → the method's arguments. What is wrong is said of every key at once.

A key is a field in any casing (`position_id`, `PositionId`), a dot goes into it (`underlying.symbol=SPX`). A value is read
by the field's type: a number, a text, true or false, a time in ISO form, a member's name, several with commas; JSON where it
holds more, `@FILE` for JSON in a file, `null` for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from mesoflow.cli.byhand.wrong import Wrong
from mesoflow.hubs.contract import Method
from mesoflow.hubs.facts import facts
from mesoflow.hubs.models.base import Args, Wire, folded
from mesoflow.hubs.models.enums import LiveDataInclude, LiveQuoteFields
from mesoflow.hubs.shapes import Shape, core_of, shapes_of

FLAGS = (LiveDataInclude, LiveQuoteFields)
BOOLS = {"true": True, "false": False}
KEY = "idempotency_key"


class _Unread(ValueError):
    """A value that does not fit its field; the text says what would."""


def arguments(method: Method, pairs: Sequence[tuple[str, str]], key: str) -> dict[str, Any]:
    """In snake_case, as Hub.encode takes them; `key` is the idempotency key where none is typed. Raises Wrong."""
    model = method.args_model
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, text in pairs:
        try:
            _put(model, found, name.split("."), text)
        except _Unread as error:
            wrong.append(f"{name}: {error}")
    for shape in shapes_of(model).values():
        if shape.required and shape.name not in found:
            if shape.name == KEY and method.keyed:
                found[KEY] = key
            elif shape.nullable:
                found[shape.name] = None
            else:
                wrong.append(f"{shape.name}: it is missing; {shape.type}")
    if not wrong:
        wrong = list(_unfit(model, found))
    if wrong:
        raise Wrong(
            f"{method.name} cannot be called so",
            (*wrong, f"`mesoflow hub list {method.name}` shows its arguments"),
        )
    return found


def _put(model: type[Wire], found: dict[str, Any], path: Sequence[str], text: str) -> None:
    shape = _shape(model, path[0])
    if len(path) == 1:
        if shape.name in found:
            raise _Unread("it is given twice")
        found[shape.name] = read_value(shape, text)
        return
    inner = core_of(shape.annotation)
    if not (isinstance(inner, type) and issubclass(inner, Wire)):
        raise _Unread(f"{shape.name} is {shape.type} and has no fields")
    held = found.setdefault(shape.name, {})
    if not isinstance(held, dict):
        raise _Unread(f"{shape.name} is given as a whole already")
    _put(inner, held, path[1:], text)


def _shape(model: type[Wire], name: str) -> Shape:
    known = {folded(shape.name): shape for shape in shapes_of(model).values()}
    if folded(name) in known:
        return known[folded(name)]
    near = get_close_matches(folded(name), known, n=1, cutoff=0.5)
    help_ = f"did you mean {known[near[0]].name}?" if near else _all_of(known.values())
    raise _Unread(f"there is no such argument; {help_}")


def _all_of(shapes: Iterable[Shape]) -> str:
    names = ", ".join(shape.name for shape in shapes)
    return f"there are {names}" if names else "it takes none"


def read_value(shape: Shape, text: str) -> Any:  # noqa: ANN401 - a Value
    """One value by its field's type. Raises _Unread."""
    if text == "null":
        if not shape.nullable:
            raise _Unread(f"null is not possible; {shape.type}")
        return None
    return _typed(core_of(shape.annotation), shape.type, text)


def _typed(kind: Any, words: str, text: str) -> Any:  # noqa: ANN401 - a type, a Value
    if get_origin(kind) is list:
        return _several(kind, text)
    if get_origin(kind) is dict or kind is Any or (isinstance(kind, type) and issubclass(kind, Wire)):
        return _json(words, text)
    if issubclass(kind, StrEnum):
        return _member(kind, text)
    try:
        return _scalar(kind, text)
    except (KeyError, ValueError, InvalidOperation):
        raise _Unread(f"{text!r} is no {words}") from None


def _scalar(kind: type, text: str) -> Any:  # noqa: ANN401 - a Value
    if kind is bool:
        return BOOLS[text.lower()]
    if kind is int:
        return int(text)
    if kind is Decimal:
        number = Decimal(text)
        if not number.is_finite():
            raise ValueError(text)
        return number
    if kind is datetime:
        return datetime.fromisoformat(text)
    return text


def _several(kind: Any, text: str) -> Any:  # noqa: ANN401 - a list type
    item = core_of(get_args(kind)[0])
    if text.startswith(("[", "@")) or (isinstance(item, type) and issubclass(item, Wire)):
        value = _json("list", text)
        if not isinstance(value, list):
            raise _Unread("JSON, and a list in it")
        return value
    words = getattr(item, "__name__", str(item))
    return [_typed(item, words, part.strip()) for part in text.split(",") if part.strip()]


def _member(enum: type[StrEnum], text: str) -> str:
    """A member's name in any casing; of an enum that may have more members, an unknown one as it is typed."""
    known = {folded(member.value): member.value for member in enum}
    parts = text.split(",") if enum in FLAGS else [text]
    names = [known.get(folded(part.strip()), part.strip()) for part in parts]
    strange = [name for name in names if name not in known.values()]
    if strange and (facts().enums[enum.__name__].complete or enum in FLAGS):
        raise _Unread(f"{strange[0]!r} is none of {', '.join(known.values())}")
    return ", ".join(names)


def _json(words: str, text: str) -> Any:  # noqa: ANN401 - free JSON
    if text.startswith("@"):
        try:
            text = Path(text[1:]).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _Unread(f"{text[1:]} cannot be read ({error})") from None
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise _Unread(f"{words}, as JSON or @FILE: {error}") from None


def _unfit(model: type[Args], found: Mapping[str, Any]) -> Iterator[str]:
    """What the arguments' model says of it; the last word, also about what stands inside of JSON."""
    try:
        model.write(found)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            path = ".".join(str(part) for part in problem["loc"]) or "the whole"
            yield f"{path}: {problem['msg'].removeprefix('Value error, ')}"
