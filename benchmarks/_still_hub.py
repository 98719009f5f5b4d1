"""A hub that answers at once and always the same, as a process of its own: what is measured against it is the runner.

`python -m benchmarks._still_hub [SECONDS]` prints its port and serves until it is killed; it answers after so many seconds,
by default at once. Not the simulator: that one has a market to keep, and would be what is measured.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ACCOUNT = {
    "BrokerAccountId": "PAPER-1",
    "BrokerType": "Paper",
    "AccountType": "Paper",
    "Currency": "USD",
    "IsPaperAccount": True,
    "Cash": 250000.5,
}
ANSWERS = {
    "GetAccount": {"Account": ACCOUNT},
    "StartPreparePositionEntry": {"JobId": "2f1c8a52-7f0c-4a53-9f43-0d6c1f0e8b11"},
    "ApplyPaperFills": {"PositionId": 4711, "ExecPlanId": 1, "LiveOrderIds": []},
}


@contextmanager
def still_hub(pause_s: float = 0) -> Iterator[str]:
    """Its address, while the block runs."""
    command = [sys.executable, "-m", "benchmarks._still_hub", str(pause_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


async def serve(pause_s: float) -> None:
    import msgspec
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.datastructures import Headers
    from websockets.http11 import Request, Response

    class Call(msgspec.Struct, rename="camel"):
        type: int
        invocation_id: str | None = None
        target: str = ""

    decode = msgspec.json.Decoder(Call).decode
    bodies = {
        target: b'","result":' + json.dumps({"Status": "Success", "Data": data}).encode() + b"}\x1e"
        for target, data in ANSWERS.items()
    }

    loop, answering = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def later(connection: ServerConnection, answer: bytes) -> None:
        task = loop.create_task(connection.send(answer, text=True))
        answering.add(task)
        task.add_done_callback(answering.discard)

    async def hub(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("{}\x1e")
        async for frame in connection:
            data = frame.encode() if isinstance(frame, str) else frame
            for record in data.split(b"\x1e"):
                call = decode(record) if record else None
                if call is not None and call.invocation_id is not None:
                    answer = b'{"type":3,"invocationId":"' + call.invocation_id.encode() + bodies[call.target]
                    if pause_s:
                        loop.call_later(pause_s, later, connection, answer)
                    else:
                        await connection.send(answer, text=True)

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

    server = await serve(hub, "127.0.0.1", 0, compression=None, process_request=negotiate)
    print(next(iter(server.sockets)).getsockname()[1], flush=True)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if sys.argv[1:] else 0))
