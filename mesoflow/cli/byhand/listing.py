"""`hub list`: what the hubs offer, from the contract's table alone. Nothing is connected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesoflow.cli.byhand.tables import rows_text
from mesoflow.hubs.contract import CALLBACKS, METHODS, Callback, Method
from mesoflow.hubs.facts import facts
from mesoflow.hubs.meanings import meaning_of
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.shapes import all_models, enums_in, models_in, shapes_of

BY_HAND = {
    "read": "hub call",
    "change": "hub call --yes",
    "prepare": "hub call --yes",
    "trade": "only through a run",
}


ROLES = {"args": "arguments", "result": "result", "payload": "payload"}


def overview() -> dict[str, Any]:
    """Every method and callback."""
    return {
        "format_version": 1,
        "methods": [_row(method) for method in METHODS.values()],
        "callbacks": [
            {"callback": callback.name, "payload": callback.event_type, "known": mark(callback.documented)}
            for callback in CALLBACKS.values()
        ],
    }


def _row(method: Method) -> dict[str, Any]:
    by_hand = "hub stream" if method.kind == "stream" else BY_HAND[method.klass]
    return {
        "method": method.name,
        "hub": method.hub,
        "class": method.klass,
        "paged": method.items is not None,
        "known": mark(method.documented),
        "by_hand": by_hand,
    }


def mark(documented: bool) -> str:
    """How we know of it."""
    return "documented" if documented else "inferred"


def overview_text(width: int) -> str:
    """Two tables."""
    seen = overview()
    return "\n".join(
        (
            rows_text(seen["methods"], width),
            "",
            rows_text(seen["callbacks"], width),
            "",
            "`mesoflow hub list NAME` shows a method's arguments and result, a callback's payload; `hub watch` hears them.",
        )
    )


def one(row: Method | Callback) -> dict[str, Any]:
    """One method or callback: what it takes and gives, and every model and enum that they hold."""
    if isinstance(row, Callback):
        known = facts().callbacks[row.name]
        return {
            "format_version": 1,
            "callback": row.name,
            "hub": "event",
            "known": mark(known.documented),
            "source": known.source,
            "payload": row.event_type,
            **_held(row.event_model),
        }
    args, result = row.args_model, row.result_model
    about: dict[str, Any] = {
        **_row(row),
        "keyed": row.keyed,
        "source": facts().methods[row.name].source,
        "args": args.__name__,
        "result": result.__name__,
    }
    return {"format_version": 1, **about, **_held(args, result)}


def _held(*tops: type[Wire]) -> dict[str, Any]:
    """Models and enums, those that are held by others included."""
    models = list(tops)
    for model in models:
        inner = [held for shape in shapes_of(model).values() for held in models_in(shape.annotation)]
        models += [held for held in inner if held not in models]
    enums = {
        enum.__name__: [member.value for member in enum]
        for model in models
        for shape in shapes_of(model).values()
        for enum in enums_in(shape.annotation)
    }
    return {
        "models": {model.__name__: _model(model) for model in models},
        "enums": {
            name: {"known": mark(known.documented), "complete": known.complete, "members": members}
            for name, members in enums.items()
            if (known := facts().enums[name])
        },
    }


def _model(model: type[Wire]) -> dict[str, Any]:
    known = facts().models[_documented_name(model)]
    fields = {}
    for wire_name, shape in shapes_of(model).items():
        field = known.fields.get(wire_name)
        fields[wire_name] = {
            "type": shape.type,
            "required": shape.required,
            "null": shape.nullable,
            "known": mark(field is not None and field.documented),
            "meaning": meaning_of(model.__name__, wire_name),
        }
    return {
        "about": " ".join((model.__doc__ or "").split()),
        "known": mark(known.documented),
        "source": known.source,
        "fields": fields,
    }


def _documented_name(model: type[Wire]) -> str:
    """The record's wrapper is read as the record itself, which is the one that is documented."""
    record = "IdempotencyRecord"
    return (
        record
        if model is not all_models()[record] and model.__mro__[1].__name__ == record
        else model.__name__
    )


def one_text(row: Method | Callback) -> str:
    """The same for people."""
    return "\n".join(_lines(row))


def _lines(row: Method | Callback) -> Iterator[str]:
    seen = one(row)
    roles = {seen[role]: role for role in ("args", "result", "payload") if role in seen}
    if isinstance(row, Callback):
        yield f"{row.name}  event hub, callback, {seen['known']} ({seen['source']})"
        yield "  by hand  hub watch"
    else:
        yield f"{row.name}  {row.hub} hub, {row.klass}, {seen['known']} ({seen['source']})"
        yield f"  by hand  {seen['by_hand']}"
        if row.items:
            yield f"  paged    {row.items}"
    for name, model in seen["models"].items():
        role = f" ({ROLES[roles[name]]})" if name in roles else ""
        yield ""
        yield f"{name}{role}  {model['known']} ({model['source']})"
        yield f"  {model['about']}"
        yield from _field_lines(model["fields"])
    if seen["enums"]:
        yield ""
    for name, enum in seen["enums"].items():
        more = "" if enum["complete"] else ", …"
        yield f"{name}  {', '.join(enum['members'])}{more}  ({enum['known']})"


def _field_lines(fields: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """A line a field; what it means is never cut."""
    if not fields:
        yield "  no fields"
        return
    wide, wider = (max(map(len, texts)) for texts in (fields, [about["type"] for about in fields.values()]))
    for name, about in fields.items():
        needed = "required" if about["required"] else "optional"
        null = ", null" if about["null"] and about["required"] else ""
        yield (
            f"  {name:<{wide}}  {about['type']:<{wider}}  {needed + null:<14}  {about['known']:<10}  {about['meaning']}"
        )
