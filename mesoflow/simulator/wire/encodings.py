"""The two encodings a client may choose: JSON in text frames, MessagePack in binary ones. Own code, not the client's.

What .NET writes by default (hub/signalr.md §7): decimals as plain JSON numbers with their own scale, as text in
MessagePack; times ISO 8601 in UTC, as the timestamp extension in MessagePack; `decimals` changes that. Names and enum
members are written as they are given: the world gives models, whose wire form is PascalCase with names. Numbers that
arrive are exact: Decimal, never float.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from mesoflow.hubs.models.base import Wire
from mesoflow.simulator.wire.core import VOID
from mesoflow.simulator.wire.messages import (
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Kind,
    Malformed,
    Message,
    Ping,
    StreamInvocation,
    StreamItem,
)

Decimals: TypeAlias = Literal["number", "text"]

SEPARATOR = 0x1E
# A MessagePack frame's length takes at most five bytes (2^31 − 1).
_LENGTH_BYTES_MAX = 5


class Encoding(Protocol):
    """Between bytes and messages. `text`: which kind of websocket frame carries it."""

    name: str
    text: bool

    def read(self, data: bytes) -> tuple[list[Message], bytes]:
        """The whole messages, unknown kinds left out, and the beginning of one whose end is yet to come.

        Raises Malformed.
        """

    def write(self, message: Message) -> bytes:
        """One message, framed."""


def _plain(value: object) -> Any:  # noqa: ANN401 - what msgspec can write
    if isinstance(value, Wire):
        return value.wire()
    raise TypeError(f"a hub answered with {type(value).__name__}, which the wire cannot carry")


def _arguments(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("arguments are a list")
    return value


def _name(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{what} is text")
    return value


def _streams(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


class JsonEncoding:
    """Records of JSON, each ended by 0x1E; a record is never split over two frames by this server."""

    name = "json"
    text = True

    def __init__(self, decimals: Decimals = "number") -> None:
        form: Literal["string", "number"] = "number" if decimals == "number" else "string"
        self._encoder = msgspec.json.Encoder(enc_hook=_plain, decimal_format=form)
        self._decoder = msgspec.json.Decoder(float_hook=Decimal)

    def read(self, data: bytes) -> tuple[list[Message], bytes]:
        *records, rest = data.split(b"\x1e")
        found = [self._read_one(record) for record in records]
        return [message for message in found if message is not None], rest

    def _read_one(self, record: bytes) -> Message | None:
        try:
            raw = self._decoder.decode(record)
        except (msgspec.DecodeError, ValueError) as error:
            raise Malformed(f"not JSON: {error}") from error
        if not isinstance(raw, dict):
            raise Malformed("a message is an object")
        get = raw.get
        match get("type"):
            case Kind.INVOCATION:
                identity = get("invocationId")
                target, arguments = _name(get("target"), "target"), _arguments(get("arguments"))
                known = None if identity is None else _name(identity, "invocationId")
                return Invocation(target, arguments, known, _streams(get("streamIds")))
            case Kind.STREAM_INVOCATION:
                identity = _name(get("invocationId"), "invocationId")
                target, arguments = _name(get("target"), "target"), _arguments(get("arguments"))
                return StreamInvocation(target, arguments, identity, _streams(get("streamIds")))
            case Kind.CANCEL:
                return CancelInvocation(_name(get("invocationId"), "invocationId"))
            case Kind.PING:
                return Ping()
            case Kind.CLOSE:
                reason = get("error")
                return Close(None if reason is None else str(reason), bool(get("allowReconnect", False)))
            case _:
                return None

    def write(self, message: Message) -> bytes:
        data = bytearray()
        self._encoder.encode_into(_json_form(message), data)
        data.append(SEPARATOR)
        return bytes(data)


def _json_form(message: Message) -> dict[str, Any]:
    match message:
        case Completion(id=identity, error=str(failure)):
            return {"type": Kind.COMPLETION, "invocationId": identity, "error": failure}
        case Completion(id=identity, result=result):
            plain = {"type": Kind.COMPLETION, "invocationId": identity}
            return plain if result is VOID else {**plain, "result": result}
        case StreamItem(id=identity, item=item):
            return {"type": Kind.STREAM_ITEM, "invocationId": identity, "item": item}
        case Invocation(target=target, arguments=arguments):
            return {"type": Kind.INVOCATION, "target": target, "arguments": arguments}
        case Ping():
            return {"type": Kind.PING}
        case Close(error=error, allow_reconnect=allowed):
            plain = {"type": Kind.CLOSE} if error is None else {"type": Kind.CLOSE, "error": error}
            return {**plain, "allowReconnect": True} if allowed else plain
        case _:
            raise TypeError(f"a server does not write {type(message).__name__}")


_ERROR, _NOTHING, _RESULT = 1, 2, 3


class MessagePackEncoding:
    """Arrays of MessagePack, each behind its length as a VarInt."""

    name = "messagepack"
    text = False

    def __init__(self, decimals: Decimals = "text") -> None:
        form: Literal["string", "number"] = "number" if decimals == "number" else "string"
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_plain, decimal_format=form)
        self._decoder = msgspec.msgpack.Decoder(strict=False)

    def read(self, data: bytes) -> tuple[list[Message], bytes]:
        records, rest = split_lengths(data)
        found = [self._read_one(record) for record in records]
        return [message for message in found if message is not None], rest

    def _read_one(self, record: bytes) -> Message | None:
        try:
            raw = self._decoder.decode(record)
        except (msgspec.DecodeError, ValueError) as error:
            raise Malformed(f"not MessagePack: {error}") from error
        if not isinstance(raw, list) or not raw:
            raise Malformed("a message is a list")
        try:
            return _from_array(raw)
        except IndexError:
            raise Malformed(f"a message of type {raw[0]!r} with {len(raw)} elements") from None

    def write(self, message: Message) -> bytes:
        body = self._encoder.encode(_array(message))
        return write_length(len(body)) + body


def _from_array(raw: list[Any]) -> Message | None:
    match raw[0]:
        case Kind.INVOCATION:
            known = None if raw[2] is None else _name(raw[2], "invocationId")
            target, arguments = _name(raw[3], "target"), _exact(_arguments(raw[4]))
            return Invocation(target, arguments, known, _streams(raw[5] if len(raw) > 5 else None))
        case Kind.STREAM_INVOCATION:
            target, arguments = _name(raw[3], "target"), _exact(_arguments(raw[4]))
            streams = _streams(raw[5] if len(raw) > 5 else None)
            return StreamInvocation(target, arguments, _name(raw[2], "invocationId"), streams)
        case Kind.CANCEL:
            return CancelInvocation(_name(raw[2], "invocationId"))
        case Kind.PING:
            return Ping()
        case Kind.CLOSE:
            return Close(None if raw[1] is None else str(raw[1]), bool(raw[2]) if len(raw) > 2 else False)
        case _:
            return None


def _exact(value: Any) -> Any:  # noqa: ANN401 - whatever the client sent
    """A binary float's shortest text is what the client meant."""
    match value:
        case float():
            return Decimal(repr(value))
        case list():
            return [_exact(item) for item in value]
        case dict():
            return {key: _exact(item) for key, item in value.items()}
        case _:
            return value


def _array(message: Message) -> list[Any]:
    match message:
        case Completion(id=identity, error=str(failure)):
            return [Kind.COMPLETION, {}, identity, _ERROR, failure]
        case Completion(id=identity, result=result) if result is VOID:
            return [Kind.COMPLETION, {}, identity, _NOTHING]
        case Completion(id=identity, result=result):
            return [Kind.COMPLETION, {}, identity, _RESULT, result]
        case StreamItem(id=identity, item=item):
            return [Kind.STREAM_ITEM, {}, identity, item]
        case Invocation(target=target, arguments=arguments):
            return [Kind.INVOCATION, {}, None, target, arguments, []]
        case Ping():
            return [Kind.PING]
        case Close(error=error, allow_reconnect=allowed):
            return [Kind.CLOSE, error, allowed]
        case _:
            raise TypeError(f"a server does not write {type(message).__name__}")


def write_length(length: int) -> bytes:
    """A VarInt: seven bits a byte, lowest first."""
    parts = bytearray()
    while length > 0x7F:
        parts.append(length & 0x7F | 0x80)
        length >>= 7
    parts.append(length)
    return bytes(parts)


def split_lengths(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole records, and the beginning of one whose end is yet to come. Raises Malformed."""
    records: list[bytes] = []
    at = 0
    while (body := _read_length(data, at)) is not None:
        start, length = body
        if start + length > len(data):
            break
        records.append(data[start : start + length])
        at = start + length
    return records, data[at:]


def _read_length(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the record begins, and its length; None while the length itself is cut short."""
    length = 0
    for index, byte in enumerate(data[at : at + _LENGTH_BYTES_MAX]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return at + index + 1, length
    if len(data) - at >= _LENGTH_BYTES_MAX:
        raise Malformed(f"a length of more than {_LENGTH_BYTES_MAX} bytes")
    return None
