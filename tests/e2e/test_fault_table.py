"""One row a fault between client and hub: how every kind of call ends, when, and what the hub has executed by then.

The faults are those of tests/support/fault_proxy.py at its points. The words of an ending:

    done           a result                           not sent      NotSent: no byte left
    refused        CallRefused                        unknown       OutcomeUnknown
    no connection  ConnectFailed                      open          a stream that lives and has brought nothing new

The four calls are a read, a change, a prepare and a trade; the stream is one of the Data Hub, read to its end; the
subscription is the Event Hub's first call, in the course of connecting. Time is virtual: no row waits for anything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.errors import CallRefused, ConnectFailed, NotSent, OutcomeUnknown
from mesoflow.hubs.transport import Keepalive
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
from tests.support.virtual_loop import run
from tests.support.wire_server import Call, Client, WireServer

AT = "2025-01-16T15:00:00Z"
WITHIN = timedelta(seconds=30)
ALL = frozenset({"read", "change", "prepare", "trade"})
ARGS: dict[str, dict[str, Any]] = {
    "GetAccount": {"broker_account_id": "PAPER-1"},
    "RenameStrategy": {"strategy_id": 7, "name": "new"},
    "StartPreparePositionExit": {"idempotency_key": "k", "position_id": 3, "data_provider": None},
    "ApplyPaperFills": {"idempotency_key": "k", "exec_plan_id": 9, "paper_leg_fills": {"put": {"price": "1"}}},
    "StreamUnderlyingData": {"underlying": {"symbol": "SPX"}, "provider": "IBKR"},
}
ACCOUNT = {"BrokerAccountId": "PAPER-1", "BrokerType": "Paper", "AccountType": "x", "Currency": "USD"}
DATA: dict[str, Any] = {
    "GetAccount": {"Account": ACCOUNT | {"IsPaperAccount": True}},
    "RenameStrategy": {"StrategyId": 7},
    "StartPreparePositionExit": {"JobId": "job-1"},
    "ApplyPaperFills": {"PositionId": 3},
    "SubscribeToStrategies": {"SuccessfulStrategies": [], "FailedStrategies": []},
    "GetLatestEventSeqId": {"LatestEventSeqId": 0, "SnapshotTime": AT},
    "GetEventsSince": {"Events": [], "ContinuationToken": None},
}
CALLS = {
    "read": "GetAccount",
    "change": "RenameStrategy",
    "prepare": "StartPreparePositionExit",
    "trade": "ApplyPaperFills",
}
STREAM = "StreamUnderlyingData"
SUBSCRIPTION = "SubscribeToStrategies"
KINDS = (*CALLS, "stream", "subscription")


def hub_server() -> WireServer:
    server = WireServer()
    server.data = dict(DATA)

    async def ticks(call: Call) -> None:
        for number in range(3):
            await call.item({"Prices": {"Mark": number}})
        await call.end()

    server.handlers[STREAM] = ticks
    server.connected = pinging
    return server


async def pinging(client: Client) -> None:
    """A living hub says something at least every 15 s."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await asyncio.sleep(15)
            await client.send([6])


async def connect(url: str, hub: str, **options: Any) -> MesoLive:
    settings: dict[str, Any] = {"token": "T", "allow": ALL, "keepalive": Keepalive(), "random": lambda: 0.5}
    return await MesoLive.connect(url, **settings | {"hubs": (hub,)} | options)


async def in_a_word(ending: Awaitable[str]) -> str:
    try:
        return await ending
    except CallRefused:
        return "refused"
    except NotSent:
        return "not sent"
    except OutcomeUnknown:
        return "unknown"
    except ConnectFailed as failed:
        return f"no connection: {failed.stage}"


async def called(hub: MesoLive, method: str) -> str:
    await hub.invoke(method, hub.encode(method, ARGS[method]), within=WITHIN)
    return "done"


async def streamed(hub: MesoLive) -> str:
    try:
        async with asyncio.timeout(60), hub.stream(STREAM, hub.encode(STREAM, ARGS[STREAM])) as items:
            async for _ in items:
                pass
    except TimeoutError:
        return "open"
    return "done"


# ── the hub is connected, and something befalls a call ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """`calls` of all four; `within_s`: by then each ending is known; `executed`: how often the hub did it."""

    name: str
    fault: Fault
    calls: str
    stream: str
    subscription: str
    executed: int
    within_s: float = 0.1
    comes_back: bool = True

    def __str__(self) -> str:
        return self.name

    def expected(self, kind: str) -> tuple[str, int]:
        ending = {"stream": self.stream, "subscription": self.subscription}.get(kind, self.calls)
        return ending, self.executed


AWAY = "no connection: subscribe"
# A call on its way: it has left the client and not reached the hub.
ON_ITS_WAY = [
    Row("the call is lost, the link lives", Fault("call", drop), "unknown", "open", AWAY, 0, 30),
    Row("the call comes late", Fault("call", delay(3)), "done", "done", "done", 1, 3.1),
    Row("the call comes after its limit", Fault("call", delay(45)), "unknown", "done", AWAY, 1, 45.1),
    Row("the call comes twice", Fault("call", twice), "done", "done", "done", 2),
    Row("the call comes byte by byte", Fault("call", split), "done", "done", "done", 1),
    Row("reset before the call arrives", Fault("call", reset), "unknown", "unknown", AWAY, 0),
    Row("closed before the call arrives", Fault("call", close), "unknown", "unknown", AWAY, 0),
    Row("half-open before the call arrives", Fault("call", half_open), "unknown", "unknown", AWAY, 0, 10),
    Row("reset in the middle of the call", Fault("call", half_then(reset)), "unknown", "unknown", AWAY, 0),
    Row("closed in the middle of the call", Fault("call", half_then(close)), "unknown", "unknown", AWAY, 0),
    Row("half-open in the middle of the call", Fault("call", half_then(half_open)), "unknown", "unknown", AWAY, 0, 10),
    Row("garbage instead of the call", Fault("call", garbage()), "unknown", "unknown", AWAY, 0, 10),
]
# An answer on its way: the hub has done it, and the client does not know.
ON_ITS_WAY_BACK = [
    Row("the answer is lost, the link lives", Fault("answer", drop), "unknown", "open", AWAY, 1, 30),
    Row("the answer comes late", Fault("answer", delay(3)), "done", "done", "done", 1, 3.1),
    Row("the answer comes twice", Fault("answer", twice), "done", "done", "done", 1),
    Row("the answer comes byte by byte", Fault("answer", split), "done", "done", "done", 1),
    Row("reset before the answer arrives", Fault("answer", reset), "unknown", "unknown", AWAY, 1),
    Row("closed before the answer arrives", Fault("answer", close), "unknown", "unknown", AWAY, 1),
    Row("half-open before the answer arrives", Fault("answer", half_open), "unknown", "unknown", AWAY, 1, 10),
    Row("reset in the middle of the answer", Fault("answer", half_then(reset)), "unknown", "unknown", AWAY, 1),
    Row("closed in the middle of the answer", Fault("answer", half_then(close)), "unknown", "unknown", AWAY, 1),
    Row("half-open in the middle of the answer", Fault("answer", half_then(half_open)), "unknown", "unknown", AWAY, 1, 10),
    Row("no frame instead of the answer", Fault("answer", garbage()), "unknown", "unknown", AWAY, 1),
    Row("a frame of nonsense instead of the answer", Fault("answer", garbled()), "unknown", "unknown", AWAY, 1),
]
TABLE = [*ON_ITS_WAY, *ON_ITS_WAY_BACK]


@dataclass
class Told:
    """What came of one kind of call under one fault."""

    ending: str
    executed: int
    took_s: float
    fired: list[Point] = field(default_factory=list)
    afterwards: str = ""


async def befallen(row: Row, kind: str, encoding: str) -> Told:
    async with hub_server() as server, FaultProxy(server.port, row.fault) as proxy:
        clock = asyncio.get_running_loop().time
        if kind == "subscription":
            began = clock()
            ending = await in_a_word(subscribed(proxy.url, encoding))
            # What was late arrives in the meantime; nobody may mind.
            took, _ = clock() - began, await asyncio.sleep(60)
            afterwards = await in_a_word(subscribed(proxy.url, encoding))
            method = SUBSCRIPTION
            executed = sum(name == method for name, _ in server.executed) - 1
            return Told(ending, executed, took, proxy.fired, afterwards)
        method = CALLS.get(kind, STREAM)
        hub = await connect(proxy.url, "data" if kind == "stream" else "control", encoding=encoding)
        began = clock()
        ending = await in_a_word(streamed(hub) if kind == "stream" else called(hub, method))
        took, _ = clock() - began, await asyncio.sleep(60)
        executed = sum(name == method for name, _ in server.executed)
        afterwards = await in_a_word(streamed(hub) if kind == "stream" else called(hub, method))
        await hub.close()
        return Told(ending, executed, took, proxy.fired, afterwards)


async def subscribed(url: str, encoding: str) -> str:
    hub = await connect(url, "event", encoding=encoding)
    await hub.close()
    return "done"


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_fault_and_a_call(row: Row, kind: str, encoding: str) -> None:
    told = run(befallen(row, kind, encoding))
    assert told.fired == [row.fault.point], "a fault that did not happen proves nothing"
    assert (told.ending, told.executed) == row.expected(kind)
    assert told.ending == "open" or told.took_s <= row.within_s
    assert told.afterwards == "done", "the link has come back, or was never gone"
