"""SignalR's two encodings behind one interface: message objects to bytes, and bytes that may be cut anywhere to messages.

signalrcore gives the message classes and the protocol base class; what is here replaces its JSON (which makes floats) and
its MessagePack (whose completions are wrong). An instance belongs to one connection, for it carries the unfinished part
of a record over to the next frame. An argument arrives encoded already (`encode`) and is framed without being rendered
again: the bytes that a journal holds are those that are sent.

Numbers are exact: JSON decimals are read as Decimal and written as numbers, MessagePack carries them as text, which is
what .NET peers expect. NaN, infinity and floats are refused. A void completion has the result UNSET.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Raw
from signalrcore.messages.ack_message import AckMessage
from signalrcore.messages.cancel_invocation_message import CancelInvocationMessage
from signalrcore.messages.close_message import CloseMessage
from signalrcore.messages.completion_message import CompletionMessage
from signalrcore.messages.handshake.response import HandshakeResponseMessage
from signalrcore.messages.invocation_message import InvocationMessage
from signalrcore.messages.ping_message import PingMessage
from signalrcore.messages.sequence_message import SequenceMessage
from signalrcore.messages.stream_invocation_message import StreamInvocationMessage
from signalrcore.messages.stream_item_message import StreamItemMessage
from signalrcore.protocol.base_hub_protocol import BaseHubProtocol
from signalrcore.types import HubProtocolEncoding

EncodingName = Literal["json", "messagepack"]
# signalrcore is untyped; its message classes are told apart by isinstance.
Message: TypeAlias = Any

RECORD_SEPARATOR = b"\x1e"
# A record longer than this is not an options hub's: a whole chain is below 1 MiB. Also the socket's limit.
RECORD_BYTES_MAX = 16 * 1024 * 1024
# The protocol version without stateful reconnect, which is never negotiated (it would replay orders).
PROTOCOL_VERSION = 1


class Unreadable(ValueError):
    """What the peer sent is no SignalR message; the connection cannot go on."""


def read_handshake(received: bytes) -> tuple[HandshakeResponseMessage, bytes] | None:
    """The handshake's answer and what is glued behind it; None while it is incomplete. JSON for both encodings."""
    record, separator, rest = received.partition(RECORD_SEPARATOR)
    if not separator:
        return None
    try:
        answer = msgspec.json.decode(record)
    except msgspec.DecodeError as error:
        raise Unreadable(f"handshake: {error}") from error
    if not isinstance(answer, dict):
        raise Unreadable("handshake: not an object")
    return HandshakeResponseMessage(answer.get("error")), rest


class Codec(BaseHubProtocol):  # type: ignore[misc] # signalrcore is untyped
    """One connection's encoding."""

    name: EncodingName
    binary: bool
    _rest: bytes

    @property
    def incomplete(self) -> bool:
        """Whether the beginning of a record waits for its end."""
        return bool(self._rest)

    def handshake(self) -> bytes:
        """The handshake's request, JSON for both encodings."""
        return msgspec.json.encode({"protocol": self.name, "version": PROTOCOL_VERSION}) + RECORD_SEPARATOR

    def encode(self, value: object) -> bytes:
        """One argument. Raises TypeError or ValueError for what cannot be written exactly."""
        raise NotImplementedError

    def decode(self, argument: bytes) -> Any:  # noqa: ANN401 - free JSON
        """One argument, as it was encoded."""
        raise NotImplementedError

    def write_message(self, hub_message: Message) -> bytes:
        """A message with its frame. Arguments that are bytes were encoded before."""
        raise NotImplementedError

    def parse_messages(self, raw_message: bytes | str) -> list[Message]:
        """The messages that are complete now; the rest is kept. Unknown types are left out. Raises Unreadable."""
        raise NotImplementedError


def codec_of(encoding: EncodingName) -> Codec:
    """A fresh codec for a fresh connection."""
    return JsonCodec() if encoding == "json" else MessagePackCodec()


# Exact in both encodings, by their type alone.
_EXACT = frozenset({str, int, bool, type(None)})


def _exact(value: object) -> None:
    """Refuse what would not come out as it went in."""
    if type(value) in _EXACT:
        return
    match value:
        case float():
            raise TypeError(f"{value!r} is a binary float; money and quantities are Decimal")
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is not a number that can be sent")
        case Mapping():
            for item in value.values():
                _exact(item)
        case list() | tuple():
            for item in value:
                _exact(item)


def _raw(argument: object) -> object:
    return Raw(argument) if isinstance(argument, bytes) else argument


# ── JSON ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Record(msgspec.Struct, rename="camel", gc=False):
    """All fields of all messages. msgspec ignores unknown ones; a message without a type is ignored like an unknown."""

    type: int = 0
    invocation_id: str | None = None
    target: str = ""
    arguments: list[Any] = []
    stream_ids: list[str] | None = None
    item: Any = None
    result: Any = UNSET
    error: str | None = None
    allow_reconnect: bool | None = None
    sequence_id: int = 0
    headers: dict[str, str] | None = None


_read_record = msgspec.json.Decoder(_Record, float_hook=Decimal).decode
_write_json = msgspec.json.Encoder(decimal_format="number").encode


class JsonCodec(Codec):
    """Text frames; each record ends with 0x1E."""

    name: EncodingName = "json"
    binary = False

    def __init__(self) -> None:
        super().__init__("json", PROTOCOL_VERSION, HubProtocolEncoding.text, chr(0x1E))
        self._rest = b""

    def encode(self, value: object) -> bytes:
        _exact(value)
        return _write_json(value)

    def decode(self, argument: bytes) -> Any:  # noqa: ANN401 - free JSON
        return msgspec.json.decode(argument)

    def write_message(self, hub_message: Message) -> bytes:
        return _write_json(_json_record(hub_message)) + RECORD_SEPARATOR

    def parse_messages(self, raw_message: bytes | str) -> list[Message]:
        data = raw_message.encode() if isinstance(raw_message, str) else raw_message
        *records, self._rest = (self._rest + data).split(RECORD_SEPARATOR)
        if len(self._rest) > RECORD_BYTES_MAX:
            raise Unreadable(f"a record longer than {RECORD_BYTES_MAX} bytes")
        messages = (_json_message(record) for record in records if record)
        return [message for message in messages if message is not None]


def _json_message(data: bytes) -> Message:
    try:
        record = _read_record(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError) as error:
        raise Unreadable(str(error)) from error
    headers = record.headers or {}
    identity = record.invocation_id
    match record.type:
        case 1:
            return InvocationMessage(identity, record.target, record.arguments, headers=headers)
        case 2:
            return StreamItemMessage(identity, record.item, headers=headers)
        case 3:
            return CompletionMessage(identity, record.result, record.error, headers=headers)
        case 4:
            return StreamInvocationMessage(
                identity, record.target, record.arguments, record.stream_ids or [], headers=headers
            )
        case 5:
            return CancelInvocationMessage(identity, headers=headers)
        case 6:
            return PingMessage()
        case 7:
            return CloseMessage(record.error, record.allow_reconnect, headers=headers)
        case 8:
            return AckMessage(record.sequence_id)
        case 9:
            return SequenceMessage(record.sequence_id)
        case _:
            return None


def _json_record(message: Message) -> dict[str, Any]:
    record: dict[str, Any] = {"type": message.type.value}
    if getattr(message, "headers", None):
        record["headers"] = message.headers
    if getattr(message, "invocation_id", None) is not None:
        record["invocationId"] = message.invocation_id
    match message:
        case InvocationMessage() | StreamInvocationMessage():
            record |= {
                "target": message.target,
                "arguments": [_raw(argument) for argument in message.arguments],
            }
            if getattr(message, "stream_ids", None):
                record["streamIds"] = message.stream_ids
        case StreamItemMessage():
            record["item"] = _raw(message.item)
        case CompletionMessage():
            if message.error is not None:
                record["error"] = message.error
            elif message.result is not UNSET:
                record["result"] = _raw(message.result)
        case CloseMessage():
            record |= {} if message.error is None else {"error": message.error}
            record |= {} if message.allow_reconnect is None else {"allowReconnect": message.allow_reconnect}
        case AckMessage() | SequenceMessage():
            record["sequenceId"] = message.sequence_id
    return record


# ── MessagePack ────────────────────────────────────────────────────────────────────────────────────────────────────────

_ERROR, _VOID, _VALUE = 1, 2, 3

_read_array = msgspec.msgpack.Decoder().decode
_write_array = msgspec.msgpack.Encoder(decimal_format="string").encode


class MessagePackCodec(Codec):
    """Binary frames; each message is an array behind its length as a VarInt."""

    name: EncodingName = "messagepack"
    binary = True

    def __init__(self) -> None:
        super().__init__("messagepack", PROTOCOL_VERSION, HubProtocolEncoding.binary, chr(0x1E))
        self._rest = b""

    def encode(self, value: object) -> bytes:
        _exact(value)
        return _write_array(value)

    def decode(self, argument: bytes) -> Any:  # noqa: ANN401 - free JSON
        return msgspec.msgpack.decode(argument)

    def write_message(self, hub_message: Message) -> bytes:
        array = _write_array(_pack_array(hub_message))
        return _varint(len(array)) + array

    def parse_messages(self, raw_message: bytes | str) -> list[Message]:
        if isinstance(raw_message, str):
            raise Unreadable("a text frame where MessagePack was agreed")
        data = self._rest + raw_message
        messages: list[Message] = []
        start = 0
        while (span := _next_record(data, start)) is not None:
            message = _pack_message(data[span[0] : span[1]])
            if message is not None:
                messages.append(message)
            start = span[1]
        self._rest = data[start:]
        return messages


def _varint(length: int) -> bytes:
    out = bytearray()
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def _next_record(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the record at `start` lies, without its length; None when it is not complete."""
    length = shift = 0
    # Five bytes of seven bits hold every length that SignalR allows.
    for position in range(start, min(start + 5, len(data))):
        length |= (data[position] & 0x7F) << shift
        shift += 7
        if data[position] < 0x80:
            if length > RECORD_BYTES_MAX:
                raise Unreadable(f"a record longer than {RECORD_BYTES_MAX} bytes")
            end = position + 1 + length
            return (position + 1, end) if end <= len(data) else None
    if len(data) - start >= 5:
        raise Unreadable("a length of more than five bytes")
    return None


def _pack_message(data: bytes) -> Message:
    try:
        array = _read_array(data)
        if not isinstance(array, list) or not array:
            raise Unreadable("not an array")
        return _from_array(array)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    except (IndexError, TypeError) as error:
        raise Unreadable(f"an array of the wrong shape: {error}") from error


def _from_array(array: list[Any]) -> Message:
    match array[0]:
        case 1:
            return InvocationMessage(array[2], str(array[3]), list(array[4]), headers=array[1] or {})
        case 2:
            return StreamItemMessage(array[2], array[3], headers=array[1] or {})
        case 3:
            return _completion(array)
        case 4:
            streams = list(array[5]) if len(array) > 5 else []
            return StreamInvocationMessage(
                array[2], str(array[3]), list(array[4]), streams, headers=array[1] or {}
            )
        case 5:
            return CancelInvocationMessage(array[2], headers=array[1] or {})
        case 6:
            return PingMessage()
        case 7:
            return CloseMessage(array[1] if len(array) > 1 else None, array[2] if len(array) > 2 else None)
        case 8:
            return AckMessage(array[1])
        case 9:
            return SequenceMessage(array[1])
        case _:
            return None


def _completion(array: list[Any]) -> Message:
    headers, identity, kind = array[1] or {}, array[2], array[3]
    if kind == _ERROR:
        return CompletionMessage(identity, UNSET, str(array[4]), headers=headers)
    if kind == _VOID:
        return CompletionMessage(identity, UNSET, None, headers=headers)
    if kind == _VALUE:
        return CompletionMessage(identity, array[4], None, headers=headers)
    raise Unreadable(f"a completion of kind {kind!r}")


def _pack_array(message: Message) -> list[Any]:
    # A .NET peer needs the headers as a map, also when there are none.
    kind, headers = message.type.value, getattr(message, "headers", None) or {}
    match message:
        case InvocationMessage() | StreamInvocationMessage():
            arguments = [_raw(argument) for argument in message.arguments]
            streams = list(getattr(message, "stream_ids", None) or [])
            return [kind, headers, message.invocation_id, message.target, arguments, streams]
        case StreamItemMessage():
            return [kind, headers, message.invocation_id, _raw(message.item)]
        case CompletionMessage():
            if message.error is not None:
                return [kind, headers, message.invocation_id, _ERROR, message.error]
            if message.result is UNSET:
                return [kind, headers, message.invocation_id, _VOID]
            return [kind, headers, message.invocation_id, _VALUE, _raw(message.result)]
        case CancelInvocationMessage():
            return [kind, headers, message.invocation_id]
        case CloseMessage():
            return [kind, message.error, bool(message.allow_reconnect)]
        case AckMessage() | SequenceMessage():
            return [kind, message.sequence_id]
        case _:
            return [kind]
