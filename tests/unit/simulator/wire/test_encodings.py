"""Both encodings, against plain JSON and plain MessagePack as a test writes them."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.hubs.models.accounts import ListAccountsArgs
from mesoflow.hubs.models.enums import StatusCode
from mesoflow.simulator.wire.core import VOID
from mesoflow.simulator.wire.encodings import (
    Encoding,
    JsonEncoding,
    MessagePackEncoding,
    split_lengths,
    write_length,
)
from mesoflow.simulator.wire.messages import (
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Malformed,
    Ping,
    StreamInvocation,
    StreamItem,
)

names = st.text(min_size=1, max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=8)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def as_json(value: Any) -> str:
    """Plain JSON; decimals with their own digits."""
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ",".join(f"{json.dumps(k)}:{as_json(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(as_json, value)) + "]"
        case _:
            return json.dumps(value)


def as_text(value: Any) -> Any:
    """Decimals as text."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return {name: as_text(item) for name, item in value.items()}
        case list():
            return [as_text(item) for item in value]
        case _:
            return value


def exactly(value: Any) -> Any:
    """Comparable with scale and type."""
    match value:
        case dict():
            return {name: exactly(item) for name, item in value.items()}
        case list():
            return [exactly(item) for item in value]
        case _:
            return type(value).__name__, str(value)


def parse_json(data: bytes) -> Any:
    assert data.endswith(b"\x1e")
    return json.loads(data[:-1], parse_float=Decimal)


def parse_messagepack(data: bytes) -> Any:
    (record,), rest = split_lengths(data)
    assert rest == b""
    return msgspec.msgpack.decode(record)


# --- what arrives ------------------------------------------------------------------------------------------------------------


@given(target=names, arguments=st.lists(trees, max_size=3), identity=st.none() | names)
def test_json_calls_are_read_exactly(target: str, arguments: list[Any], identity: str | None) -> None:
    record = f'{{"type":1,"target":{json.dumps(target)},"arguments":{as_json(arguments)},"more":1'
    record += "}" if identity is None else f',"invocationId":{json.dumps(identity)}}}'
    (call,), rest = JsonEncoding().read(record.encode() + b"\x1e")
    assert isinstance(call, Invocation)
    assert (call.target, call.id, call.streams, rest) == (target, identity, (), b"")
    assert exactly(call.arguments) == exactly(json.loads(as_json(arguments), parse_float=Decimal))


@given(target=names, arguments=st.lists(trees, max_size=3), identity=st.none() | names)
def test_messagepack_calls_are_read_exactly(target: str, arguments: list[Any], identity: str | None) -> None:
    body = msgspec.msgpack.encode([1, {}, identity, target, arguments, []])
    (call,), rest = MessagePackEncoding().read(write_length(len(body)) + body)
    assert isinstance(call, Invocation)
    assert (call.target, call.id, call.streams, rest) == (target, identity, (), b"")
    assert exactly(call.arguments) == exactly(as_text(arguments))


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_binary_floats_become_their_shortest_decimal(number: float) -> None:
    body = msgspec.msgpack.encode([1, {}, None, "X", [{"a": [number]}]])
    (call,), _ = MessagePackEncoding().read(write_length(len(body)) + body)
    assert isinstance(call, Invocation)
    found = call.arguments[0]["a"][0]
    assert isinstance(found, Decimal)
    assert float(found) == number


JSON_READ = [
    ('{"type":4,"invocationId":"1","target":"T","arguments":[1]}', StreamInvocation("T", [1], "1")),
    ('{"type":1,"target":"T","arguments":[],"streamIds":["s"]}', Invocation("T", [], None, ("s",))),
    ('{"type":5,"invocationId":"1"}', CancelInvocation("1")),
    ('{"type":6}', Ping()),
    ('{"type":7,"error":"e","allowReconnect":true}', Close("e", True)),
    ('{"type":7}', Close()),
]
MESSAGEPACK_READ = [
    ([4, {}, "1", "T", [1], []], StreamInvocation("T", [1], "1")),
    ([1, {}, None, "T", [], ["s"]], Invocation("T", [], None, ("s",))),
    ([1, {"h": "v"}, None, "T", []], Invocation("T", [])),
    ([5, {}, "1"], CancelInvocation("1")),
    ([6], Ping()),
    ([7, "e", True], Close("e", True)),
    ([7, None], Close()),
]


def test_every_message_a_client_sends() -> None:
    records = b"".join(text.encode() + b"\x1e" for text, _ in JSON_READ)
    assert JsonEncoding().read(records) == ([message for _, message in JSON_READ], b"")
    bodies = [msgspec.msgpack.encode(raw) for raw, _ in MESSAGEPACK_READ]
    framed = b"".join(write_length(len(body)) + body for body in bodies)
    assert MessagePackEncoding().read(framed) == ([message for _, message in MESSAGEPACK_READ], b"")


@given(cut=st.integers(0, 400))
def test_a_record_cut_anywhere_is_read_when_its_end_has_come(cut: int) -> None:
    for encoding, data in _samples():
        first, rest = encoding.read(data[:cut])
        second, nothing = encoding.read(rest + data[cut:])
        whole, _ = encoding.read(data)
        assert (first + second, nothing) == (whole, b"")


def _samples() -> list[tuple[Encoding, bytes]]:
    bodies = [msgspec.msgpack.encode([1, {}, None, "T", ["x" * 150]]), msgspec.msgpack.encode([6])]
    return [
        (JsonEncoding(), b'{"type":6}\x1e{"type":1,"target":"T","arguments":["xyz"]}\x1e'),
        (MessagePackEncoding(), b"".join(write_length(len(body)) + body for body in bodies)),
    ]


# --- what leaves -------------------------------------------------------------------------------------------------------------


@given(value=trees)
def test_json_results_keep_every_digit(value: Any) -> None:
    found = parse_json(JsonEncoding().write(Completion("1", value)))
    assert exactly(found) == exactly(
        {"type": 3, "invocationId": "1", "result": json.loads(as_json(value), parse_float=Decimal)}
    )
    assert parse_json(JsonEncoding("text").write(StreamItem("1", value))) == {
        "type": 2,
        "invocationId": "1",
        "item": as_text(value),
    }


@given(value=trees)
def test_messagepack_results_have_decimals_as_text(value: Any) -> None:
    assert parse_messagepack(MessagePackEncoding().write(Completion("1", value))) == [
        3,
        {},
        "1",
        3,
        as_text(value),
    ]


@pytest.mark.parametrize(
    ("message", "as_json", "as_array"),
    [
        (Completion("1"), '{"type":3,"invocationId":"1"}', [3, {}, "1", 2]),
        (Completion("1", None), '{"type":3,"invocationId":"1","result":null}', [3, {}, "1", 3, None]),
        (Completion("1", VOID, ""), '{"type":3,"invocationId":"1","error":""}', [3, {}, "1", 1, ""]),
        (Invocation("OnX", [1]), '{"type":1,"target":"OnX","arguments":[1]}', [1, {}, None, "OnX", [1], []]),
        (StreamItem("1", 2), '{"type":2,"invocationId":"1","item":2}', [2, {}, "1", 2]),
        (Ping(), '{"type":6}', [6]),
        (Close(), '{"type":7}', [7, None, False]),
        (Close("e", True), '{"type":7,"error":"e","allowReconnect":true}', [7, "e", True]),
    ],
)
def test_every_message_a_server_sends(message: Any, as_json: str, as_array: list[Any]) -> None:
    assert JsonEncoding().write(message) == as_json.encode() + b"\x1e"
    assert parse_messagepack(MessagePackEncoding().write(message)) == as_array


def test_values_of_the_trade() -> None:
    value = {
        "At": datetime(2025, 1, 16, 15, 0, 0, 250_000, tzinfo=UTC),
        "On": date(2025, 1, 17),
        "Status": StatusCode.SUCCESS,
        "ByLeg": {7: Decimal("-0.50")},
        "Args": ListAccountsArgs(limit=50),
    }
    assert JsonEncoding().write(StreamItem("1", value)) == (
        b'{"type":2,"invocationId":"1","item":{"At":"2025-01-16T15:00:00.250000Z","On":"2025-01-17",'
        b'"Status":"Success","ByLeg":{"7":-0.50},"Args":{"Limit":50}}}\x1e'
    )
    assert parse_messagepack(MessagePackEncoding().write(StreamItem("1", value)))[3] == {
        "At": datetime(2025, 1, 16, 15, 0, 0, 250_000, tzinfo=UTC),
        "On": "2025-01-17",
        "Status": "Success",
        "ByLeg": {7: "-0.50"},
        "Args": {"Limit": 50},
    }


@pytest.mark.parametrize("encoding", [JsonEncoding(), MessagePackEncoding()])
def test_what_the_wire_cannot_carry_is_refused(encoding: Encoding) -> None:
    with pytest.raises(TypeError, match="a hub answered with object"):
        encoding.write(Completion("1", object()))


# --- lengths -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "written"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16384, "808001"), (2**31 - 1, "ffffffff07")],
)
def test_lengths(length: int, written: str) -> None:
    assert write_length(length).hex() == written


@given(records=st.lists(st.binary(max_size=300), max_size=5), cut=st.integers(0, 1600))
def test_records_survive_any_cut(records: list[bytes], cut: int) -> None:
    data = b"".join(write_length(len(record)) + record for record in records)
    first, rest = split_lengths(data[:cut])
    second, nothing = split_lengths(rest + data[cut:])
    assert (first + second, nothing) == (records, b"")


def test_a_length_without_end_is_malformed() -> None:
    with pytest.raises(Malformed, match="more than 5 bytes"):
        split_lengths(b"\x80" * 5)
