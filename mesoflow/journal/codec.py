"""Values as text and back: the journal's stored form, its canonical form, and digests.

Stored form (`encode`): compact UTF-8 JSON in insertion order (sorting changed the order of leg groups). Canonical form
(`canonical`): the same with keys sorted, for digests. A decimal, an instant and a date are JSON strings with a tag:

    "=n4.350"                     Decimal; 4.35 and 4.350 are different values
    "=t2026-11-25T15:45:00Z"      an aware datetime, in UTC
    "=d2026-11-25"                a date
    "==…"                         a text that itself begins with "=": one "=" is taken off
    "=b…"                         not of this file: a large value kept once, elsewhere (journal/blobs.py)

Strings rather than objects: keys need no escape, a text without `"=` needs no second look, and any JSON tool reads the
export without losing a digit. Floats are refused, always: a price that went through one is not the price any more.
What comes out of `decode` is plain: dict, list, str, int, bool, None, Decimal, datetime in UTC, date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from mesoflow.engine.effects import Value
from mesoflow.journal.errors import CodecError

DEPTH_MAX = 100  # Deeper than any hub answer, and far from the interpreter's own recursion limit.
INT_MAX = 10**100  # Python's own limit for digits is configurable; a journal must not depend on it.
_WORD = 2**62  # What is below is far below INT_MAX, and quick to tell.


def _refuse_float(text: str) -> Value:
    raise ValueError(f"the journal never writes a number like {text}")


def _raw(value: object) -> msgspec.Raw:
    if isinstance(value, Fragment):
        return msgspec.Raw(value.text)
    raise TypeError(f"{type(value).__name__} was not made plain; this is a bug in mesoflow")


_DECODER = msgspec.json.Decoder(float_hook=_refuse_float)
_STORED = msgspec.json.Encoder(enc_hook=_raw)
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def encode(value: Value) -> str:
    """The stored form. Raises CodecError for what cannot come back as it went in."""
    return encode_bytes(value).decode()


def encode_bytes(value: Value) -> bytes:
    """The stored form as the bytes that are hashed."""
    return _written(_STORED, value)


def canonical(value: Value) -> bytes:
    """The canonical form: equal values have equal bytes, whatever order their keys were put in."""
    return _written(_CANONICAL, value)


def digest(value: Value) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


class Fragment:
    """A value's stored form, to be put into a body as it is. Only `encode` takes one: no digest covers it."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text


def fragment(value: Value) -> tuple[Fragment, Value]:
    """The value's stored form for a body, and the value as it will be read back: encoded once for both."""
    text = encode_bytes(value)
    return Fragment(text), decode(text)


def decode(text: str | bytes) -> Value:
    """The value of a stored or canonical form. Raises CodecError when the text is neither."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise CodecError("", f"not JSON as the journal writes it ({error})") from None
    tagged = b'"=' in text if isinstance(text, bytes) else '"=' in text
    return _untagged([value])[0] if tagged else value


def _written(encoder: msgspec.json.Encoder, value: Value) -> bytes:
    try:
        return encoder.encode(_plain(value, 0))
    except _Refused as refused:
        raise CodecError(_spelled(refused.where), refused.reason) from None
    except UnicodeEncodeError:
        raise CodecError("", "a text holds half a surrogate pair, which is not UTF-8") from None


class _Refused(Exception):
    """Collects the place of a refusal on the way out, so that the way in costs nothing."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.where: list[str | int] = []


def _plain(value: Value, depth: int) -> Value:
    kind = type(value)
    if kind is str:
        return "=" + value if value[:1] == "=" else value
    if value is None or kind is bool:
        return value
    if kind is int:
        return _bounded(value)
    if kind is dict:
        return _plain_dict(value, depth)
    if kind is list or kind is tuple:
        return _plain_list(value, depth)
    writer = _WRITERS.get(kind)
    return writer(value) if writer is not None else _plain_other(value, depth)


def _plain_dict(value: Mapping[Any, Value], depth: int) -> dict[str, Any]:
    if depth >= DEPTH_MAX:
        raise _Refused(f"nested deeper than {DEPTH_MAX}")
    plain: dict[str, Any] = {}
    for key, item in value.items():
        name = key if type(key) is str else _plain_key(key)
        kind = type(item)
        # The commonest leaves without a call.
        if kind is str:
            plain[name] = "=" + item if item[:1] == "=" else item
        elif item is None or kind is bool or (kind is int and -_WORD < item < _WORD):
            plain[name] = item
        elif kind is Decimal and item.is_finite():
            plain[name] = f"=n{item!s}"
        else:
            try:
                plain[name] = _plain(item, depth + 1)
            except _Refused as refused:
                refused.where.append(name)
                raise
    return plain


def _plain_key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise _Refused(f"a key must be a text, not {key!r}")


def _plain_list(value: list[Value] | tuple[Value, ...], depth: int) -> list[Any]:
    if depth >= DEPTH_MAX:
        raise _Refused(f"nested deeper than {DEPTH_MAX}")
    plain: list[Any] = []
    for item in value:
        if type(item) is str:
            plain.append("=" + item if item[:1] == "=" else item)
            continue
        try:
            plain.append(_plain(item, depth + 1))
        except _Refused as refused:
            refused.where.append(len(plain))
            raise
    return plain


def _plain_other(value: Value, depth: int) -> Value:
    """Members of enums and other subclasses count as what they are; what is left has no form here."""
    if isinstance(value, str):
        return _plain(str.__str__(value), depth)
    if isinstance(value, int):
        return _bounded(int(value))
    if isinstance(value, Mapping):
        return _plain_dict(value, depth)
    if isinstance(value, list | tuple):
        return _plain_list(value, depth)
    for kind, writer in _WRITERS.items():
        if isinstance(value, kind):
            return writer(value)
    raise _Refused(
        f"a value of type {type(value).__name__} has no form in the journal; make it text, a number, a list or a dict"
    )


def _bounded(value: int) -> int:
    if -INT_MAX < value < INT_MAX:
        return value
    raise _Refused("a whole number of more than 100 digits")


def _plain_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise _Refused(f"the decimal {value} is not a finite number")
    return f"=n{value!s}"  # `!s`: four times as fast as a bare field


def _plain_datetime(value: datetime) -> str:
    if value.tzinfo is UTC:
        return f"=t{value.isoformat()[:-6]}Z"
    if value.utcoffset() is None:
        raise _Refused(f"the time {value.isoformat()} has no time zone")
    try:
        return _plain_datetime(value.astimezone(UTC))
    except OverflowError:
        raise _Refused(f"the time {value.isoformat()} does not exist in UTC") from None


def _plain_date(value: date) -> str:
    return f"=d{value.isoformat()}"


def _plain_float(value: float) -> str:
    raise _Refused(f"the float {value!r} is not exact; use a Decimal")


# A datetime is a date too, so it stands before it.
_WRITERS: dict[type, Callable[[Any], Any]] = {
    Decimal: _plain_decimal,
    datetime: _plain_datetime,
    date: _plain_date,
    float: _plain_float,
    Fragment: lambda value: value,
}


def _untagged(node: Value) -> Value:
    """`node`, a container, with every tagged text in it replaced in place. Written for speed: `resume` lives here."""
    if type(node) is dict:
        for key, value in node.items():
            kind = type(value)
            if kind is str:
                if value and value[0] == "=":
                    node[key] = _untagged_text(value)
            elif kind is dict or kind is list:
                _untagged(value)
    else:
        for index, value in enumerate(node):
            kind = type(value)
            if kind is dict or kind is list:
                _untagged(value)
            elif kind is str and value and value[0] == "=":
                node[index] = _untagged_text(value)
    return node


def _untagged_text(text: str) -> Value:
    try:
        return _READERS[text[1]](text[2:])
    except (IndexError, KeyError, ValueError, InvalidOperation):
        raise CodecError("", f"holds the text {text!r}, whose tag has no meaning") from None


def _read_datetime(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is not UTC:
        raise ValueError(text)
    return value


class BlobRef(str):
    """The digest of a value that is kept elsewhere. Only journal/blobs.py makes and resolves them."""

    __slots__ = ()


def _read_reference(text: str) -> BlobRef:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError(text)
    return BlobRef(text)


_READERS: dict[str, Callable[[str], Value]] = {
    "n": Decimal,
    "t": _read_datetime,
    "d": date.fromisoformat,
    "=": lambda text: "=" + text,
    "b": _read_reference,
}


def _spelled(where: list[str | int]) -> str:
    spelled = ""
    for part in reversed(where):
        spelled += f"[{part}]" if isinstance(part, int) else f".{part}" if spelled else str(part)
    return spelled
