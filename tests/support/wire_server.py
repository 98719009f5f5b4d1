"""A hub server for tests of the client's wire: hand-written, scripted, and free to break every rule.

It shares no code with the client: its JSON is the standard library's, its MessagePack the msgpack package's. Each method
has a handler, `async def handler(call)`, that answers, misbehaves, or keeps silent; methods without one answer with
`server.data[method]` in an envelope. `server.executed` lists what was received, in order.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

SEPARATOR = "\x1e"
Handler = Callable[["Call"], Awaitable[None]]


@dataclass
class Call:
    """One call as received, and every way to answer it."""

    client: Client
    identity: str | None
    method: str
    arguments: list[Any]
    streaming: bool = False

    async def answer(self, data: Any, status: Any = "Success", **more: Any) -> None:
        await self.complete({"Status": status, "Message": None, "Data": data, "Error": None} | more)

    async def complete(self, result: Any) -> None:
        await self.client.send([3, {}, self.identity, 3, result])

    async def end(self) -> None:
        await self.client.send([3, {}, self.identity, 2])

    async def error(self, text: str) -> None:
        await self.client.send([3, {}, self.identity, 1, text])

    async def item(self, item: Any) -> None:
        await self.client.send([2, {}, self.identity, item])


@dataclass
class Client:
    """One connected client. Messages are lists in MessagePack's shape; `encoded` renders them for either protocol."""

    server: WireServer
    socket: ServerConnection
    hub: str
    protocol: str = "json"
    received: list[Any] = field(default_factory=list)

    def encoded(self, *messages: Any) -> bytes:
        if self.protocol == "json":
            return "".join(json.dumps(to_json(message)) + SEPARATOR for message in messages).encode()
        packed = [msgpack.packb(message) for message in messages]
        return b"".join(varint(len(one)) + one for one in packed)

    async def send(self, *messages: Any) -> None:
        await self.raw(self.encoded(*messages))

    async def raw(self, data: bytes) -> None:
        await self.socket.send(data, text=self.protocol == "json")

    async def callback(self, name: str, *arguments: Any) -> None:
        await self.send([1, {}, None, name, list(arguments), []])

    async def close_message(self, error: str | None = None, allow_reconnect: bool | None = None) -> None:
        await self.send([7, error] if allow_reconnect is None else [7, error, allow_reconnect])

    def reset(self) -> None:
        """RST instead of FIN."""
        raw = self.socket.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.transport.abort()

    def stop_reading(self) -> None:
        """Half-open: the socket stays, nothing is read, no ping is answered."""
        self.socket.transport.pause_reading()


def varint(length: int) -> bytes:
    out = bytearray()
    while length > 127:
        out.append(length % 128 + 128)
        length //= 128
    return bytes([*out, length])


def to_json(message: list[Any]) -> dict[str, Any]:
    """A message in MessagePack's shape as JSON's object."""
    record: dict[str, Any] = {"type": message[0]}
    match message:
        case [1 | 4, _, identity, target, arguments, *_]:
            record |= {"target": target, "arguments": arguments}
            record |= {} if identity is None else {"invocationId": identity}
        case [2, _, identity, item]:
            record |= {"invocationId": identity, "item": item}
        case [3, _, identity, 1, error]:
            record |= {"invocationId": identity, "error": error}
        case [3, _, identity, 2]:
            record |= {"invocationId": identity}
        case [3, _, identity, 3, result]:
            record |= {"invocationId": identity, "result": result}
        case [5, _, identity]:
            record |= {"invocationId": identity}
        case [7, error, *allow]:
            record |= {} if error is None else {"error": error}
            record |= {"allowReconnect": allow[0]} if allow else {}
        case [8 | 9, number]:
            record |= {"sequenceId": number}
        case [_, *rest] if rest:
            record |= {"extra": rest}
    return record


def from_json(record: dict[str, Any]) -> list[Any]:
    kind, identity = record.get("type"), record.get("invocationId")
    match kind:
        case 1 | 4:
            return [kind, {}, identity, record["target"], record["arguments"], []]
        case 3 if "error" in record:
            return [3, {}, identity, 1, record["error"]]
        case 5:
            return [5, {}, identity]
        case _:
            return [kind]


class WireServer:
    """`async with WireServer() as server: … server.url`."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.handlers: dict[str, Handler] = {}
        self.executed: list[tuple[str, Any]] = []
        self.clients: list[Client] = []
        self.negotiations: list[Request] = []
        self.upgrades: list[Request] = []
        # Each is used once, in order; then the normal answer.
        self.negotiate_script: list[Callable[[Request], Response | Awaitable[Response] | None]] = []
        self.upgrade_script: list[Callable[[Request], Response | None]] = []
        self.handshake_script: list[Callable[[Client], Awaitable[bool]]] = []
        self.connected: Callable[[Client], Awaitable[None]] | None = None
        self._server: Server | None = None
        self._arrived = asyncio.Event()
        self._ids = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> WireServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._request,
            compression=None,
            ping_interval=None,
            max_size=None,
            close_timeout=0.2,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Everything down; `start` comes back on the same port."""
        if self._server is not None:
            for client in self.clients:
                client.socket.transport.abort()
            self._server.close()
            await self._server.wait_closed()

    async def received(self, calls: int) -> None:
        """Wait until that many calls have arrived."""
        while len(self.executed) < calls:
            self._arrived.clear()
            await self._arrived.wait()

    # ── HTTP ──

    async def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        if "/negotiate" in request.path:
            self.negotiations.append(request)
            if self.negotiate_script:
                answer = self.negotiate_script.pop(0)(request)
                scripted = answer if answer is None or isinstance(answer, Response) else await answer
                if scripted is not None:
                    return scripted
            return self.negotiated()
        self.upgrades.append(request)
        return self.upgrade_script.pop(0)(request) if self.upgrade_script else None

    def negotiated(self, **more: Any) -> Response:
        self._ids += 1
        answer = {
            "negotiateVersion": 1,
            "connectionId": f"id-{self._ids}",
            "connectionToken": f"token/{self._ids}+x",
            "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}],
        }
        return respond(200, json.dumps(answer | more).encode())

    # ── SignalR ──

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        client = Client(self, connection, connection.request.path.partition("?")[0].split("/")[2])
        self.clients.append(client)
        first = await connection.recv(decode=False)
        hello, _, rest = bytes(first).partition(SEPARATOR.encode())
        client.protocol = json.loads(hello)["protocol"]
        if self.handshake_script and not await self.handshake_script.pop(0)(client):
            return
        if not client.received:
            await client.raw(b"{}" + SEPARATOR.encode())
        tasks = [asyncio.create_task(self.connected(client))] if self.connected else []
        data = rest
        while True:
            for message in self._messages(client, data):
                client.received.append(message)
                if message[0] in (1, 4) and message[2] is not None:
                    tasks.append(asyncio.create_task(self._call(client, message)))
            try:
                data = bytes(await connection.recv(decode=False))
            except Exception:
                return

    def _messages(self, client: Client, data: bytes) -> list[Any]:
        if client.protocol == "json":
            return [from_json(json.loads(one)) for one in data.split(SEPARATOR.encode()) if one]
        messages, at = [], 0
        while at < len(data):
            length = shift = 0
            while True:
                byte = data[at]
                at += 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            messages.append(msgpack.unpackb(data[at : at + length], strict_map_key=False))
            at += length
        return messages

    async def _call(self, client: Client, message: list[Any]) -> None:
        call = Call(client, message[2], message[3], message[4], streaming=message[0] == 4)
        self.executed.append((call.method, call.arguments[0] if call.arguments else None))
        self._arrived.set()
        handler = self.handlers.get(call.method) or self.handlers.get("*")
        if handler is not None:
            await handler(call)
        else:
            await call.answer(self.data.get(call.method))


def respond(status: int, body: bytes = b"", **headers: str) -> Response:
    return Response(status, "-", Headers({"Content-Length": str(len(body)), **headers}), body)


async def silent(_: Call) -> None:
    """A handler that never answers."""
