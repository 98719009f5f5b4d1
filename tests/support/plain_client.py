"""A SignalR client written by hand for tests of the server end: plain records over `websockets`, no codec of the project.

Messages are lists, as MessagePack has them without the empty headers: [3, "1", 3, result]; the JSON side is brought into
the same form, so that one test says the same of both encodings. Numbers with a point are Decimals.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect


async def http(
    url: str, method: str, path: str, *, body: bytes | None = None, **headers: str
) -> tuple[int, Any]:
    """One request; its status, and its body (JSON where it is JSON)."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
    answer = await reader.read()
    writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    is_json = b"application/json" in head
    return int(head.split(b" ")[1]), json.loads(content) if is_json else content.decode()


class PlainClient:
    """One connection. `call` and `collect` read until their own completion; everything else they meet is in `others`."""

    def __init__(self, socket: ClientConnection, protocol: str) -> None:
        self.socket = socket
        self.protocol = protocol
        self.others: list[list[Any]] = []
        self._read: list[list[Any]] = []
        self._ids = 0

    @classmethod
    @asynccontextmanager
    async def to(
        cls, url: str, path: str, protocol: str = "json", *, token: str = "any", query: str = ""
    ) -> AsyncIterator[Self]:
        """Connected, without negotiation, and shaken hands."""
        address = url.replace("http://", "ws://") + path + query
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(
            address, additional_headers=headers, compression=None, ping_interval=None, max_size=None
        ) as socket:
            client = cls(socket, protocol)
            assert await client.shake() == {}
            yield client

    async def shake(self, version: object = 1) -> Any:
        await self.socket.send(json.dumps({"protocol": self.protocol, "version": version}) + "\x1e")
        answer = await self.socket.recv(decode=False)
        assert answer.endswith(b"\x1e")
        return json.loads(answer[:-1])

    # --- talking ---------------------------------------------------------------------------------------------------

    async def call(self, target: str, *arguments: Any) -> Any:
        """The completion: ("result", value), ("void",) or ("error", text)."""
        _, completion = await self.collect(target, *arguments, kind=1)
        return completion

    async def collect(self, target: str, *arguments: Any, kind: int = 4) -> tuple[list[Any], Any]:
        identity = await self.begin(target, *arguments, kind=kind)
        return await self.until_completed(identity)

    async def begin(self, target: str, *arguments: Any, kind: int = 1) -> str:
        self._ids += 1
        await self.write([kind, str(self._ids), target, list(arguments)])
        return str(self._ids)

    async def until_completed(self, identity: str) -> tuple[list[Any], Any]:
        items: list[Any] = []
        while True:
            match await self.read():
                case [2, of, item] if of == identity:
                    items.append(item)
                case [3, of, 1, error] if of == identity:
                    return items, ("error", error)
                case [3, of, 2] if of == identity:
                    return items, ("void",)
                case [3, of, 3, result] if of == identity:
                    return items, ("result", result)
                case other:
                    self.others.append(other)

    # --- records ---------------------------------------------------------------------------------------------------

    async def write(self, message: list[Any]) -> None:
        await self.socket.send(self.framed(message))

    def framed(self, message: list[Any]) -> str | bytes:
        if self.protocol == "json":
            return json.dumps(_json_of(message)) + "\x1e"
        with_headers = message if message[0] in (6, 7) else [message[0], {}, *message[1:]]
        body = msgspec.msgpack.encode(with_headers)
        return _length(len(body)) + body

    async def read(self) -> list[Any]:
        """The next message, pings left out."""
        while not self._read:
            frame = await self.socket.recv()
            assert isinstance(frame, str) is (self.protocol == "json")
            found = [_list_of(record) for record in _records(frame)]
            self._read += [message for message in found if message != [6]]
        return self._read.pop(0)


def _records(frame: str | bytes) -> list[Any]:
    if isinstance(frame, str):
        assert frame.endswith("\x1e"), "a record was split"
        return [json.loads(record, parse_float=Decimal) for record in frame.split("\x1e")[:-1]]
    records = []
    while frame:
        length = shift = at = 0
        while True:
            byte = frame[at]
            length |= (byte & 127) << shift
            shift, at = shift + 7, at + 1
            if byte < 128:
                break
        records.append(msgspec.msgpack.decode(frame[at : at + length], strict=False))
        frame = frame[at + length :]
    return records


def _length(length: int) -> bytes:
    out = b""
    while length >= 128:
        out += bytes([length % 128 + 128])
        length //= 128
    return out + bytes([length])


def _json_of(message: list[Any]) -> Mapping[str, Any]:
    match message:
        case [1 | 4 as kind, identity, target, arguments]:
            plain = {"type": kind, "target": target, "arguments": arguments}
            return plain if identity is None else {**plain, "invocationId": identity}
        case [1 | 4 as kind, identity, target, arguments, streams]:
            return {**_json_of([kind, identity, target, arguments]), "streamIds": streams}
        case [2, identity, item]:
            return {"type": 2, "invocationId": identity, "item": item}
        case [5, identity]:
            return {"type": 5, "invocationId": identity}
        case [kind, *_]:
            return {"type": kind}
    raise AssertionError(message)


def _list_of(record: Any) -> list[Any]:
    if isinstance(record, list):
        match record:
            case [1, {}, None, target, arguments, []]:
                return [1, target, arguments]
            case [2 | 3 as kind, {}, *rest]:
                return [kind, *rest]
            case _:
                return list(record)
    match record:
        case {"type": 1, "target": target, "arguments": arguments}:
            return [1, target, arguments]
        case {"type": 2, "invocationId": identity, "item": item}:
            return [2, identity, item]
        case {"type": 3, "invocationId": identity, "error": error}:
            return [3, identity, 1, error]
        case {"type": 3, "invocationId": identity, "result": result}:
            return [3, identity, 3, result]
        case {"type": 3, "invocationId": identity}:
            return [3, identity, 2]
        case {"type": 7}:
            return [7, record.get("error"), record.get("allowReconnect", False)]
    return [record["type"]]
