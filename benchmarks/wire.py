"""What the wire costs, against others on the same server in the same run. `python -m benchmarks.wire [ROUNDS]`.

round trip   one call of 1 KB after another: our invocation (its argument encoded, its answer decoded, numbers exact) and our
             whole `invoke` (models included), against a bare `websockets` echo of the same bytes. Goal: the invocation at
             most 2 times; and at least as many a second as pysignalr, 1.1 times signalrcore's.
in flight    100 callers at once, calls a second. Goal: 1.4 times pysignalr, 3 times signalrcore.
callbacks    of one event of 300 bytes each, a second, until each was given to its handler; ours as the connection hands them
             over, and with the event feed behind it (models, each once). Goal: as pysignalr, 1.1 times signalrcore.
connect      negotiate, upgrade and handshake until the first call may go.
import       `import mesoflow.hubs.client` against `python -c pass`.

Each client runs in a process of its own against one server process, which is written to cost little (_quick_hub.py): what is
told is what the client can do. The rounds are interleaved; of each figure the median is printed, and of each ratio the median
of the rounds' own ratios, because a busy machine is busy for all of a round.
pysignalr comes with the extra `bench`; a client that is not installed is left out and named.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks._goals import at_least, at_most
from benchmarks._quick_hub import CALLBACK, quick_hub

CALLS = 1500
IN_FLIGHT = 100
CALLS_IN_FLIGHT = 5000
CALLBACKS = 20_000
CONNECTS = 15
PAYLOAD = {"BrokerAccountId": "PAPER-1", "Text": "x" * 980}
# What ours should be at least, as times of another's.
GOALS = {
    ("pysignalr", "one_by_one"): 1.0,
    ("pysignalr", "in_flight"): 1.4,
    ("pysignalr", "callbacks"): 1.0,
    ("signalrcore", "one_by_one"): 1.1,
    ("signalrcore", "in_flight"): 3.0,
    ("signalrcore", "callbacks"): 1.1,
}


# ── the clients; each prints one JSON object ──


async def one_after_another(call: Callable[[], Awaitable[Any]]) -> float:
    """Median microseconds."""
    for _ in range(100):
        await call()
    took = []
    for _ in range(CALLS):
        began = perf_counter()
        await call()
        took.append(perf_counter() - began)
    return median(took) * 1e6


async def at_once(call: Callable[[], Awaitable[Any]]) -> float:
    """Calls a second."""

    async def caller() -> None:
        for _ in range(CALLS_IN_FLIGHT // IN_FLIGHT):
            await call()

    began = perf_counter()
    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))
    return CALLS_IN_FLIGHT / (perf_counter() - began)


class Count:
    """Of callbacks, until all are there."""

    def __init__(self) -> None:
        self._left, self.all = CALLBACKS, asyncio.Event()

    def one(self, *_: object) -> None:
        self._left -= 1
        if not self._left:
            self.all.set()


async def callbacks_a_second(count: Count, ask: Callable[[], Awaitable[Any]]) -> float:
    began = perf_counter()
    await ask()
    await count.all.wait()
    return CALLBACKS / (perf_counter() - began)


async def bare_client(port: int) -> dict[str, float]:
    from websockets.asyncio.client import connect

    text = (
        json.dumps({"type": 1, "invocationId": "1", "target": "GetAccount", "arguments": [PAYLOAD]}) + "\x1e"
    )
    async with connect(f"ws://127.0.0.1:{port}/echo", compression=None) as connection:

        async def call() -> None:
            await connection.send(text)
            await connection.recv()

        return {"round_trip_us": await one_after_another(call)}


async def our_client(port: int) -> dict[str, float]:
    from datetime import timedelta

    from mesoflow.hubs.client import MesoLive
    from mesoflow.hubs.codec import codec_of
    from mesoflow.hubs.contract import METHODS

    async def opened() -> MesoLive:
        return await MesoLive.connect(
            f"http://127.0.0.1:{port}", token="T", random=lambda: 0.5, hubs=["control"]
        )

    connects = []
    for _ in range(CONNECTS):
        began = perf_counter()
        client = await opened()
        connects.append(perf_counter() - began)
        await client.close()
    client = await opened()
    minute, row = timedelta(minutes=1), METHODS["GetAccount"]
    connection, codec = client._connection(row), codec_of("json")
    argument = codec.encode(PAYLOAD)

    async def call() -> None:
        await connection.invoke(row, codec.encode(PAYLOAD), 60)

    result = {
        "connect_ms": median(connects) * 1e3,
        "round_trip_us": await one_after_another(call),
        "in_flight": await at_once(call),
        "callbacks": await our_callbacks(port, connection_alone=True),
        "whole_callbacks": await our_callbacks(port, connection_alone=False),
        "whole_us": await one_after_another(lambda: client.invoke("GetAccount", argument, within=minute)),
        "whole_in_flight": await at_once(lambda: client.invoke("GetAccount", argument, within=minute)),
    }
    await client.close()
    return result


async def our_callbacks(port: int, *, connection_alone: bool) -> float:
    from dataclasses import replace

    from mesoflow.hubs.connection import open_connection
    from mesoflow.hubs.contract import METHODS
    from mesoflow.hubs.event import EventFeed
    from mesoflow.hubs.transport import Keepalive

    count, feed = Count(), EventFeed("json")
    # As after its catching up; each event has the same id here, so what tells them apart is left out.
    feed._buffer, feed._first_time = None, lambda identity: True  # type: ignore[method-assign]  # nothing is a repeat
    feed.listen(count.one)
    connection = await open_connection(
        "event",
        f"http://127.0.0.1:{port}/hubs/event/v1",
        token="T",
        encoding="json",
        allow=frozenset({"read"}),
        heard=count.one if connection_alone else feed.take,
        keepalive=Keepalive(),
    )
    row = replace(METHODS["GetAccount"], name="Storm")
    found = await callbacks_a_second(count, lambda: connection.invoke(row, str(CALLBACKS).encode(), 60))
    await connection.close()
    return found


async def pysignalr_client(port: int) -> dict[str, float]:
    from pysignalr.client import SignalRClient

    async def opened() -> tuple[Any, asyncio.Task[Any]]:
        client = SignalRClient(f"http://127.0.0.1:{port}/hubs/control/v1", access_token_factory=lambda: "T")
        ready = asyncio.Event()

        async def on_open() -> None:
            ready.set()

        client.on_open(on_open)
        task = asyncio.create_task(client.run())
        await ready.wait()
        return client, task

    connects = []
    for _ in range(CONNECTS):
        began = perf_counter()
        _, task = await opened()
        connects.append(perf_counter() - began)
        task.cancel()
        await asyncio.wait([task])
    client, task = await opened()

    async def invoke(method: str, argument: Any) -> None:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def on_invocation(message: Any) -> None:
            done.set_result(message)

        await client.send(method, [argument], on_invocation)
        await done

    async def call() -> None:
        await invoke("GetAccount", PAYLOAD)

    count = Count()

    async def on_event(arguments: Any) -> None:
        count.one()

    client.on(CALLBACK, on_event)

    result = {
        "connect_ms": median(connects) * 1e3,
        "round_trip_us": await one_after_another(call),
        "in_flight": await at_once(call),
        "callbacks": await callbacks_a_second(count, lambda: invoke("Storm", CALLBACKS)),
    }
    task.cancel()
    return result


async def signalrcore_client(port: int) -> dict[str, float]:
    import threading

    from signalrcore.hub_connection_builder import HubConnectionBuilder
    from signalrcore.protocol.json_hub_protocol import JsonHubProtocol

    loop = asyncio.get_running_loop()

    def opened() -> Any:
        builder = HubConnectionBuilder().with_url(
            f"http://127.0.0.1:{port}/hubs/control/v1", options={"access_token_factory": lambda: "T"}
        )
        hub = builder.with_hub_protocol(JsonHubProtocol(version=1)).build()
        ready = threading.Event()
        hub.on_open(ready.set)
        hub.start()
        ready.wait(10)
        return hub

    # Its stop() waits for the server's next frame, so connections are left open here.
    connects = []
    for _ in range(3):
        began = perf_counter()
        hub = opened()
        connects.append(perf_counter() - began)

    async def invoke(method: str, argument: Any) -> None:
        done: asyncio.Future[Any] = loop.create_future()
        hub.send(method, [argument], lambda message: loop.call_soon_threadsafe(done.set_result, message))
        await done

    async def call() -> None:
        await invoke("GetAccount", dict(PAYLOAD))

    # Its handlers run in its own thread; only the last one has to reach the loop.
    left, all_there = [CALLBACKS], asyncio.Event()

    def on_event(arguments: Any) -> None:
        left[0] -= 1
        if not left[0]:
            loop.call_soon_threadsafe(all_there.set)

    hub.on(CALLBACK, on_event)
    result = {
        "connect_ms": median(connects) * 1e3,
        "round_trip_us": await one_after_another(call),
        "in_flight": await at_once(call),
    }
    began = perf_counter()
    hub.send("Storm", [CALLBACKS], lambda message: None)
    await all_there.wait()
    return result | {"callbacks": CALLBACKS / (perf_counter() - began)}


CLIENTS: dict[str, Callable[[int], Awaitable[dict[str, float]]]] = {
    "bare echo": bare_client,
    "mesoflow": our_client,
    "pysignalr": pysignalr_client,
    "signalrcore": signalrcore_client,
}


# ── the run ──


def measured(name: str, port: str) -> dict[str, float] | None:
    command = [sys.executable, "-m", "benchmarks.wire", "--client", name, port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode != 0 or not done.stdout:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found = dict(json.loads(done.stdout.splitlines()[-1]))
    return found | {"one_by_one": 1e6 / found["round_trip_us"]}


def started_ms(code: str) -> float:
    took = []
    for _ in range(9):
        began = perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        took.append(perf_counter() - began)
    return median(took) * 1e3


def main(rounds: int) -> None:
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    with quick_hub() as port:
        for number in range(rounds):
            # Back and forth, so that no client always comes after the same other.
            for name in list(CLIENTS)[:: -1 if number % 2 else 1]:
                one = measured(name, port)
                results[name] += [one] if one is not None else []
    show({name: medians(found) for name, found in results.items()})
    compare(results)
    nothing, client = started_ms("pass"), started_ms("import mesoflow.hubs.client")
    print(
        f"\nimport mesoflow.hubs.client {client:.0f} ms, {client / nothing:.1f} times `python -c pass` ({nothing:.0f} ms)"
    )


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(one[key] for one in found) for key in found[0]} if found else {}


def show(table: dict[str, dict[str, float]]) -> None:
    echo, ours = table["bare echo"]["round_trip_us"], table["mesoflow"]
    print(
        f"{'':22}{'round trip µs':>15}{'× echo':>8}{'100 in flight/s':>17}{'callbacks/s':>13}{'connect ms':>12}"
    )
    whole = {"round_trip_us": "whole_us", "in_flight": "whole_in_flight", "callbacks": "whole_callbacks"}
    rows = table | {"mesoflow, with models": {name: ours[key] for name, key in whole.items()}}
    for name, row in rows.items():
        if not row:
            print(f"{name:22}not installed (pip install mesoflow[bench])")
            continue
        cells = [
            f"{row[key]:.{digits}f}" if key in row else ""
            for key, digits in (("in_flight", 0), ("callbacks", 0), ("connect_ms", 1))
        ]
        print(
            f"{name:22}{row['round_trip_us']:>15.0f}{row['round_trip_us'] / echo:>8.2f}"
            f"{cells[0]:>17}{cells[1]:>13}{cells[2]:>12}"
            f"{at_most(row['round_trip_us'] / echo, 2) if name == 'mesoflow' else ''}"
        )


def compare(results: dict[str, list[dict[str, float]]]) -> None:
    """Ours as times of another's, by round."""
    words = {"one_by_one": "one in flight", "in_flight": "100 in flight", "callbacks": "callbacks"}
    print()
    for (other, figure), goal in GOALS.items():
        if results[other]:
            pairs = zip(results["mesoflow"], results[other], strict=True)
            ratios = [ours[figure] / theirs[figure] for ours, theirs in pairs]
            told = f"{words[figure]} against {other}"
            print(
                f"{told:36}{median(ratios):5.2f} times   ({min(ratios):.2f} to {max(ratios):.2f}){at_least(median(ratios), goal)}"
            )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--client", name, port]:
            print(json.dumps(asyncio.run(CLIENTS[name](int(port)))), flush=True)
            # signalrcore's threads would keep the process for the server's next frame.
            os._exit(0)
        case rest:
            main(int(rest[0]) if rest else 3)
