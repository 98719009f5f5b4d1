"""What the wire costs, against others on the same server in the same run. `python -m benchmarks.wire [ROUNDS]`.

round trip   one call of 1 KB after another: our invocation (encoded argument in, decoded answer out) and our whole `invoke`
             (models included), against a bare `websockets` echo of the same bytes. Goal: the invocation at most 2 times.
in flight    100 callers at once, calls a second: ours, pysignalr, signalrcore.
connect      negotiate, upgrade and handshake until the first call may go.
import       `import mesoflow.hubs.client` against `python -c pass`.

Each client runs in a process of its own against one server process; the rounds are interleaved and medians are printed.
pysignalr comes with the extra `bench`; a client that is not installed is left out and named.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks._goals import at_most

CALLS = 1500
IN_FLIGHT = 100
CALLS_IN_FLIGHT = 5000
CONNECTS = 15
PAYLOAD = {"BrokerAccountId": "PAPER-1", "Text": "x" * 980}
ACCOUNT = {
    "BrokerAccountId": "PAPER-1",
    "BrokerType": "Paper",
    "AccountType": "x" * 850,
    "Currency": "USD",
    "IsPaperAccount": True,
    "Cash": 250000.50,
}


# ── the server: a bare echo, and a hub that answers GetAccount ──


async def serve_both() -> None:
    import msgspec
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.datastructures import Headers
    from websockets.http11 import Request, Response

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    answer = msgspec.json.encode(
        {"Status": "Success", "Message": None, "Data": {"Account": ACCOUNT}, "Error": None}
    )

    async def hub(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("{}\x1e")
        async for frame in connection:
            data = frame.encode() if isinstance(frame, str) else frame
            for record in data.split(b"\x1e"):
                identity = msgspec.json.decode(record).get("invocationId") if record else None
                if identity is not None:
                    head = b'{"type":3,"invocationId":"' + identity.encode() + b'","result":'
                    await connection.send(head + answer + b"}\x1e", text=True)

    async def negotiate(_: ServerConnection, request: Request) -> Response | None:
        if "/negotiate" not in request.path:
            return None
        offer = {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}
        body = {
            "negotiateVersion": 1,
            "connectionId": "1",
            "connectionToken": "1",
            "availableTransports": [offer],
        }
        data = json.dumps(body).encode()
        headers = Headers({"Content-Length": str(len(data)), "Content-Type": "application/json"})
        return Response(200, "OK", headers, data)

    bare = await serve(echo, "127.0.0.1", 0, compression=None)
    hubs = await serve(hub, "127.0.0.1", 0, compression=None, process_request=negotiate)
    ports = [next(iter(server.sockets)).getsockname()[1] for server in (bare, hubs)]
    print(*ports, flush=True)
    await asyncio.get_running_loop().create_future()


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


async def bare_client(echo: int, _: int) -> dict[str, float]:
    from websockets.asyncio.client import connect

    text = (
        json.dumps({"type": 1, "invocationId": "1", "target": "GetAccount", "arguments": [PAYLOAD]}) + "\x1e"
    )
    async with connect(f"ws://127.0.0.1:{echo}", compression=None) as connection:

        async def call() -> None:
            await connection.send(text)
            await connection.recv()

        return {"round_trip_us": await one_after_another(call)}


async def our_client(_: int, port: int) -> dict[str, float]:
    from datetime import timedelta

    import msgspec

    from mesoflow.hubs.client import MesoLive
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
    argument, minute, row = msgspec.json.encode(PAYLOAD), timedelta(minutes=1), METHODS["GetAccount"]
    connection = client._connection(row)
    result = {
        "connect_ms": median(connects) * 1e3,
        "round_trip_us": await one_after_another(lambda: connection.invoke(row, argument, 60)),
        "in_flight": await at_once(lambda: connection.invoke(row, argument, 60)),
        "whole_us": await one_after_another(lambda: client.invoke("GetAccount", argument, within=minute)),
        "whole_in_flight": await at_once(lambda: client.invoke("GetAccount", argument, within=minute)),
    }
    await client.close()
    return result


async def pysignalr_client(_: int, port: int) -> dict[str, float]:
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

    async def call() -> None:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def on_invocation(message: Any) -> None:
            done.set_result(message)

        await client.send("GetAccount", [PAYLOAD], on_invocation)
        await done

    result = {
        "connect_ms": median(connects) * 1e3,
        "round_trip_us": await one_after_another(call),
        "in_flight": await at_once(call),
    }
    task.cancel()
    return result


async def signalrcore_client(_: int, port: int) -> dict[str, float]:
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

    async def call() -> None:
        done: asyncio.Future[Any] = loop.create_future()
        hub.send(
            "GetAccount", [dict(PAYLOAD)], lambda message: loop.call_soon_threadsafe(done.set_result, message)
        )
        await done

    return {
        "connect_ms": median(connects) * 1e3,
        "round_trip_us": await one_after_another(call),
        "in_flight": await at_once(call),
    }


CLIENTS: dict[str, Callable[[int, int], Awaitable[dict[str, float]]]] = {
    "bare echo": bare_client,
    "mesoflow": our_client,
    "pysignalr": pysignalr_client,
    "signalrcore": signalrcore_client,
}


# ── the run ──


def measured(name: str, ports: list[str]) -> dict[str, float] | None:
    command = [sys.executable, "-m", "benchmarks.wire", "--client", name, *ports]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode != 0 or not done.stdout:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def started_ms(code: str) -> float:
    took = []
    for _ in range(9):
        began = perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        took.append(perf_counter() - began)
    return median(took) * 1e3


def main(rounds: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.wire", "--serve"],
        stdout=subprocess.PIPE,
        # Clients that leave without a goodbye are no news here.
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        ports = server.stdout.readline().split()
        results: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
        try:
            for _ in range(rounds):
                for name, found in results.items():
                    one = measured(name, ports)
                    found += [one] if one is not None else []
        finally:
            server.kill()
    show({name: medians(found) for name, found in results.items()})
    nothing, client = started_ms("pass"), started_ms("import mesoflow.hubs.client")
    print(
        f"\nimport mesoflow.hubs.client {client:.0f} ms, {client / nothing:.1f} times `python -c pass` ({nothing:.0f} ms)"
    )


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(one[key] for one in found) for key in found[0]} if found else {}


def show(table: dict[str, dict[str, float]]) -> None:
    echo = table["bare echo"]["round_trip_us"]
    ours = table["mesoflow"]
    print(f"{'':22}{'round trip µs':>15}{'× echo':>8}{'100 in flight/s':>17}{'connect ms':>12}")
    rows = table | {
        "mesoflow, with models": {"round_trip_us": ours["whole_us"], "in_flight": ours["whole_in_flight"]}
    }
    for name, row in rows.items():
        if not row:
            print(f"{name:22}not installed (pip install mesoflow[bench])")
            continue
        flight, connect = row.get("in_flight"), row.get("connect_ms")
        print(
            f"{name:22}{row['round_trip_us']:>15.0f}{row['round_trip_us'] / echo:>8.2f}"
            f"{f'{flight:.0f}' if flight else '':>17}{f'{connect:.1f}' if connect else '':>12}"
            f"{at_most(row['round_trip_us'] / echo, 2) if name == 'mesoflow' else ''}"
        )
    for other in ("pysignalr", "signalrcore"):
        if table[other]:
            print(f"100 in flight: {ours['in_flight'] / table[other]['in_flight']:.1f} times {other}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve"]:
            asyncio.run(serve_both())
        case ["--client", name, echo, port]:
            print(json.dumps(asyncio.run(CLIENTS[name](int(echo), int(port)))), flush=True)  # type: ignore[arg-type]
            # signalrcore's threads would keep the process for the server's next frame.
            import os

            os._exit(0)
        case rest:
            main(int(rest[0]) if rest else 3)
