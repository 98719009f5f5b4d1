"""An hour of simulated time on the idle loop, in real seconds. `python -m benchmarks.idle_hour [ROUNDS]`. Goal: below 1 s.

timers   3,600 timers, one a simulated second, nothing else.
linked   the same, with a client connected to a served hub over a real websocket in this process.
asking   the same, and the client calls the hub every simulated second; against the same calls without any waiting.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from mesoflow.runtime.clock import new_idle_loop
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.wire.core import Caller, UnknownMethod
from mesoflow.simulator.wire.server import Server

HOUR = 3600
START = datetime(2025, 1, 16, 15, tzinfo=UTC)
CALL = json.dumps(
    {"type": 1, "invocationId": "1", "target": "GetAccount", "arguments": [{"BrokerAccountId": "PAPER-1"}]}
)


class Hub:
    """Answers every call with the same account."""

    async def connected(self, caller: Caller) -> None:
        return None

    async def disconnected(self, caller: Caller) -> None:
        return None

    async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
        return {"Status": "Success", "Data": {"Account": {"BrokerAccountId": "PAPER-1", "Currency": "USD"}}}

    async def stream(self, target: str, arguments: list[Any], caller: Caller) -> AsyncIterator[object]:
        raise UnknownMethod(target)
        yield


async def timers(_: ClientConnection | None = None) -> None:
    for _second in range(HOUR):
        await asyncio.sleep(1)


async def asking(client: ClientConnection, pause: float = 1) -> None:
    for _second in range(HOUR):
        await asyncio.sleep(pause)
        await client.send(CALL + "\x1e")
        await client.recv()


async def calls_only(client: ClientConnection) -> None:
    await asking(client, 0)


async def linked(work: Callable[[ClientConnection], Awaitable[None]]) -> float:
    server = Server({"/hub": Hub()}, EmbeddedClock(asyncio.get_running_loop(), START), keep_alive_s=None)
    await server.start()
    url = server.url.replace("http://", "ws://") + "/hub?access_token=any"
    async with connect(url, compression=None, ping_interval=None) as client:
        await client.send('{"protocol":"json","version":1}\x1e')
        await client.recv()
        began = perf_counter()
        await work(client)
        took = perf_counter() - began
    await server.stop()
    return took


async def alone() -> float:
    began = perf_counter()
    await timers()
    return perf_counter() - began


ROWS: dict[str, Callable[[], Awaitable[float]]] = {
    "timers": alone,
    "linked": lambda: linked(timers),
    "asking": lambda: linked(asking),
    "calls without waiting": lambda: linked(calls_only),
}


def measure(row: Callable[[], Awaitable[float]]) -> float:
    async def main() -> float:
        return await row()

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        return runner.run(main())


def main(argv: list[str]) -> int:
    rounds = int(argv[0]) if argv else 5
    found: dict[str, list[float]] = {name: [] for name in ROWS}
    for _ in range(rounds):
        for name, row in ROWS.items():
            found[name].append(measure(row))
    for name, times in found.items():
        print(f"{name:<24}{median(times):8.3f} s   ({min(times):.3f} to {max(times):.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
