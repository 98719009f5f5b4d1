"""What all wire models share: names, tolerance, and the two ways out (a Value, or plain objects for an encoder).

Reading is tolerant: keys in any casing, decimals from numbers or text, times with or without a zone (without: UTC),
enums by name; unknown fields and members are kept and noted in hubs/differences.py. Writing is exact: PascalCase names
in the order of declaration, enum members by name. Models are deferred: a validator is built at its first use.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache, partial
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationInfo, model_validator

from mesoflow.hubs.differences import DIFFERENCES

# Parts of names that are not simply capitalised on the wire.
_WIRE_PARTS = {"pnl": "PnL", "pnls": "PnLs", "iv": "IV", "wvega": "WVega"}
_SNAKE_PARTS = (("PnL", "Pnl"), ("IV", "Iv"), ("WVega", "Wvega"))
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def wire_name(name: str) -> str:
    """`realized_pnl` → `RealizedPnL`."""
    return "".join(_WIRE_PARTS.get(part, part[:1].upper() + part[1:]) for part in name.split("_"))


@cache
def snake_name(name: str) -> str:
    """`RealizedPnL`, `realizedPnL` → `realized_pnl`; for fields that the models do not know."""
    for wire, plain in _SNAKE_PARTS:
        name = name.replace(wire, plain)
    return _HUMP.sub("_", name).lower()


def folded(name: str) -> str:
    """What is equal in every casing."""
    return name.replace("_", "").lower()


@cache
def _names(model: type["Wire"]) -> dict[str, str]:
    return {folded(name): name for name in model.model_fields} | {
        folded(field.alias): name for name, field in model.model_fields.items() if field.alias
    }


@cache
def _exact_name(model: type["Wire"], key: str) -> str | None:
    """The attribute for a key as received. Cached: the same few hundred keys come again and again."""
    return _names(model).get(folded(key))


@cache
def _fields(model: type["Wire"]) -> tuple[tuple[str, str], ...]:
    """The model's attributes, each with its name on the wire."""
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())


class Wire(BaseModel):
    """Base of every model. Attributes are snake_case, the wire is PascalCase."""

    model_config = ConfigDict(
        defer_build=True,
        extra="allow",
        alias_generator=wire_name,
        validate_by_name=True,
        validate_by_alias=False,
        coerce_numbers_to_str=True,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _fold_keys(cls, data: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever came over the wire
        if type(data) is not dict and not isinstance(data, Mapping):
            return data
        found: dict[str, Any] = {}
        for key, value in data.items():
            name = _exact_name(cls, key) if isinstance(key, str) else None
            if name is None:
                if info.context == "write":
                    raise ValueError(f"{cls.__name__} has no field {key!r}")
                DIFFERENCES.note("field", cls.__name__, str(key))
                name = str(key)
            found[name] = value
        return found

    @classmethod
    def read(cls, data: object) -> Self:
        """From what a codec decoded, tolerantly. Raises pydantic.ValidationError."""
        return cls.model_validate(data)

    def value(self) -> dict[str, Any]:
        """As a Value: snake_case keys, enums by name, decimals exact, aware times, text for integer keys."""
        plain = {name: to_value(getattr(self, name)) for name, _ in _fields(type(self))}
        for key, extra in (self.model_extra or {}).items():
            plain[snake_name(key)] = to_value(extra)
        return plain

    def wire(self) -> dict[str, Any]:
        """As an encoder wants it: PascalCase keys, null members written, unknown fields as they came."""
        return self._wire(unset=True)

    def _wire(self, *, unset: bool) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for name, alias in _fields(type(self)):
            if unset or name in self.model_fields_set:
                plain[alias] = _to_wire(getattr(self, name), unset=unset)
        plain.update(self.model_extra or {})
        return plain


class Args(Wire):
    """The one argument of a method. Required fields are always written, optional ones when they were given."""

    @classmethod
    def write(cls, args: Mapping[str, Any]) -> Self:
        """From arguments in snake_case; a field that the contract does not know is refused, for it is our mistake."""
        return cls.model_validate(args, context="write")

    def wire(self) -> dict[str, Any]:
        return self._wire(unset=False)


class PageArgs(Args):
    """Arguments of a method that answers page by page."""

    limit: int | None = None  # page size; null: the hub's own
    continuation_token: str | None = None  # from the page before; opaque


class Page(Wire):
    """One page of an answer."""

    continuation_token: str | None = None  # null: this was the last page


# What stays as it is, by its exact type: most of what there is, told without trying one kind after another.
_LEAVES = frozenset({str, int, bool, type(None), Decimal, datetime})


def to_value(value: object) -> Any:  # noqa: ANN401 - a Value is any of its kinds
    """Anything a model holds, as a Value."""
    if type(value) in _LEAVES:
        return value
    match value:
        case Wire():
            return value.value()
        case Enum():
            return str(value.value)
        case Mapping():
            return {str(key): to_value(item) for key, item in value.items()}
        case list() | tuple():
            return [to_value(item) for item in value]
        case float():
            # Only where a peer sent a binary float inside free JSON; its shortest text is what it meant.
            return Decimal(repr(value))
        case _:
            return value


def _to_wire(value: object, *, unset: bool) -> Any:  # noqa: ANN401 - plain objects for an encoder
    if type(value) in _LEAVES:
        return value
    match value:
        case Wire():
            return value._wire(unset=unset)
        case Enum():
            return value.value
        case Mapping():
            return {key: _to_wire(item, unset=unset) for key, item in value.items()}
        case list() | tuple():
            return [_to_wire(item, unset=unset) for item in value]
        case _:
            return value


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# A point in time, always aware and in UTC.
Instant = Annotated[datetime, AfterValidator(_in_utc)]


@cache
def _members(enum: type[StrEnum]) -> dict[str, StrEnum]:
    return {folded(member.value): member for member in enum}


def _read_member(enum: type[StrEnum], raw: object) -> str:
    """The member of that name in any casing; else the text as received, noted.

    Numbers are never mapped: no order of members is documented, and a wrong one would turn a refusal into a success.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise ValueError(f"{enum.__name__} is a name, not {type(raw).__name__}")
    text = str(raw)
    member = _members(enum).get(folded(text))
    if member is None:
        DIFFERENCES.note("member", enum.__name__, text)
        return text
    return member


def member_of(enum: type[StrEnum]) -> PlainValidator:
    """Reads a member by name, keeping unknown ones as text: `Annotated[OrderState | str, member_of(OrderState)]`."""
    return PlainValidator(partial(_read_member, enum))


def flags_of(enum: type[StrEnum]) -> PlainValidator:
    """Reads a set of flags, one text as .NET writes it: `Prices, PnL`."""
    return PlainValidator(partial(_read_flags, enum))


def _read_flags(enum: type[StrEnum], raw: object) -> str:
    if isinstance(raw, list | tuple):
        raw = ", ".join(str(part) for part in raw)
    if not isinstance(raw, str) or "," not in raw:
        return _read_member(enum, raw)
    return ", ".join(str(_read_member(enum, part.strip())) for part in raw.split(","))


def has_flag(value: str, flag: str) -> bool:
    """Whether a set of flags contains one; `All` contains every one."""
    parts = {folded(part.strip()) for part in str(value).split(",")}
    return folded(flag) in parts or "all" in parts
