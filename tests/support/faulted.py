"""A client, a hub that answers everything, and one word for how a call between them ended (tests/e2e/test_fault_*.py)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from websockets.exceptions import ConnectionClosed

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.errors import CallRefused, ConnectFailed, NotSent, OutcomeUnknown
from mesoflow.hubs.transport import Keepalive
from tests.support.wire_server import Call, Client, WireServer

AT = "2025-01-16T15:00:00Z"
WITHIN = timedelta(seconds=30)
ALL = frozenset({"read", "change", "prepare", "trade"})
ARGS: dict[str, dict[str, Any]] = {
    "GetAccount": {"broker_account_id": "PAPER-1"},
    "RenameStrategy": {"strategy_id": 7, "name": "new"},
    "StartPreparePositionExit": {"idempotency_key": "k", "position_id": 3, "data_provider": None},
    "ApplyPaperFills": {
        "idempotency_key": "k",
        "exec_plan_id": 9,
        "paper_leg_fills": {"put": {"price": "1.25"}},
    },
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
