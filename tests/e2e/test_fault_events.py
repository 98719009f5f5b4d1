"""Events over faults while coming back: subscribe, replay, dedupe; each once and in order, and a token for every attempt."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mesoflow.hubs import client
from mesoflow.hubs.connection import Connection
from mesoflow.hubs.event import EventFeed
from tests.support.fault_proxy import (
    Act,
    Fault,
    FaultProxy,
    Point,
    close,
    delay,
    drop,
    garbage,
    garbled,
    half_open,
    half_then,
    reset,
    split,
    twice,
)
from tests.support.faulted import AT, connect, hub_server
from tests.support.virtual_loop import run
from tests.support.wire_server import Call, Client, WireServer


class History:
    """A hub whose events have numbers; who has subscribed hears them, and pages of three tell what was.

    One happens just before each subscription, and one before the newest is named: who replays first, or buffers nothing,
    loses the one or hears the other too early.
    """

    def __init__(self, server: WireServer) -> None:
        self.newest = 0
        self.subscribed: list[Client] = []
        server.handlers |= {
            "SubscribeToStrategies": self.subscribe,
            "GetLatestEventSeqId": self.latest,
            "GetEventsSince": self.since,
        }

    async def happen(self) -> None:
        self.newest += 1
        for one in self.subscribed:
            with contextlib.suppress(ConnectionClosed):
                await one.callback("OnAgentStatus", self.event(self.newest))

    def event(self, number: int) -> dict[str, Any]:
        named = {"EventId": f"id-{number}", "EventSeqId": number, "EventTime": AT}
        return named | {"Status": "Connected", "Message": "m"}

    async def subscribe(self, call: Call) -> None:
        await self.happen()
        self.subscribed.append(call.client)
        await call.answer({"SuccessfulStrategies": [], "FailedStrategies": []})

    async def latest(self, call: Call) -> None:
        await self.happen()
        await call.answer({"LatestEventSeqId": self.newest, "SnapshotTime": AT})

    async def since(self, call: Call) -> None:
        begin = call.arguments[0]["EventSeqId"] + 1
        page = range(begin, min(begin + 3, self.newest + 1))
        rows = [{"EventType": "AgentStatusEvent", "EventSeqId": n, "Event": self.event(n)} for n in page]
        await call.answer({"Events": rows, "ContinuationToken": None})


@dataclass(frozen=True)
class Disturbed:
    """The fault meets the `nth` unit of its kind after the first connection was lost."""

    point: Point
    act: Act
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.point} {self.nth} {self.act.__name__}"


LOSSES = (reset, close, half_open, half_then(reset), half_then(half_open))
DISTURBED = [
    *[
        Disturbed("call", act, nth)
        for nth in (1, 2, 3)
        for act in (*LOSSES, drop, twice, split, delay(3), delay(20))
    ],
    *[
        Disturbed("answer", act, nth)
        for nth in (1, 2, 3)
        for act in (*LOSSES, drop, twice, split, garbage(), garbled())
    ],
    # TCP loses nothing from the middle, so a callback is never dropped alone; what follows it would go too.
    *[
        Disturbed("callback", act, nth)
        for nth in (1, 2)
        for act in (*LOSSES, twice, split, delay(3), garbage(), garbled())
    ],
]


async def lived(row: Disturbed, encoding: str) -> tuple[list[int], int, list[Point], list[str]]:
    """What a listener heard, the newest event's number, what befell, and the tokens of all attempts."""
    tokens = (f"token-{number}" for number in range(1, 1000))
    async with hub_server() as server, FaultProxy(server.port) as proxy:
        history = History(server)
        hub = await connect(proxy.url, "event", encoding=encoding, cursor=0, token=lambda: next(tokens))
        heard: list[int] = []
        hub.listen(lambda _, event: heard.append(event["event_seq_id"]))
        for _ in range(3):
            await history.happen()
        await asyncio.sleep(1)
        proxy.faults = [Fault(row.point, row.act, proxy.seen[row.point] + row.nth)]
        await proxy.now(reset)
        for _ in range(4):
            await history.happen()
        await asyncio.sleep(5)
        for _ in range(2):
            await history.happen()
        await asyncio.sleep(60)
        await history.happen()
        await asyncio.sleep(20)
        await hub.close()
        shown = [request.headers["Authorization"] for request in server.negotiations]
        return heard, history.newest, proxy.fired, shown


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
@pytest.mark.parametrize("row", DISTURBED, ids=str)
def test_every_event_once_and_in_order_over_a_fault(row: Disturbed, encoding: str) -> None:
    heard, newest, fired, shown = run(lived(row, encoding))
    assert (heard, fired) == (list(range(1, newest + 1)), [row.point])
    assert shown == [f"Bearer token-{number}" for number in range(1, len(shown) + 1)], "a token is used once"


class DeduplicatesNothing(EventFeed):
    def _first_time(self, identity: str) -> bool:
        return True


class SubscribesLast(EventFeed):
    async def catch_up(self, connection: Connection) -> None:
        latest = await self._call(connection, "GetLatestEventSeqId", {})
        await self._replay(connection, latest.value()["latest_event_seq_id"])
        await self._call(connection, "SubscribeToStrategies", {"strategies": None})
        self._buffer = None


class ReplaysNothing(EventFeed):
    async def _replay(self, connection: Connection, latest: int) -> None:
        self._advance(latest)


class BuffersNothing(EventFeed):
    def buffer(self) -> None:
        self._buffer = None


@pytest.mark.parametrize("mutant", [DeduplicatesNothing, SubscribesLast, ReplaysNothing, BuffersNothing])
def test_the_events_catch(mutant: type[EventFeed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "EventFeed", mutant)
    heard, newest, _, _ = run(lived(Disturbed("callback", twice), "json"))
    assert heard != list(range(1, newest + 1))
