"""SignalR on one connection, said once for both encodings."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from mesoflow.simulator.wire.core import Caller
from mesoflow.simulator.wire.server import Server
from tests.support.echo_hub import PATH, EchoHub
from tests.support.plain_client import PlainClient
from tests.support.served import serving

BOTH = pytest.mark.parametrize("protocol", ["json", "messagepack"])


def talking(talk: Any, protocol: str = "json", hub: Any = EchoHub, **options: Any) -> Any:
    """Run `talk(client)` over one connection."""

    async def test(server: Server) -> Any:
        async with PlainClient.to(server.url, PATH, protocol) as client:
            return await talk(client)

    return serving(test, hub, **options)


async def closing(client: PlainClient) -> list[Any]:
    """Everything until the connection is closed."""
    seen: list[Any] = []
    while True:
        try:
            seen.append(await client.read())
        except ConnectionClosed:
            return seen


# --- handshake -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ('{"protocol":"json","version":1}', {}),
        ('{"protocol":"json","version":2}', {}),
        ('{"protocol":"messagepack","version":1}', {}),
        ('{"protocol":"json","version":0}', {}),
        (
            '{"protocol":"json","version":3}',
            {"error": "The server does not support version 3 of the 'json' protocol."},
        ),
        (
            '{"protocol":"json","version":true}',
            {"error": "The server does not support version True of the 'json' protocol."},
        ),
        ('{"protocol":"blazor","version":1}', {"error": "The protocol 'blazor' is not supported."}),
        ("{}", {"error": "The protocol 'None' is not supported."}),
        ("[]", {"error": "The handshake is not an object."}),
        ("hello", {"error": "The handshake is not JSON."}),
    ],
)
def test_handshakes(sent: str, answer: dict[str, str]) -> None:
    async def test(server: Server) -> Any:

        url = server.url.replace("http", "ws") + PATH
        async with connect(url, additional_headers={"Authorization": "Bearer any"}) as socket:
            await socket.send(sent + "\x1e")
            said = json.loads((await socket.recv(decode=False))[:-1])
            if "error" in said:
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
            return said

    assert serving(test, EchoHub) == answer


@BOTH
def test_a_handshake_may_come_in_pieces_with_messages_glued_behind(protocol: str) -> None:
    async def test(server: Server) -> Any:
        url = server.url.replace("http", "ws") + PATH
        async with connect(url, additional_headers={"Authorization": "Bearer any"}) as socket:
            client = PlainClient(socket, protocol)
            call = client.framed([1, "a", "Echo", ["glued"]])
            raw = call.encode() if isinstance(call, str) else call
            hello = b'{"protocol":"%s","version":1}\x1e' % protocol.encode()
            await socket.send(hello[:10])
            await socket.send(hello[10:] + raw[:7])
            await socket.send(raw[7:])
            assert await socket.recv(decode=False) == b"{}\x1e"
            return await client.read()

    assert serving(test, EchoHub) == [3, "a", 3, "glued"]


def test_who_does_not_shake_hands_is_cut_off() -> None:
    async def test(server: Server) -> float:
        url = server.url.replace("http", "ws") + PATH
        async with connect(
            url, additional_headers={"Authorization": "Bearer any"}, ping_interval=None
        ) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            return asyncio.get_running_loop().time()

    assert serving(test, EchoHub, keep_alive_s=15) == 15


# --- calls -----------------------------------------------------------------------------------------------------------------


@BOTH
def test_every_way_a_call_ends(protocol: str) -> None:
    async def talk(client: PlainClient) -> list[Any]:
        return [
            await client.call("Echo", {"A": [1, True, None, "ü"], "B": {}}),
            await client.call("Null"),
            await client.call("Nothing"),
            await client.call("Fail", "Order 7 is not yours."),
            await client.call("Crash"),
            await client.call("Unwritable"),
            await client.call("NoSuchMethod"),
            await client.call("Count", 1),
            await client.call("Echo", "still alive"),
        ]

    assert talking(talk, protocol) == [
        ("result", {"A": [1, True, None, "ü"], "B": {}}),
        ("result", None),
        ("void",),
        ("error", "Order 7 is not yours."),
        ("error", "An unexpected error occurred invoking 'Crash' on the server."),
        ("error", "The result cannot be written."),
        ("error", "Unknown hub method 'NoSuchMethod'"),
        (
            "error",
            "The client attempted to invoke the streaming 'Count' method with a non-streaming invocation.",
        ),
        ("result", "still alive"),
    ]


@BOTH
def test_numbers_keep_their_scale(protocol: str) -> None:
    async def talk(client: PlainClient) -> Any:
        _, money = await client.call("Money")
        _, by_leg = await client.call("ByLeg")
        return money["Price"], list(by_leg.values())

    as_text = ("12.50", ["-0.05"])
    as_number = (Decimal("12.50"), [Decimal("-0.05")])
    assert talking(talk, protocol) == (as_number if protocol == "json" else as_text)
    assert talking(talk, protocol, decimals="text") == as_text
    assert str(talking(talk, "json", decimals="number")[0]) == "12.50"
    assert talking(talk, "messagepack", decimals="number") == (12.5, [-0.05])


@BOTH
def test_calls_of_one_client_run_one_at_a_time_and_those_of_others_beside_them(protocol: str) -> None:
    hub = EchoHub()

    async def test(server: Server) -> list[Any]:
        async with PlainClient.to(server.url, PATH, protocol) as one:
            held = await one.begin("Hold")
            behind = await one.begin("Echo", "behind")
            async with PlainClient.to(server.url, PATH, protocol) as other:
                beside = await other.call("Echo", "beside")
            hub.hold.set()
            return [beside, await one.until_completed(held), await one.until_completed(behind)]

    assert serving(test, lambda: hub) == [
        ("result", "beside"),
        ([], ("result", "held")),
        ([], ("result", "behind")),
    ]


@BOTH
def test_without_an_id_no_answer_is_due(protocol: str) -> None:
    async def talk(client: PlainClient) -> list[Any]:
        for target, arguments in (("Remember", ["x"]), ("Fail", ["y"]), ("NoSuchMethod", [])):
            await client.write([1, None, target, arguments])
        return [await client.call("Remembered"), client.others]

    assert talking(talk, protocol) == [("result", ["x"]), []]


@BOTH
def test_callbacks_come_in_order_and_before_the_answer(protocol: str) -> None:
    async def talk(client: PlainClient) -> list[Any]:
        return [await client.call("CallMe", 3), client.others]

    ticks = [[1, "OnTick", [n, "tick"]] for n in range(3)]
    assert talking(talk, protocol) == [("result", 3), ticks]


@BOTH
def test_what_is_unknown_is_ignored(protocol: str) -> None:
    async def talk(client: PlainClient) -> Any:
        for message in ([6], [8, 1], [99], [5, "no such stream"], [2, "no such upload", 1]):
            await client.write(message)
        return await client.call("Echo", 1)

    assert talking(talk, protocol) == ("result", 1)


@BOTH
def test_upload_streams_are_refused_by_name(protocol: str) -> None:
    async def talk(client: PlainClient) -> list[Any]:
        await client.write([1, "a", "Echo", [], ["s1"]])
        await client.write([4, "b", "Count", [2], ["s2"]])
        return [await client.until_completed("a"), await client.until_completed("b")]

    assert talking(talk, protocol) == [
        ([], ("error", "Upload streams are not taken here ('Echo' announced one).")),
        ([], ("error", "Upload streams are not taken here ('Count' announced one).")),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        "nonsense\x1e",
        "[1]\x1e",
        '{"type":1,"target":7,"arguments":[]}\x1e',
        '{"type":1,"target":"Echo"}\x1e',
        '{"type":4,"target":"Count","arguments":[1]}\x1e',
    ],
)
def test_what_is_malformed_ends_the_connection(sent: str) -> None:
    async def talk(client: PlainClient) -> Any:
        await client.socket.send(sent)
        return await closing(client)

    assert talking(talk) == [[7, "Connection closed with an error.", False]]


@pytest.mark.parametrize("sent", [b"\x01\xc1", b"\x01\x80", b"\x02\x91\x01", b"\xff\xff\xff\xff\xff\xff"])
def test_what_is_malformed_in_messagepack_ends_the_connection(sent: bytes) -> None:
    async def talk(client: PlainClient) -> Any:
        await client.socket.send(sent)
        return await closing(client)

    assert talking(talk, "messagepack") == [[7, "Connection closed with an error.", False]]


# --- streams ---------------------------------------------------------------------------------------------------------------


@BOTH
def test_every_way_a_stream_ends(protocol: str) -> None:
    async def talk(client: PlainClient) -> list[Any]:
        return [
            await client.collect("Count", 2),
            await client.collect("CountThenFail", 1),
            await client.collect("CountThenCrash", 1),
            await client.collect("NoSuchStream"),
            await client.collect("Echo", 1),
        ]

    assert talking(talk, protocol) == [
        ([{"N": 0}, {"N": 1}], ("void",)),
        ([{"N": 0}], ("error", "The market is closed.")),
        ([{"N": 0}], ("error", "An unexpected error occurred invoking 'CountThenCrash' on the server.")),
        ([], ("error", "Unknown hub method 'NoSuchStream'")),
        (
            [],
            (
                "error",
                "The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.",
            ),
        ),
    ]


@BOTH
def test_a_cancelled_stream_is_closed_at_the_hub_and_completed(protocol: str) -> None:
    async def talk(client: PlainClient) -> list[Any]:
        stream = await client.begin("Forever", kind=4)
        assert await client.read() == [2, stream, {"N": 0}]
        await client.write([5, stream])
        _, end = await client.until_completed(stream)
        return [end, await client.call("StreamClosed")]

    assert talking(talk, protocol) == [("void",), ("result", True)]


@BOTH
def test_a_stream_that_is_cancelled_before_its_turn_is_completed_too(protocol: str) -> None:
    hub = EchoHub()

    async def talk(client: PlainClient) -> list[Any]:
        held = await client.begin("Hold")
        stream = await client.begin("Forever", kind=4)
        await client.write([5, stream])
        ended = await client.until_completed(stream)
        hub.hold.set()
        return [ended, await client.until_completed(held)]

    assert talking(talk, protocol, lambda: hub) == [([], ("void",)), ([], ("result", "held"))]


@BOTH
def test_a_stream_cancelled_in_the_same_packet_is_completed(protocol: str) -> None:
    async def talk(client: PlainClient) -> Any:
        begin, cancel = client.framed([4, "s", "Forever", []]), client.framed([5, "s"])
        await client.socket.send(begin + cancel)  # type: ignore[operator]
        return await client.until_completed("s")

    assert talking(talk, protocol)[1] == ("void",)


def test_streams_of_a_lost_client_are_closed() -> None:
    closed: list[str] = []

    class Hub(EchoHub):
        async def stream(self, target: str, arguments: list[Any], caller: Caller) -> Any:
            try:
                while True:
                    yield 1
                    await asyncio.sleep(1)
            finally:
                closed.append("stream")

        async def disconnected(self, caller: Caller) -> None:
            closed.append("caller")

    async def talk(client: PlainClient) -> None:
        await client.begin("Ticks", kind=4)
        await client.read()
        client.socket.transport.abort()
        await asyncio.sleep(1)

    talking(talk, hub=Hub)
    assert closed == ["stream", "caller"]


# --- pings, ends, slow clients -----------------------------------------------------------------------------------------------


async def raw_records(client: PlainClient, until: float) -> list[tuple[float, str]]:
    """What arrives until then, with its time."""
    loop = asyncio.get_running_loop()
    seen = []
    try:
        async with asyncio.timeout_at(until):
            while True:
                record = str(await client.socket.recv())
                seen.append((loop.time(), record))
    except (TimeoutError, ConnectionClosed):
        return seen


def test_the_server_pings_after_fifteen_quiet_seconds() -> None:
    async def talk(client: PlainClient) -> list[Any]:
        await asyncio.sleep(10)
        await client.call("Null")
        return await raw_records(client, 60)

    ping = '{"type":6}\x1e'
    assert talking(talk, keep_alive_s=15) == [(25.0, ping), (40.0, ping), (55.0, ping)]


def test_in_process_links_have_no_pings() -> None:
    async def talk(client: PlainClient) -> list[Any]:
        return await raw_records(client, 3600)

    assert talking(talk) == []


def test_a_client_that_pinged_once_and_fell_silent_is_cut_off() -> None:
    async def talk(client: PlainClient) -> float:
        await asyncio.sleep(5)
        await client.write([6])
        await raw_records(client, 1000)
        return asyncio.get_running_loop().time()

    assert talking(talk, keep_alive_s=15) == 35


def test_a_client_that_never_pinged_is_left_alone() -> None:
    async def talk(client: PlainClient) -> Any:
        await raw_records(client, 1000)
        return await client.call("Echo", 1)

    assert talking(talk, keep_alive_s=15) == ("result", 1)


@pytest.mark.parametrize(("allow", "said"), [(True, [7, None, True]), (False, [7, "The hub closes.", False])])
@BOTH
def test_a_hub_that_closes_says_whether_to_come_back(protocol: str, allow: bool, said: list[Any]) -> None:
    async def talk(client: PlainClient) -> Any:
        await client.begin("Goodbye", allow)
        return await closing(client)

    assert talking(talk, protocol) == [said]


def test_a_client_that_says_goodbye_is_let_go() -> None:
    hub = EchoHub()

    async def talk(client: PlainClient) -> Any:
        await client.call("Null")
        await client.write([7])
        return await closing(client)

    assert talking(talk, hub=lambda: hub) == []
    assert hub.gone == hub.callers


def test_a_lost_client_loses_its_waiting_calls_but_not_the_one_under_way() -> None:
    executed: list[str] = []
    gate = asyncio.Event()

    class Hub(EchoHub):
        async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
            await gate.wait()
            executed.append(target)
            return None

    async def talk(client: PlainClient) -> None:
        await client.begin("First")
        await client.begin("Second")
        await asyncio.sleep(1)
        client.socket.transport.abort()
        await asyncio.sleep(1)
        gate.set()
        await asyncio.sleep(1)

    talking(talk, hub=Hub)
    assert executed == ["First"]


def test_a_client_that_does_not_read_is_cut_off_and_blocks_nobody() -> None:
    hub = EchoHub()
    text = "x" * 50_000

    async def test(server: Server) -> list[Any]:
        server._serving.backlog_bytes_max = 1_000_000
        async with PlainClient.to(server.url, PATH) as slow, PlainClient.to(server.url, PATH) as quick:
            await slow.call("Null")
            await quick.call("Null")
            slow.socket.transport.pause_reading()
            for number in range(400):
                for caller in hub.callers:
                    caller.send("OnText", number, text)
                seen = await quick.read()
                assert seen == [1, "OnText", [number, text]]
            return [caller.closed for caller in hub.callers]

    assert serving(test, lambda: hub) == [True, False]


def test_a_stream_goes_at_the_pace_of_its_reader() -> None:
    produced: list[int] = []

    class Hub(EchoHub):
        async def stream(self, target: str, arguments: list[Any], caller: Caller) -> Any:
            for number in range(400):
                produced.append(number)
                yield "x" * 100_000

    async def talk(client: PlainClient) -> list[Any]:
        client.socket.transport.pause_reading()
        await client.begin("Ticks", kind=4)
        await asyncio.sleep(60)
        waiting = len(produced)
        client.socket.transport.resume_reading()
        items, end = await client.until_completed("1")
        return [waiting < 400, len(items), end]

    assert talking(talk, hub=Hub) == [True, 400, ("void",)]


@BOTH
def test_two_thousand_calls_with_a_deadline_never_come_too_late(protocol: str) -> None:
    async def talk(client: PlainClient) -> tuple[int, float]:
        answered = 0
        for number in range(2000):
            async with asyncio.timeout(10):
                assert await client.call("Echo", number) == ("result", number)
            answered += 1
        return answered, asyncio.get_running_loop().time()

    assert talking(talk, protocol) == (2000, 0.0)


def test_a_message_may_be_large_but_not_endless() -> None:
    async def talk(client: PlainClient) -> list[Any]:
        large = "x" * 1_000_000
        assert await client.call("Echo", large) == ("result", large)
        await client.begin("Echo", "x" * 5_000_000)
        with pytest.raises(ConnectionClosed) as raised:
            await client.read()
        return [raised.value.rcvd.code if raised.value.rcvd else None]

    assert talking(talk) == [1009]
