"""How a hub writes its models, where a dial says otherwise than the contract's own form: casing, enums as numbers, the hub's
clock, the time of day of an expiration.

At rest a model is written as it writes itself: PascalCase, members by name. Keys of dictionaries (ids, names of legs) and
free content are nobody's fields and stay as they are. A member's number is its place in our enum: some number, for none is
documented, and no client may understand one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.contracts import LiveContract
from mesoflow.simulator.faults import Faults

# `expiration_date`: how long before midnight UTC the day ends in New York in winter.
_NIGHT = timedelta(hours=5)
_DAY = timedelta(days=1)


def form(model: Wire, faults: Faults, now: datetime) -> dict[str, Any]:
    """As an encoder wants it."""
    skew = faults.skew(now)
    if faults.casing == "Pascal" and not faults.enum_numbers and not faults.expiration_date and not skew:
        return model.wire()
    return _Form(faults, skew).whole(model)


def expiration_told(settles: datetime) -> datetime:
    """Midnight after its day in New York (`expiration_date`): in UTC that is the day after."""
    return settles.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY + _NIGHT


def expiration_meant(told: datetime) -> datetime:
    """The way back: some time of the expiration's own day."""
    return told - _DAY


@dataclass(frozen=True, slots=True)
class _Form:
    """How one answer is written."""

    faults: Faults
    skew: timedelta

    def whole(self, model: Wire) -> dict[str, Any]:
        fields = {
            self._key(field.alias or name): self._field(model, name)
            for name, field in type(model).model_fields.items()
        }
        return fields | (model.model_extra or {})

    def _key(self, wire_name: str) -> str:
        """ASP.NET Core's own casing begins small."""
        return wire_name[:1].lower() + wire_name[1:] if self.faults.casing == "camel" else wire_name

    def _field(self, model: Wire, name: str) -> Any:  # noqa: ANN401 - plain objects for an encoder
        value = getattr(model, name)
        if isinstance(model, LiveContract) and name == "expiration" and value is not None:
            return expiration_told(value) if self.faults.expiration_date else value
        return self._value(value)

    def _value(self, value: object) -> Any:  # noqa: ANN401 - plain objects for an encoder
        match value:
            case Wire():
                return self.whole(value)
            case Enum():
                return list(type(value)).index(value) if self.faults.enum_numbers else value.value
            case datetime():
                return value + self.skew
            case Mapping():
                return {key: self._value(item) for key, item in value.items()}
            case list() | tuple():
                return [self._value(item) for item in value]
        return value
