"""How a hub writes its models, where a dial says otherwise than the contract's own form: casing, and enums as numbers.

At rest a model is written as it writes itself: PascalCase, members by name. Keys of dictionaries (ids, names of legs) and
free content are nobody's fields and stay as they are. A member's number is its place in our enum: some number, for none is
documented, and no client may understand one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from mesoflow.hubs.models.base import Wire
from mesoflow.simulator.faults import Faults


def form(model: Wire, faults: Faults) -> dict[str, Any]:
    """As an encoder wants it."""
    if faults.casing == "Pascal" and not faults.enum_numbers:
        return model.wire()
    return _object(model, faults)


def _object(model: Wire, faults: Faults) -> dict[str, Any]:
    fields = {
        _key(field.alias or name, faults): _value(getattr(model, name), faults)
        for name, field in type(model).model_fields.items()
    }
    return fields | (model.model_extra or {})


def _key(wire_name: str, faults: Faults) -> str:
    """ASP.NET Core's own casing begins small."""
    return wire_name[:1].lower() + wire_name[1:] if faults.casing == "camel" else wire_name


def _value(value: object, faults: Faults) -> Any:  # noqa: ANN401 - plain objects for an encoder
    match value:
        case Wire():
            return _object(value, faults)
        case Enum():
            return list(type(value)).index(value) if faults.enum_numbers else value.value
        case Mapping():
            return {key: _value(item, faults) for key, item in value.items()}
        case list() | tuple():
            return [_value(item, faults) for item in value]
    return value
