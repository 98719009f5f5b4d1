"""One row a fault: how every kind of call ends, and whether the client comes back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mesoflow.hubs.answers import read_answer
from mesoflow.hubs.codec import codec_of
from mesoflow.hubs.connection import Connection, open_connection
from mesoflow.hubs.contract import METHODS, PATHS
from mesoflow.hubs.errors import CallRefused, NotAllowed, NotSent, OutcomeUnknown
from mesoflow.hubs.transport import Keepalive, Link, LinkClosed
from tests.support.faulted import ALL, ARGS, DATA, STREAM
from tests.support.virtual_loop import run
from tests.support.wire_server import Call, WireServer, silent

READ, CHANGE, PREPARE, TRADE = ("GetAccount", "RenameStrategy", "StartPreparePositionExit", "ApplyPaperFills")
CALLS = (READ, CHANGE, PREPARE, TRADE)
RESULTS = {name: DATA[name] for name in CALLS}


async def opened(server: WireServer, encoding: Any = "json", **options: Any) -> Connection:
    settings: dict[str, Any] = {"allow": ALL, "heard": lambda *_: None, "keepalive": None} | options
    url = server.url + PATHS["control"]
    return await open_connection("control", url, token="T", encoding=encoding, **settings)


def argument(method: str, encoding: Any = "json") -> bytes:
    return codec_of(encoding).encode(METHODS[method].args_model.write(ARGS[method]).wire())


async def call(connection: Connection, method: str, encoding: Any = "json", within_s: float = 5) -> str:
    """How the call ended, in one word."""
    row = METHODS[method]
    try:
        if row.kind == "stream":
            async for _ in connection.stream(row, argument(method, encoding)):
                pass
        else:
            read_answer(row, await connection.invoke(row, argument(method, encoding), within_s))
    except CallRefused:
        return "refused"
    except NotSent:
        return "not sent"
    except OutcomeUnknown:
        return "unknown"
    return "done"


# ── the faults ──


async def answered(call: Call) -> None:
    if call.streaming:
        await call.item({"Prices": {"Mark": 5000}})
        await call.end()
    else:
        await call.answer(RESULTS[call.method])


async def reset(call: Call) -> None:
    call.client.reset()


async def cut(call: Call) -> None:
    call.client.socket.transport.close()


async def closed_1011(call: Call) -> None:
    await call.client.socket.close(1011)


async def close_message(call: Call) -> None:
    await call.client.close_message("shutting down")


async def close_and_return(call: Call) -> None:
    await call.client.close_message("moving", allow_reconnect=True)


async def garbage(call: Call) -> None:
    await call.client.raw(b"\xc1\x05{{{\x1e" if call.client.protocol == "json" else b"\x02\xc1\xc1")


async def wrong_shape(call: Call) -> None:
    if call.client.protocol == "json":
        await call.client.raw(b'{"type":3,"invocationId":{}}\x1e')
    else:
        await call.client.raw(b"\x02\x91\x03")


async def split_record(call: Call) -> None:
    answer = {"Status": "Success", "Data": RESULTS.get(call.method)}
    data = call.client.encoded(
        [3, {}, call.identity, 3, answer] if not call.streaming else [3, {}, call.identity, 2]
    )
    for at in range(0, len(data), 7):
        await call.client.raw(data[at : at + 7])


async def among_others(call: Call) -> None:
    """Unknown types, acknowledgements, pings, a callback and the answer, glued into one frame."""
    answer = {"Status": "Success", "Data": RESULTS.get(call.method), "Later": 1}
    end = [3, {}, call.identity, 3, answer] if not call.streaming else [3, {}, call.identity, 2]
    await call.client.send([42, "x"], [8, 1], [9, 1], [6], [1, {}, None, "OnX", [1], []], end)


async def fragmented(call: Call) -> None:
    """In fragments, with pings between them: rare, and legal."""
    answer = {"Status": "Success", "Data": RESULTS.get(call.method)}
    data = call.client.encoded(
        [3, {}, call.identity, 3, answer] if not call.streaming else [3, {}, call.identity, 2]
    )
    socket = call.client.socket

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 10):
            yield data[at : at + 10]
            await socket.ping(f"between {at}".encode())

    await socket.send(parts(), text=call.client.protocol == "json")


async def behind_a_big_one(call: Call) -> None:
    """A callback of two megabytes before the answer."""
    await call.client.callback("OnX", "x" * 2_000_000)
    await answered(call)


async def socket_pings(call: Call) -> None:
    await call.client.socket.ping(b"payload")
    await call.client.socket.ping()
    await answered(call)


async def twice(call: Call) -> None:
    await answered(call)
    await answered(call)


async def error_text(call: Call) -> None:
    await call.error(f"An unexpected error occurred invoking '{call.method}' on the server.")


async def empty_error(call: Call) -> None:
    await call.error("")


async def no_such_method(call: Call) -> None:
    await call.error(f"Unknown hub method '{call.method}'")


async def no_right(call: Call) -> None:
    await call.error(f"Failed to invoke '{call.method}' because user is unauthorized")


def status(name: Any) -> Callable[[Call], Awaitable[None]]:
    async def fault(call: Call) -> None:
        await call.answer(None, status=name)

    return fault


async def void(call: Call) -> None:
    await call.end()


async def no_envelope(call: Call) -> None:
    await call.complete([1, 2])


async def no_status(call: Call) -> None:
    await call.complete({"Data": RESULTS.get(call.method)})


async def unreadable_result(call: Call) -> None:
    await call.answer({"Account": 5, "JobId": [], "PositionId": "x", "StrategyId": []})


@dataclass(frozen=True)
class Row:
    """The four endings are those of a read, a change, a prepare and a trade; then a stream's; then what becomes of it."""

    fault: Callable[[Call], Awaitable[None]]
    calls: str
    stream: str
    link: str = "alive"

    def __str__(self) -> str:
        return self.fault.__name__


UNKNOWN, DONE, REFUSED = "unknown " * 4, "done " * 4, "refused " * 4
PROVES_NOTHING = "refused unknown unknown unknown"
TABLE = [
    Row(answered, DONE, "done"),
    Row(silent, UNKNOWN, "-"),
    Row(reset, UNKNOWN, "unknown", "returns"),
    Row(cut, UNKNOWN, "unknown", "returns"),
    Row(closed_1011, UNKNOWN, "unknown", "returns"),
    Row(close_message, UNKNOWN, "unknown", "stays away"),
    Row(close_and_return, UNKNOWN, "unknown", "returns"),
    Row(garbage, UNKNOWN, "unknown", "returns"),
    Row(wrong_shape, UNKNOWN, "unknown", "returns"),
    Row(split_record, DONE, "done"),
    Row(among_others, DONE, "done"),
    Row(socket_pings, DONE, "done"),
    Row(fragmented, DONE, "done"),
    Row(behind_a_big_one, DONE, "done"),
    Row(twice, DONE, "done"),
    Row(error_text, PROVES_NOTHING, "refused"),
    Row(empty_error, PROVES_NOTHING, "refused"),
    Row(no_such_method, REFUSED, "refused"),
    Row(no_right, REFUSED, "refused"),
    Row(void, UNKNOWN, "done"),
    Row(no_envelope, UNKNOWN, "done"),
    Row(no_status, UNKNOWN, "done"),
    Row(unreadable_result, UNKNOWN, "done"),
]
STATUSES = [
    ("BadRequest", REFUSED),
    ("NotFound", REFUSED),
    ("Unauthorized", REFUSED),
    ("Forbidden", REFUSED),
    ("Conflict", PROVES_NOTHING),
    ("DuplicateRequest", PROVES_NOTHING),
    ("InternalError", PROVES_NOTHING),
    ("ProviderError", PROVES_NOTHING),
    ("SomethingNew", PROVES_NOTHING),
    (0, PROVES_NOTHING),
]


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_how_calls_end(row: Row, encoding: str) -> None:
    async def one(method: str) -> tuple[str, str]:
        async with WireServer() as server:
            server.handlers["*"] = row.fault
            connection = await opened(server, encoding)
            ending = await call(connection, method, encoding)
            # One more turn for what the server sends behind its answer.
            await asyncio.sleep(0.01)
            link = "alive"
            if connection.ended.done():
                link = "returns" if connection.ended.result().reconnect else "stays away"
            await connection.close()
            return ending, link

    assert [run(one(method)) for method in CALLS] == [(ending, row.link) for ending in row.calls.split()]
    if row.stream != "-":
        assert run(one(STREAM)) == (row.stream, row.link)


@pytest.mark.parametrize(("name", "endings"), STATUSES)
def test_how_a_status_ends_a_call(name: Any, endings: str) -> None:
    async def scenario() -> list[str]:
        async with WireServer() as server:
            server.handlers["*"] = status(name)
            connection = await opened(server)
            return [await call(connection, method) for method in CALLS]

    assert run(scenario()) == endings.split()


def test_a_call_on_an_ended_connection_is_not_sent() -> None:
    async def scenario() -> tuple[list[str], list[Any]]:
        async with WireServer() as server:
            connection = await opened(server)
            await connection.close()
            endings = [await call(connection, method) for method in (*CALLS, STREAM)]
            return endings, server.executed

    assert run(scenario()) == (["not sent"] * 5, [])


def test_a_call_without_time_is_not_sent() -> None:
    async def scenario() -> tuple[str, list[Any]]:
        async with WireServer() as server:
            return await call(await opened(server), READ, within_s=0), server.executed

    assert run(scenario()) == ("not sent", [])


def test_all_pending_calls_fail_at_once_when_the_link_dies() -> None:
    async def scenario() -> tuple[list[str], float]:
        async with WireServer() as server:
            server.handlers["*"] = silent
            connection = await opened(server)
            calls = [
                asyncio.create_task(call(connection, method, within_s=60)) for method in (*CALLS, STREAM)
            ]
            await server.received(5)
            began = asyncio.get_running_loop().time()
            server.clients[0].reset()
            endings = list(await asyncio.gather(*calls))
            return endings, round(asyncio.get_running_loop().time() - began, 1)

    assert run(scenario()) == (["unknown"] * 5, 0.0)


def test_closing_ends_what_is_pending_as_unknown() -> None:
    async def scenario() -> str:
        async with WireServer() as server:
            server.handlers["*"] = silent
            connection = await opened(server)
            pending = asyncio.create_task(call(connection, TRADE))
            await server.received(1)
            await connection.close()
            return await pending

    assert run(scenario()) == "unknown"


def test_an_answer_after_the_limit_is_dropped() -> None:
    async def scenario() -> list[str]:
        async with WireServer() as server:

            async def late(call: Call) -> None:
                await asyncio.sleep(3)
                await answered(call)

            server.handlers[READ] = late
            connection = await opened(server)
            first = await call(connection, READ, within_s=1)
            await asyncio.sleep(5)
            server.handlers[READ] = answered
            return [first, await call(connection, READ)]

    assert run(scenario()) == ["unknown", "done"]


def test_classes_that_are_not_allowed_are_refused_before_anything_leaves() -> None:
    async def scenario() -> tuple[list[str], list[Any]]:
        async with WireServer() as server:
            connection = await opened(server, allow=frozenset({"read"}))
            words = []
            for method in (CHANGE, PREPARE, TRADE):
                with pytest.raises(NotAllowed) as refused:
                    await connection.invoke(METHODS[method], argument(method), 5)
                words.append(str(refused.value))
            return words, server.executed

    assert run(scenario()) == (
        [
            "RenameStrategy is a change call; this connection allows read",
            "StartPreparePositionExit is a prepare call; this connection allows read",
            "ApplyPaperFills is a trade call; this connection allows read",
        ],
        [],
    )


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
def test_the_argument_s_bytes_are_sent_as_they_are(encoding: str) -> None:
    """Also when they are not how we would have written them: an intent's bytes are never rendered again."""
    odd = {"json": b'{ "b" : 1.50, "a":2 }', "messagepack": b"\x82\xa1b\xd1\x00\x01\xa1a\x02"}[encoding]

    class Recorder:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def send(self, data: bytes, *, binary: bool) -> None:
            self.sent.append(data)

        async def receive(self) -> bytes | str:
            await asyncio.sleep(100)
            raise LinkClosed("over")

        async def close(self) -> None: ...

        def abort(self) -> None: ...

    async def scenario() -> bytes:
        link = Recorder()
        connection = Connection("control", link, codec_of(encoding), allow=ALL, heard=lambda *_: None)  # type: ignore[arg-type]
        connection.start()
        with pytest.raises(OutcomeUnknown):
            await connection.invoke(METHODS[READ], odd, 1)
        return link.sent[0]

    assert odd in run(scenario())


class DeafLink:
    """Says no at the moment of sending."""

    def send(self, data: bytes, *, binary: bool) -> None:
        raise LinkClosed("the connection is closed")

    async def receive(self) -> bytes | str:
        await asyncio.sleep(100)
        raise LinkClosed("over")

    async def close(self) -> None: ...

    def abort(self) -> None: ...


def test_a_link_that_takes_nothing_makes_calls_not_sent() -> None:
    async def scenario() -> list[str]:
        link: Link = DeafLink()
        connection = Connection("control", link, codec_of("json"), allow=ALL, heard=lambda *_: None)
        connection.start()
        return [await call(connection, method) for method in (*CALLS, STREAM)]

    assert run(scenario()) == ["not sent"] * 5


# ── keep-alive ──


def test_a_half_open_link_is_noticed_within_ten_seconds() -> None:
    async def scenario() -> tuple[str, float, str, bool]:
        async with WireServer() as server:

            async def deaf(call: Call) -> None:
                call.client.stop_reading()

            server.handlers["*"] = deaf
            connection = await opened(server, keepalive=Keepalive())
            loop = asyncio.get_running_loop()
            began = loop.time()
            ending = await call(connection, TRADE, within_s=60)
            over = connection.ended.result()
            return ending, loop.time() - began, over.reason, over.reconnect

    ending, took, reason, returns = run(scenario())
    assert (ending, reason, returns) == ("unknown", "the connection was lost: no answer to a ping", True)
    assert took <= 10


def test_a_hub_that_is_silent_on_a_living_socket_is_given_up_after_thirty_seconds() -> None:
    async def scenario() -> tuple[float, str, int]:
        async with WireServer() as server:
            connection = await opened(server, keepalive=Keepalive())
            ending = await connection.ended
            pings = [message for message in server.clients[0].received if message == [6]]
            return asyncio.get_running_loop().time(), ending.reason, len(pings)

    took, reason, pings = run(scenario())
    assert (round(took), reason) == (30, "nothing heard for 30 s")
    assert pings >= 2, "one right after the handshake, one every 15 s"


@pytest.mark.parametrize("heard_at", [46.4, 16.3, 0.1 + 0.2, 1 / 3])
def test_keeping_alive_does_not_spin_when_times_do_not_add_up(
    heard_at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """46.4 + 30 is not quite 30 later than 46.4: a look that comes due then must not come due for ever."""
    looks, look = itertools.count(), Connection._watch

    def counted(connection: Connection) -> None:
        assert next(looks) < 100, "it looks again and again without time passing"
        look(connection)

    monkeypatch.setattr(Connection, "_watch", counted)

    async def scenario() -> str:
        async with WireServer() as server:

            async def once(client: Any) -> None:
                await asyncio.sleep(heard_at - asyncio.get_running_loop().time())
                await client.send([6])

            server.connected = once
            connection = await opened(server, keepalive=Keepalive(silence_s=50 if heard_at > 30 else 30))
            ending = await connection.ended
            return ending.reason

    assert run(scenario()).startswith("nothing heard for")


def test_pings_of_the_hub_keep_it_alive() -> None:
    async def scenario() -> bool:
        async with WireServer() as server:

            async def pinging(client: Any) -> None:
                for _ in range(8):
                    await asyncio.sleep(15)
                    await client.send([6])

            server.connected = pinging
            connection = await opened(server, keepalive=Keepalive())
            await asyncio.sleep(110)
            return connection.alive

    assert run(scenario())


def test_without_keepalive_there_are_no_pings_and_no_limit() -> None:
    async def scenario() -> tuple[bool, list[Any]]:
        async with WireServer() as server:
            connection = await opened(server)
            await asyncio.sleep(10_000)
            return connection.alive, server.clients[0].received

    assert run(scenario()) == (True, [])


# ── callbacks and streams ──


def test_callbacks_come_in_order_and_a_failing_handler_stops_nothing() -> None:
    async def scenario() -> list[Any]:
        async with WireServer() as server:
            heard: list[Any] = []

            def handler(name: str, arguments: list[Any]) -> None:
                heard.append((name, arguments))
                if arguments == [1]:
                    raise RuntimeError("a handler's mistake")

            connection = await opened(server, heard=handler)

            async def noisy(call: Call) -> None:
                for number in range(50):
                    await call.client.callback("OnX", number)
                await answered(call)

            server.handlers[READ] = noisy
            await call(connection, READ)
            return heard

    assert run(scenario()) == [("OnX", [number]) for number in range(50)]


def test_a_callback_may_begin_a_call() -> None:
    """Its handler runs inside the reader, which the answer must still get through."""

    async def scenario() -> list[str]:
        async with WireServer() as server:
            server.handlers[READ] = answered
            begun: list[asyncio.Task[str]] = []
            connection = await opened(
                server, heard=lambda *_: begun.append(asyncio.create_task(call(connection, READ)))
            )
            for _ in range(3):
                await server.clients[0].callback("OnX")
            await asyncio.sleep(1)
            return [task.result() for task in begun]

    assert run(scenario()) == ["done"] * 3


def test_a_call_of_the_hub_that_wants_a_result_is_answered_with_an_error() -> None:
    async def scenario() -> list[Any]:
        async with WireServer() as server:

            async def asks(client: Any) -> None:
                await client.send([1, {}, "srv-1", "Ask", [], []])

            server.connected = asks
            await opened(server)
            await asyncio.sleep(0.1)
            return server.clients[0].received

    assert run(scenario()) == [[3, {}, "srv-1", 1, "Client didn't provide a result."]]


def test_a_stream_gives_its_items_and_stopping_it_tells_the_hub() -> None:
    async def scenario() -> tuple[list[Any], list[Any], str]:
        async with WireServer() as server:

            async def endless(call: Call) -> None:
                for number in range(3):
                    await call.item({"Prices": {"Mark": number}})

            server.handlers[STREAM] = endless
            server.handlers[READ] = answered
            connection = await opened(server)
            stream = connection.stream(METHODS[STREAM], argument(STREAM))
            items = [await anext(stream) for _ in range(3)]
            await stream.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            # A late item and the completion that the hub still sends go nowhere.
            await server.clients[0].send([2, {}, "1", {"late": 1}], [3, {}, "1", 2])
            after = await call(connection, READ)
            return items, server.clients[0].received[1], after

    items, cancel, after = run(scenario())
    assert items == [{"Prices": {"Mark": number}} for number in range(3)]
    assert (cancel, after) == ([5, {}, "1"], "done")


def test_a_slow_reader_of_a_stream_loses_the_oldest_items() -> None:
    async def scenario() -> list[int]:
        async with WireServer() as server:

            async def burst(call: Call) -> None:
                for number in range(1000):
                    await call.item(number)
                await call.end()

            server.handlers[STREAM] = burst
            connection = await opened(server)
            stream = connection.stream(METHODS[STREAM], argument(STREAM))
            await asyncio.sleep(1)
            return [item async for item in stream]

    assert run(scenario()) == list(range(744, 1000))


def test_a_stream_that_nobody_reads_holds_up_no_other_call() -> None:
    async def scenario() -> tuple[str, list[int]]:
        async with WireServer() as server:

            async def burst(call: Call) -> None:
                for number in range(5000):
                    await call.item(number)
                await call.end()

            server.handlers[STREAM] = burst
            connection = await opened(server)
            stream = connection.stream(METHODS[STREAM], argument(STREAM))
            ending = await call(connection, TRADE, within_s=1)
            await asyncio.sleep(1)
            return ending, [item async for item in stream]

    assert run(scenario()) == ("done", list(range(4744, 5000)))


def test_items_before_an_error_are_delivered_first() -> None:
    async def scenario() -> tuple[Any, str]:
        async with WireServer() as server:

            async def fails(call: Call) -> None:
                await call.item(1)
                await call.error("gone")

            server.handlers[STREAM] = fails
            stream = (await opened(server)).stream(METHODS[STREAM], argument(STREAM))
            first = await anext(stream)
            with pytest.raises(CallRefused) as refused:
                await anext(stream)
            return first, str(refused.value)

    assert run(scenario()) == (1, "StreamUnderlyingData: HubError: gone")


def test_sent_is_told_when_the_bytes_have_been_handed_over() -> None:
    async def scenario() -> list[str]:
        async with WireServer() as server:
            told: list[str] = []
            connection = await opened(server, sent=told.append)
            await call(connection, TRADE)
            await connection.close()
            await call(connection, READ)
            return told

    assert run(scenario()) == [TRADE]
