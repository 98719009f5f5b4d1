"""Fifty thousand callbacks to one client: each arrives once and in its order, in both encodings, however slow the consumer is.

The hub is hand-written and has no market; server, encodings, sockets and our client with its event feed are the real ones. Time
passes only while everything is idle, so a consumer may take its hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any, get_args

import pytest

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.codec import EncodingName
from mesoflow.hubs.contract import PATHS
from mesoflow.simulator.wire.core import Caller, NotAStream, UnknownMethod
from mesoflow.simulator.wire.server import Server
from tests.support.served import serving

CALLBACKS = 50_000
# The callbacks leave so many at a time, and in between the hub serves whoever asks.
BURST = 500
SECOND = timedelta(seconds=1)
BOTH = pytest.mark.parametrize("encoding", get_args(EncodingName))
ORDERED = list(range(1, CALLBACKS + 1))


class Storm:
    """An Event Hub that calls the first client back that has subscribed, once it may `begin`."""

    def __init__(self, *, again: int = 0) -> None:
        """`again`: every so many-th event is told twice."""
        self._again = again
        self.begin = asyncio.Event()
        self.told_all = asyncio.Event()
        self._telling: asyncio.Future[None] | None = None

    async def connected(self, caller: Caller) -> None: ...

    async def disconnected(self, caller: Caller) -> None: ...

    async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
        match target:
            case "SubscribeToStrategies":
                return _answer({"SuccessfulStrategies": [], "FailedStrategies": []})
            case "GetLatestEventSeqId":
                self._telling = self._telling or asyncio.ensure_future(self._tell(caller))
                return _answer({"LatestEventSeqId": 0, "SnapshotTime": "2025-01-16T15:00:00Z"})
        raise UnknownMethod(target)

    def stream(self, target: str, arguments: list[Any], caller: Caller) -> AsyncIterator[object]:
        raise NotAStream(target)

    async def _tell(self, caller: Caller) -> None:
        await self.begin.wait()
        for number in ORDERED:
            for _ in range(2 if self._again and number % self._again == 0 else 1):
                caller.send("OnAgentStatus", _event(number))
            if number % BURST == 0:
                await asyncio.sleep(0)
        self.told_all.set()


def _event(number: int) -> dict[str, Any]:
    return {
        "EventId": f"event-{number}",
        "EventSeqId": number,
        "EventTime": "2025-01-16T15:00:00Z",
        "Status": "Connected",
        "Message": "",
        "Connector": None,
    }


def _answer(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"Status": "Success", "Message": None, "Data": data, "Error": None}


async def connected(server: Server, encoding: EncodingName) -> MesoLive:
    return await MesoLive.connect(
        server.url, token="any", random=lambda: 0.5, encoding=encoding, keepalive=None, hubs=["event"]
    )


async def latest(client: MesoLive) -> int:
    """An invocation beside the callbacks; answered within a second, however many of them are on their way."""
    found = await client.invoke(
        "SubscribeToStrategies",
        client.encode("SubscribeToStrategies", {"strategies": None}),
        within=SECOND,
    )
    return len(found["failed_strategies"])


class Heard:
    """A consumer that notes each number at once."""

    def __init__(self, client: MesoLive) -> None:
        self.numbers: list[int] = []
        self.all = asyncio.Event()
        client.listen(self._hear)

    def _hear(self, name: str, event: Mapping[str, Any]) -> None:
        self.numbers.append(event["event_seq_id"])
        if len(self.numbers) == CALLBACKS:
            self.all.set()


def heard_by(hub: Storm, encoding: EncodingName, consume: Any) -> Any:
    """What `consume(client, hub, server)` gives, at a served hub."""

    async def test(server: Server) -> Any:
        client = await connected(server, encoding)
        try:
            return await consume(client, server)
        finally:
            await client.close()

    return serving(test, hub, path=PATHS["event"])


@BOTH
def test_each_arrives_once_and_in_order_and_the_repeated_are_told_once(encoding: EncodingName) -> None:
    hub = Storm(again=7)

    async def consume(client: MesoLive, _: Server) -> tuple[list[int], int]:
        heard = Heard(client)
        hub.begin.set()
        await heard.all.wait()
        # What may still come is on its way before this answer.
        await latest(client)
        return heard.numbers, client.cursor

    assert heard_by(hub, encoding, consume) == (ORDERED, CALLBACKS)


@BOTH
def test_a_consumer_that_takes_its_time_blocks_nobody_and_loses_nothing(encoding: EncodingName) -> None:
    """Its queue is its own: it takes some an hour while the reader reads on and calls are answered within a second."""
    hub = Storm()

    async def consume(client: MesoLive, _: Server) -> tuple[list[int], int]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        client.listen(lambda name, event: queue.put_nowait(event["event_seq_id"]))
        hub.begin.set()
        taken, answered = list[int](), 0
        while len(taken) < CALLBACKS:
            taken += [await queue.get() for _ in range(BURST)]
            await asyncio.sleep(3600)
            answered += await latest(client) == 0
        return taken, answered

    assert heard_by(hub, encoding, consume) == (ORDERED, CALLBACKS // BURST)


@BOTH
def test_a_client_that_does_not_read_is_told_all_of_it_later(encoding: EncodingName) -> None:
    """Its socket stands still until the hub has said everything; another client is answered meanwhile."""
    hub = Storm()

    async def consume(client: MesoLive, server: Server) -> tuple[list[int], int, int]:
        heard = Heard(client)
        read_again = stop_reading(client)
        hub.begin.set()
        await hub.told_all.wait()
        other = await connected(server, encoding)
        answered = await latest(other)
        await other.close()
        held = len(heard.numbers)
        read_again()
        await heard.all.wait()
        return heard.numbers, held, answered

    assert heard_by(hub, encoding, consume) == (ORDERED, 0, 0)


def stop_reading(client: MesoLive) -> Callable[[], None]:
    """Nothing is taken from its socket until what this returns is called; the library would go on by itself."""
    transport: Any = client._hubs["event"].current("")._link._socket.transport  # type: ignore[attr-defined]  # a link that may be any
    resume = transport.resume_reading
    transport.pause_reading()
    transport.resume_reading = lambda: None

    def read_again() -> None:
        del transport.resume_reading
        resume()

    return read_again
