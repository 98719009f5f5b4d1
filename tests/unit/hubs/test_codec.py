"""Both encodings against each other, against frames cut anywhere, and against what they must refuse."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from signalrcore.messages.ack_message import AckMessage
from signalrcore.messages.cancel_invocation_message import CancelInvocationMessage
from signalrcore.messages.close_message import CloseMessage
from signalrcore.messages.completion_message import CompletionMessage
from signalrcore.messages.invocation_message import InvocationMessage
from signalrcore.messages.ping_message import PingMessage
from signalrcore.messages.sequence_message import SequenceMessage
from signalrcore.messages.stream_invocation_message import StreamInvocationMessage
from signalrcore.messages.stream_item_message import StreamItemMessage

from mesoflow.hubs.codec import (
    Codec,
    JsonCodec,
    MessagePackCodec,
    Unreadable,
    codec_of,
    read_handshake,
)
from mesoflow.hubs.contract import METHODS

# What both encodings carry alike. A Decimal is text in MessagePack (the models read both), hence not here.
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
identity = st.text(min_size=1, max_size=6)
name = st.text(min_size=1, max_size=10)
headers = st.just({}) | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
messages = st.one_of(
    st.builds(InvocationMessage, st.none() | identity, name, st.lists(plain, max_size=3), headers=headers),
    st.builds(StreamItemMessage, identity, plain, headers=headers),
    st.builds(CompletionMessage, identity, plain | st.just(UNSET), st.none(), headers=headers),
    st.builds(CompletionMessage, identity, st.just(UNSET), st.text(), headers=headers),
    st.builds(
        StreamInvocationMessage,
        identity,
        name,
        st.lists(plain, max_size=2),
        st.lists(identity),
        headers=headers,
    ),
    st.builds(CancelInvocationMessage, identity, headers=headers),
    st.builds(PingMessage),
    st.builds(CloseMessage, st.none() | st.text(), st.booleans()),
    st.builds(AckMessage, st.integers(0, 2**40)),
    st.builds(SequenceMessage, st.integers(0, 2**40)),
)


def fields(message: Any) -> tuple[str, dict[str, Any]]:
    return type(message).__name__, dict(vars(message))


def both() -> tuple[Codec, Codec]:
    return JsonCodec(), MessagePackCodec()


@given(st.lists(messages, max_size=5))
def test_both_encodings_carry_the_same_messages(sent: list[Any]) -> None:
    expected = [fields(message) for message in sent]
    for codec in both():
        frame = b"".join(codec.write_message(message) for message in sent)
        assert [fields(message) for message in codec.parse_messages(frame)] == expected


@given(st.lists(messages, max_size=4), st.lists(st.integers(0, 400), max_size=6))
def test_a_frame_cut_anywhere_decodes_the_same(sent: list[Any], cuts: list[int]) -> None:
    for codec in both():
        frame = b"".join(codec.write_message(message) for message in sent)
        edges = sorted({0, len(frame), *(cut % (len(frame) + 1) for cut in cuts)})
        received: list[Any] = []
        for start, end in itertools.pairwise(edges):
            received += codec.parse_messages(frame[start:end])
        assert [fields(message) for message in received] == [fields(message) for message in sent]


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_exact_in_both(number: Decimal) -> None:
    json_codec, pack_codec = both()
    (heard,) = json_codec.parse_messages(
        json_codec.write_message(InvocationMessage(None, "X", [json_codec.encode([number])], headers={}))
    )
    value = heard.arguments[0][0]
    assert Decimal(value) == number
    assert isinstance(value, int | Decimal)
    (heard,) = pack_codec.parse_messages(
        pack_codec.write_message(InvocationMessage(None, "X", [pack_codec.encode([number])], headers={}))
    )
    assert heard.arguments[0][0] == str(number)


@given(plain)
def test_an_argument_encoded_before_is_framed_as_it_is(value: Any) -> None:
    for codec in both():
        argument = codec.encode(value)
        frame = codec.write_message(InvocationMessage("1", "X", [argument], headers={}))
        assert argument in frame
        assert codec.parse_messages(frame)[0].arguments == [value]


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
@pytest.mark.parametrize(
    "value", [1.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), {"a": [Decimal("sNaN")]}, [{"b": 0.1}]]
)
def test_what_would_not_arrive_exactly_is_refused(encoding: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec_of(encoding).encode(value)


def test_json_as_text_and_numbers() -> None:
    codec = JsonCodec()
    at = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
    assert codec.encode({"Price": Decimal("12.50"), "At": at, "Null": None}) == (
        b'{"Price":12.50,"At":"2025-01-16T15:00:00Z","Null":null}'
    )
    (message,) = codec.parse_messages('{"type":3,"invocationId":"1","result":{"a":12.50,"b":7}}\x1e')
    assert repr(message.result) == "{'a': Decimal('12.50'), 'b': 7}"


def test_messagepack_as_a_dotnet_peer_wants_it() -> None:
    """Headers a map also when empty, a stream list at the end, decimals text, times the timestamp extension."""
    codec = MessagePackCodec()
    at = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
    argument = codec.encode({"Price": Decimal("12.50"), "At": at})
    frame = codec.write_message(InvocationMessage("1", "Do", [argument], headers={}))
    assert frame[0] == len(frame) - 1
    assert msgpack.unpackb(frame[1:], timestamp=3) == [1, {}, "1", "Do", [{"Price": "12.50", "At": at}], []]
    assert codec.write_message(PingMessage()) == b"\x02\x91\x06"


@pytest.mark.parametrize(
    ("array", "result", "error"),
    [
        ([3, {}, "1", 1, "no"], UNSET, "no"),
        ([3, {}, "1", 2], UNSET, None),
        ([3, {}, "1", 3, None], None, None),
        ([3, None, "1", 3, {1: "a"}], {1: "a"}, None),
    ],
)
def test_completions_of_messagepack_by_their_kind(array: list[Any], result: Any, error: str | None) -> None:
    body = msgpack.packb(array)
    (message,) = MessagePackCodec().parse_messages(bytes([len(body)]) + body)
    assert (message.result, message.error) == (result, error)


def test_void_null_and_error_are_told_apart_in_json() -> None:
    records = ['{"type":3,"invocationId":"1"', ',"result":null', ',"error":""']
    text = "".join(f"{records[0]}{more}}}\x1e" for more in ("", *records[1:]))
    read = [(message.result, message.error) for message in JsonCodec().parse_messages(text)]
    assert read == [(UNSET, None), (None, None), (UNSET, "")]


def test_unknown_types_and_fields_are_left_out() -> None:
    text = '{"type":42}\x1e{}\x1e{"type":6,"new":[1]}\x1e{"type":-1}\x1e'
    assert [type(message) for message in JsonCodec().parse_messages(text)] == [PingMessage]
    packed = b"".join(
        bytes([len(body)]) + body for body in map(msgpack.packb, ([42, "x"], [6, "new"], ["six"]))
    )
    assert [type(message) for message in MessagePackCodec().parse_messages(packed)] == [PingMessage]


@pytest.mark.parametrize(
    "data",
    [
        b"{{\x1e",
        b'{"type":3,"result":NaN}\x1e',
        b'{"type":"three"}\x1e',
        b"[1]\x1e",
        b'"\xff"\x1e',
        b'{"type":1,"target":5}\x1e',
        b'{"type":3,"result":1e99999999999999999999}\x1e',
    ],
)
def test_unreadable_json(data: bytes) -> None:
    with pytest.raises(Unreadable):
        JsonCodec().parse_messages(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x02\xc1\xc1",
        b"\x01\x05",
        b"\x01\x90",
        b"\x02\x91\x03",
        b"\xff\xff\xff\xff\xff\x01",
        b"\xff\xff\xff\xff\x0f",
        b"\x05\x94\x03\x80\xa0\x09",
        "text",
    ],
)
def test_unreadable_messagepack(data: bytes | str) -> None:
    with pytest.raises(Unreadable):
        MessagePackCodec().parse_messages(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_kept_or_refused(data: bytes) -> None:
    for codec in both():
        try:
            codec.parse_messages(data)
        except Unreadable:
            continue


def test_the_handshake_is_json_for_both_encodings() -> None:
    assert [json.loads(codec.handshake()[:-1]) for codec in both()] == [
        {"protocol": "json", "version": 1},
        {"protocol": "messagepack", "version": 1},
    ]
    assert all(codec.handshake().endswith(b"\x1e") for codec in both())


def test_reading_the_handshake_s_answer() -> None:
    assert read_handshake(b"{}") is None
    ok = read_handshake(b'{}\x1e{"type":6}\x1e')
    assert ok is not None
    assert (ok[0].error, ok[1]) == (None, b'{"type":6}\x1e')
    refused = read_handshake(b'{"error":"no"}\x1e')
    assert refused is not None
    assert refused[0].error == "no"
    for wrong in (b"nonsense\x1e", b"[]\x1e"):
        with pytest.raises(Unreadable):
            read_handshake(wrong)


def test_every_method_s_argument_survives_both_encodings() -> None:
    """The model that goes in is the model that a tolerant peer reads out."""
    args = {
        "idempotency_key": "k",
        "exec_plan_id": 9,
        "paper_leg_fills": {"put": {"price": Decimal("1.250")}},
    }
    model = METHODS["ApplyPaperFills"].args_model
    sent = model.write(args)
    for codec in both():
        frame = codec.write_message(
            InvocationMessage("1", "ApplyPaperFills", [codec.encode(sent.wire())], headers={})
        )
        assert model.read(codec.parse_messages(frame)[0].arguments[0]).value() == sent.value()
