"""A hub's answer, as it was decoded, against the model that should read it: what is missing, unknown or of another type.

The models read tolerantly and would hide most of this, so the comparison looks at the raw answer. Values are never told,
only names and kinds: an answer may hold what is nobody's business. How things are encoded is noted beside it: which casing,
decimals as numbers or text, enums by name or number, times with or without a zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

from mesoflow.hubs.facts import FieldFacts, facts
from mesoflow.hubs.models.base import Wire, folded
from mesoflow.hubs.models.enums import LiveDataInclude, LiveQuoteFields
from mesoflow.hubs.shapes import Shape, core_of, shapes_of

Kind = Literal["missing", "unknown", "type", "member"]
FLAGS: tuple[type[StrEnum], ...] = (LiveDataInclude, LiveQuoteFields)


@dataclass(frozen=True, slots=True)
class Deviation:
    """`model.name` is where, `expected` what the contract says, `found` what came; `documented` says how sure we were."""

    kind: Kind
    model: str
    name: str
    expected: str
    found: str
    documented: bool

    def __str__(self) -> str:
        known = "documented" if self.documented else "inferred"
        match self.kind:
            case "missing":
                return f"{self.model}.{self.name} ({self.expected}, {known}) is missing"
            case "unknown":
                return f"{self.model}.{self.name} ({self.found}) is unknown to the contract"
            case "member":
                return f"{self.model}.{self.name}: {self.found} is no member of {self.expected} ({known})"
        return f"{self.model}.{self.name} is {self.found}, not {self.expected} ({known})"


@dataclass
class Comparison:
    """What a number of answers showed, each deviation once, in the order of meeting."""

    deviations: dict[Deviation, None] = field(default_factory=dict)
    encodings: dict[str, set[str]] = field(default_factory=dict)

    def look(self, model: type[Wire], answer: object) -> None:
        """One answer, or one part of it."""
        if not isinstance(answer, Mapping):
            self._add(Deviation("type", model.__name__, "itself", "object", kind_of(answer), True))
            return
        shapes = {folded(shape.wire_name): shape for shape in shapes_of(model).values()}
        known = facts().models.get(model.__name__)
        seen = set()
        for key, value in answer.items():
            shape = shapes.get(folded(str(key)))
            if shape is None:
                self._add(Deviation("unknown", model.__name__, str(key), "", kind_of(value), False))
                continue
            seen.add(shape.wire_name)
            self._note("casing", _casing(str(key), shape.wire_name))
            about = known.fields.get(shape.wire_name) if known else None
            self._value(_Place(model.__name__, shape, about), shape.annotation, value, top=True)
        for shape in shapes.values():
            about = known.fields.get(shape.wire_name) if known else None
            if shape.wire_name not in seen and _must_be_there(shape, about):
                self._add(_Place(model.__name__, shape, about).deviation("missing", shape.type, ""))

    def _value(self, place: _Place, annotation: Any, value: object, *, top: bool = False) -> None:  # noqa: ANN401
        kind = core_of(annotation)
        if value is None:
            if not (top and place.shape.nullable) and kind is not Any:
                self._add(place.deviation("type", place.shape.type, "null"))
            return
        if kind is Any:
            return
        if get_origin(kind) in (list, dict):
            self._many(place, kind, value)
        elif issubclass(kind, Wire):
            self.look(kind, value)
        elif issubclass(kind, StrEnum):
            self._enum(place, kind, value)
        elif not self._scalar(kind, value):
            self._add(place.deviation("type", place.shape.type, kind_of(value)))

    def _many(self, place: _Place, kind: Any, value: object) -> None:  # noqa: ANN401 - list[…] or dict[…]
        origin, inner = get_origin(kind), get_args(kind)[-1]
        if not isinstance(value, Mapping if origin is dict else list):
            self._add(place.deviation("type", place.shape.type, kind_of(value)))
            return
        items = value.values() if isinstance(value, Mapping) else value
        for item in items:
            self._value(place, inner, item)
        if origin is dict and get_args(kind)[0] is int and any(not _is_int(key) for key in value):
            self._add(place.deviation("type", place.shape.type, "text keys"))

    def _enum(self, place: _Place, enum: type[StrEnum], value: object) -> None:
        if isinstance(value, int) and not isinstance(value, bool):
            self._note("enums", "number")
            self._add(place.deviation("type", enum.__name__, "number"))
            return
        if not isinstance(value, str):
            self._add(place.deviation("type", enum.__name__, kind_of(value)))
            return
        self._note("enums", "name")
        parts = [part.strip() for part in value.split(",")] if enum in FLAGS else [value]
        for part in parts:
            if folded(part) not in {folded(member.value) for member in enum}:
                known = facts().enums[enum.__name__]
                self._add(
                    Deviation(
                        "member", place.model, place.shape.wire_name, enum.__name__, part, known.documented
                    )
                )

    def _scalar(self, kind: type, value: object) -> bool:
        """Whether a value fits, in one of the encodings that are read."""
        if kind is Decimal:
            self._note("decimals", "text" if isinstance(value, str) else "number")
            return _is_number(value)
        if kind is datetime:
            if isinstance(value, str):
                self._note("times", "with a zone" if _has_zone(value) else "without a zone")
            return _is_time(value)
        if kind is int:
            return isinstance(value, int) and not isinstance(value, bool)
        return isinstance(value, kind)

    def _note(self, what: str, how: str) -> None:
        if how:
            self.encodings.setdefault(what, set()).add(how)

    def _add(self, deviation: Deviation) -> None:
        self.deviations[deviation] = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands."""

    model: str
    shape: Shape
    about: FieldFacts | None

    def deviation(self, kind: Kind, expected: str, found: str) -> Deviation:
        documented = self.about is not None and self.about.documented
        return Deviation(kind, self.model, self.shape.wire_name, expected, found, documented)


def _must_be_there(shape: Shape, about: FieldFacts | None) -> bool:
    """What we cannot read without, and what the documentation says is always there."""
    return shape.required or (about is not None and about.required is True)


def _casing(key: str, wire_name: str) -> str:
    if key == wire_name:
        return "PascalCase"
    return "camelCase" if key == wire_name[:1].lower() + wire_name[1:] else "another"


def kind_of(value: object) -> str:
    """A value's kind in JSON's words."""
    names: Iterator[str] = (
        name
        for kinds, name in (
            (bool, "true or false"),
            (str, "text"),
            ((int, Decimal, float), "number"),
            (Mapping, "object"),
            (list, "list"),
            (type(None), "null"),
        )
        if isinstance(value, kinds)
    )
    return next(names, type(value).__name__)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return False
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_int(key: object) -> bool:
    return str(key).removeprefix("-").isdigit()


def _is_time(value: object) -> bool:
    if isinstance(value, datetime):
        return True
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _has_zone(text: str) -> bool:
    return text.endswith("Z") or "+" in text[10:] or "-" in text[10:]
