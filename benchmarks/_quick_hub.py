"""A hub that costs as little as Python allows, so that what is measured at it is the client: a websocket by hand, answers made
beforehand, all of a read answered in one write. `python -m benchmarks._quick_hub` prints its port and serves until it is killed.

At /echo every frame comes back. At any other path GetAccount is answered with about 1 KB. Storm [n] is answered after n callbacks of OnOrderUpdate have been sent, each with one
event as MesoLive sends it and a frame of its own; they leave as fast as the client reads.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1

import msgspec
from websockets.frames import apply_mask

ACCOUNT = {
    "BrokerAccountId": "PAPER-1",
    "BrokerType": "Paper",
    "AccountType": "x" * 850,
    "Currency": "USD",
    "IsPaperAccount": True,
    "Cash": 250000.50,
}
EVENT = {
    "EventId": "2f1c8a52-7f0c-4a53-9f43-0d6c1f0e8b11",
    "EventSeqId": 4711,
    "EventTime": "2025-01-16T15:00:00Z",
    "StrategyId": 101,
    "StrategyName": "NetZero 60-40-20",
    "BrokerAccountId": "IB-1",
    "OrderId": 7001,
    "ExecPlanId": 5001,
    "LegGroupId": 1,
    "State": "PartiallyFilled",
    "FilledQty": 1.0,
    "RemainingQty": 1.0,
    "FillPrice": -42.125,
    "AvgFillPrice": -42.125,
    "Rejection": None,
}
CALLBACK = "OnOrderUpdate"
# Written at once; between two such pieces the hub waits until the client has taken most of it.
CALLBACKS_A_WRITE = 200
_ANSWER = {"Status": "Success", "Message": None, "Data": {"Account": ACCOUNT}, "Error": None}
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_OFFER = {
    "negotiateVersion": 1,
    "connectionId": "1",
    "connectionToken": "1",
    "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}],
}


class Call(msgspec.Struct, rename="camel"):
    """What counts of a record."""

    type: int = 0
    invocation_id: str | None = None
    target: str = ""
    arguments: list[msgspec.Raw] = []


_read = msgspec.json.Decoder(Call).decode
_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A


def frame(data: bytes, kind: int = _TEXT) -> bytes:
    """A whole one, as servers send them: not masked."""
    size = len(data)
    if size < 126:
        return bytes((kind, size)) + data
    return bytes((kind, 126)) + size.to_bytes(2, "big") + data


_DATA = b'","result":' + msgspec.json.encode(_ANSWER) + b"}\x1e"
_CALLBACKS = CALLBACKS_A_WRITE * frame(
    msgspec.json.encode({"type": 1, "target": CALLBACK, "arguments": [EVENT]}) + b"\x1e"
)


class Connection(asyncio.Protocol):
    """One client: negotiation, or a websocket."""

    def __init__(self) -> None:
        self._rest, self._is_socket, self._shaken, self._echoes = b"", False, False, False
        self._writable = asyncio.Event()
        self._writable.set()
        self._storm: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._is_socket and not self._http():
            return
        answers = [answer for kind, content in self._frames() for answer in self._answers(kind, content)]
        if answers:
            self._transport.write(b"".join(answers))

    def _http(self) -> bool:
        """Whether it is a websocket now. A negotiation's body is empty, or not looked at."""
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end:
            return False
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"upgrade" in fields:
            key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
            accept = b64encode(sha1(key.split(b": ")[1].strip() + _GUID).digest())
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self._rest, self._is_socket, self._echoes = rest, True, head.startswith(b"GET /echo")
            return True
        body = json.dumps(_OFFER).encode()
        size = str(len(body)).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            + size
            + b"\r\n\r\n"
            + body
        )
        self._transport.close()
        return False

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """The whole ones; clients mask theirs."""
        data, at = self._rest, 0
        while len(data) - at >= 6:
            size, start = data[at + 1] & 0x7F, at + 2
            if size == 126:
                size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            end = start + 4 + size
            if end > len(data):
                break
            yield data[at], apply_mask(data[start + 4 : end], data[start : start + 4])
            at = end
        self._rest = data[at:]

    def _answers(self, kind: int, content: bytes) -> Iterator[bytes]:
        if kind == _PING:
            yield frame(content, _PONG)
        elif kind == _CLOSE:
            yield frame(content, _CLOSE)
        elif self._echoes:
            yield frame(content)
        elif not self._shaken:
            self._shaken = True
            yield frame(b"{}\x1e")
        else:
            for record in content.split(b"\x1e"):
                call = _read(record) if record else None
                if call is None or call.invocation_id is None:
                    continue
                head = b'{"type":3,"invocationId":"' + call.invocation_id.encode()
                if call.target == "Storm":
                    count = int(bytes(call.arguments[0]))
                    self._storm = asyncio.ensure_future(self._call_back(count, frame(head + _DATA)))
                else:
                    yield frame(head + _DATA)

    async def _call_back(self, count: int, answer: bytes) -> None:
        for _ in range(count // CALLBACKS_A_WRITE):
            await self._writable.wait()
            self._transport.write(_CALLBACKS)
        self._transport.write(answer)


@contextmanager
def quick_hub() -> Iterator[str]:
    """Its port, while the block runs."""
    command = [sys.executable, "-m", "benchmarks._quick_hub"]
    # Clients that leave without a goodbye are no news here.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
