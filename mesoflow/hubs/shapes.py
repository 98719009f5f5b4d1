"""The models' own shape in the words of data/contract.json: for whoever compares or shows them.

A field's type is told as the documentation tells it: an enum by its name (its text fallback is ours), a time as datetime,
free content as Any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from mesoflow.hubs.contract import CALLBACKS, METHODS
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.common import MesoLiveApiError, MesoLiveApiResponse
from mesoflow.hubs.models.idempotency import IdempotencyRecord


@dataclass(frozen=True, slots=True)
class Shape:
    """One field as our model has it; `annotation` is what Python says, `type` the same in words."""

    name: str
    wire_name: str
    type: str
    required: bool
    nullable: bool
    annotation: Any


@cache
def shapes_of(model: type[Wire]) -> Mapping[str, Shape]:
    """The model's fields by their name on the wire."""
    return {shape.wire_name: shape for shape in _shapes(model)}


def _shapes(model: type[Wire]) -> Iterator[Shape]:
    for name, field in model.model_fields.items():
        parts = _union(field.annotation)
        yield Shape(
            name=name,
            wire_name=field.alias or name,
            type=type_words(field.annotation),
            required=field.is_required(),
            nullable=NoneType in parts or field.annotation is Any,
            annotation=field.annotation,
        )


def _union(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - whatever stands at a field
    """The parts of a union, looked for behind Annotated; of anything else, itself."""
    if get_origin(annotation) is Annotated:
        return _union(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(part for arm in get_args(annotation) for part in _union(arm))
    return (annotation,)


def core_of(annotation: Any) -> Any:  # noqa: ANN401 - whatever stands at a field
    """What a field is about: without None, and an enum without its text fallback."""
    parts = [part for part in _union(annotation) if part is not NoneType]
    enums = [part for part in parts if isinstance(part, type) and issubclass(part, StrEnum)]
    return enums[0] if enums else parts[0]


def type_words(annotation: Any) -> str:  # noqa: ANN401 - whatever stands at a field
    """`Decimal | None` → `Decimal`, `Annotated[OrderState | str, …]` → `OrderState`, `dict[int, LivePrices]` as it is."""
    core = core_of(annotation)
    origin = get_origin(core)
    if origin in (list, dict):
        return f"{origin.__name__}[{', '.join(type_words(part) for part in get_args(core))}]"
    if core is datetime:
        return "datetime"
    return str(getattr(core, "__name__", core))


@cache
def all_models() -> Mapping[str, type[Wire]]:
    """Every model that the contract's table reaches, by name: arguments, results, payloads and what they hold."""
    found: dict[str, type[Wire]] = {}
    tops: list[type[Wire]] = [MesoLiveApiResponse, MesoLiveApiError, IdempotencyRecord]
    for method in METHODS.values():
        tops += [method.args_model, method.result_model]
    tops += [callback.event_model for callback in CALLBACKS.values()]
    while tops:
        model = tops.pop()
        if model.__name__ in found:
            continue
        found[model.__name__] = model
        tops += [inner for shape in shapes_of(model).values() for inner in models_in(shape.annotation)]
    return found


def models_in(annotation: Any) -> tuple[type[Wire], ...]:  # noqa: ANN401 - whatever stands at a field
    """The models that a field holds, at any depth of lists and dicts."""
    return tuple(part for part in _classes(annotation) if issubclass(part, Wire))


def enums_in(annotation: Any) -> tuple[type[StrEnum], ...]:  # noqa: ANN401 - whatever stands at a field
    """The enums that a field holds."""
    return tuple(part for part in _classes(annotation) if issubclass(part, StrEnum))


def _classes(annotation: Any) -> Iterator[type]:  # noqa: ANN401 - whatever stands at a field
    core = core_of(annotation)
    if get_origin(core) is not None:
        for part in get_args(core):
            yield from _classes(part)
    elif isinstance(core, type):
        yield core


@cache
def all_enums() -> Mapping[str, type[StrEnum]]:
    """Every enum of those models, by name."""
    return {
        enum.__name__: enum
        for model in all_models().values()
        for shape in shapes_of(model).values()
        for enum in enums_in(shape.annotation)
    }
