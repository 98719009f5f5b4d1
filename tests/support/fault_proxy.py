"""A proxy on loopback that damages what passes between a client and a hub: at a named point, in a named way, once.

It follows HTTP and WebSocket only as far as it must to know where it is: every request, response and frame is one `Unit`
with its bytes as they came and the point that it stands for. A `Fault` says at which point, the how-manieth time, what is
done with the unit instead of forwarding it; `fired` lists what happened, so that a test can say its fault was real.

    async with FaultProxy(server.port, Fault("answer", reset)) as proxy:
        … connect to proxy.url …

It shares no code with the client. Time is the loop's: under a virtual loop a delay costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgpack

SEPARATOR = b"\x1e"
READ_BYTES = 256 * 1024

Point: TypeAlias = Literal[
    "connect",  # the TCP connection has been accepted; nothing was read
    "negotiate",  # the POST, on its way to the hub
    "negotiated",  # its answer, on its way back
    "upgrade",
    "upgraded",
    "handshake",  # SignalR's, inside the WebSocket
    "shaken",
    "call",  # an invocation or the start of a stream: it left, and has not arrived
    "answer",  # a completion: the hub has executed, and the client does not know yet
    "item",  # of a stream
    "callback",
    "ping",  # WebSocket's, from the client
    "pong",  # the answer to it
    "other",
]
_OF_CLIENT: dict[int, Point] = {1: "call", 4: "call"}
_OF_HUB: dict[int, Point] = {1: "callback", 2: "item", 3: "answer"}


@dataclass(frozen=True)
class Unit:
    """One request, response or frame. `up`: from the client to the hub."""

    point: Point
    raw: bytes
    up: bool
    binary: bool = False


Act: TypeAlias = Callable[["Wire", Unit], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """`act` befalls the `nth` unit at that point, counted over the proxy's life, and `times` of them."""

    point: Point
    act: Act
    nth: int = 1
    times: int = 1


# ── what can be done to a unit ─────────────────────────────────────────────────────────────────────────────────────────


async def drop(_: Wire, __: Unit) -> None:
    """It never arrives; everything else does. TCP does not do that, a gateway may."""


async def twice(wire: Wire, unit: Unit) -> None:
    wire.forward(unit)
    wire.forward(unit)


async def split(wire: Wire, unit: Unit) -> None:
    """Byte by byte, each in a packet of its own as far as the kernel lets us say so."""
    for at in range(len(unit.raw)):
        wire.forward(unit, unit.raw[at : at + 1])
        await asyncio.sleep(0)


async def reset(wire: Wire, _: Unit) -> None:
    """RST to the client; the hub is told that it has gone."""
    wire.reset()


async def close(wire: Wire, _: Unit) -> None:
    """FIN to both, without WebSocket's goodbye."""
    wire.close()


async def half_open(wire: Wire, _: Unit) -> None:
    """Both sockets stay; nothing is read or forwarded any more, not even their end."""
    wire.stuck = True
    await asyncio.Event().wait()


def delay(seconds: float) -> Act:
    """It and what comes behind it, later."""

    async def act(wire: Wire, unit: Unit) -> None:
        await asyncio.sleep(seconds)
        wire.forward(unit)

    return act


def postponed(seconds: float) -> Act:
    """It, later; what comes behind it passes it by."""

    async def act(wire: Wire, unit: Unit) -> None:
        asyncio.get_running_loop().call_later(seconds, wire.forward, unit)

    return act


def half_then(act: Act) -> Act:
    """Half of its bytes, then that."""

    async def torn(wire: Wire, unit: Unit) -> None:
        wire.forward(unit, unit.raw[: len(unit.raw) // 2])
        # Under a virtual loop this passes when the half has been read; in real time it is long enough on loopback.
        await asyncio.sleep(0.001)
        await act(wire, unit)

    return torn


def garbage(data: bytes = b"\xff\xfe\x00 no protocol of ours \r\n\r\n") -> Act:
    """Other bytes in its place, straight into the socket: no HTTP, no frame."""

    async def act(wire: Wire, unit: Unit) -> None:
        wire.forward(unit, data)

    return act


def garbled(payload: bytes = b"\xc1{{{\x1e") -> Act:
    """A well-formed frame in its place whose payload nobody can read. Only for what comes from the hub."""

    async def act(wire: Wire, unit: Unit) -> None:
        assert not unit.up, "a client's frames are masked"
        wire.forward(unit, bytes([0x82 if unit.binary else 0x81, len(payload)]) + payload)

    return act


# ── the proxy ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Wire:
    """One client's connection through the proxy."""

    client: asyncio.StreamWriter
    hub: asyncio.StreamWriter
    stuck: bool = False
    encoding: str = "json"

    def forward(self, unit: Unit, data: bytes | None = None) -> None:
        writer = self.hub if unit.up else self.client
        if not writer.transport.is_closing():
            writer.write(unit.raw if data is None else data)

    def reset(self) -> None:
        if self.client.transport.is_closing():
            return
        raw = self.client.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.transport.abort()
        self.hub.close()

    def close(self) -> None:
        self.client.close()
        self.hub.close()


class FaultProxy:
    """Between a client and the hub at `behind`. `faults` may be changed while it runs."""

    def __init__(self, behind: int, *faults: Fault) -> None:
        self._behind = behind
        self.port = 0
        self.faults = list(faults)
        self.fired: list[Point] = []
        self.seen: Counter[Point] = Counter()
        self.wires: list[Wire] = []
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FaultProxy:
        await self.admit()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for wire in self.wires:
            wire.client.transport.abort()
            wire.hub.transport.abort()
        # Transports say goodbye in the loop's next turn.
        await asyncio.sleep(0)

    async def admit(self) -> None:
        """Listen, always on the same port."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """New connections are refused; those that are open live on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def now(self, act: Act) -> None:
        """Do it to every open connection at this moment, between two units."""
        for wire in self.wires:
            if not wire.client.transport.is_closing():
                self._task(act(wire, Unit("other", b"", up=True)))
        await asyncio.sleep(0)

    def _task(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._task(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_hub, to_hub = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            writer.transport.abort()
            return
        wire = Wire(writer, to_hub)
        self.wires.append(wire)
        for one in (writer, to_hub):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._pass(wire, Unit("connect", b"", up=False))
        self._task(self._pump(wire, reader, Units(wire, up=True)))
        self._task(self._pump(wire, from_hub, Units(wire, up=False)))

    async def _pump(self, wire: Wire, reader: asyncio.StreamReader, units: Units) -> None:
        while True:
            try:
                data = await reader.read(READ_BYTES)
            except OSError:
                data = b""
            if wire.stuck:
                return
            if not data:
                (wire.hub if units.up else wire.client).close()
                return
            for unit in units.feed(data):
                await self._pass(wire, unit)

    async def _pass(self, wire: Wire, unit: Unit) -> None:
        self.seen[unit.point] += 1
        if wire.stuck:
            return
        for fault in self.faults:
            if fault.point == unit.point and fault.nth <= self.seen[unit.point] < fault.nth + fault.times:
                self.fired.append(unit.point)
                await fault.act(wire, unit)
                return
        wire.forward(unit)


# ── where we are ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Units:
    """Cuts one direction's bytes into units."""

    def __init__(self, wire: Wire, *, up: bool) -> None:
        self.up = up
        self._wire = wire
        self._bytes = b""
        self._framed = False
        self._greeted = False

    def feed(self, data: bytes) -> Iterator[Unit]:
        self._bytes += data
        while (unit := self._frame() if self._framed else self._http()) is not None:
            self._bytes = self._bytes[len(unit.raw) :]
            yield unit

    def _http(self) -> Unit | None:
        head, end, rest = self._bytes.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = head.lower().split(b"\r\n")
        length = next((int(one[15:]) for one in lines if one.startswith(b"content-length:")), 0)
        if len(rest) < length:
            return None
        first = lines[0]
        self._framed = first.startswith(b"get ") or b" 101 " in first
        points: tuple[Point, Point] = ("upgrade", "negotiate") if self.up else ("upgraded", "negotiated")
        return Unit(points[0] if self._framed else points[1], head + end + rest[:length], self.up)

    def _frame(self) -> Unit | None:
        data = self._bytes
        if len(data) < 2:
            return None
        opcode, masked, length, at = data[0] & 15, data[1] >> 7, data[1] & 127, 2
        wide = {126: 2, 127: 8}.get(length, 0)
        if wide:
            if len(data) < 2 + wide:
                return None
            length, at = int.from_bytes(data[2 : 2 + wide], "big"), 2 + wide
        mask = data[at : at + 4] if masked else b""
        at += len(mask)
        if len(data) < at + length:
            return None
        payload = data[at : at + length]
        if masked:
            payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        return Unit(self._point(opcode, payload), data[: at + length], self.up, binary=opcode == 2)

    def _point(self, opcode: int, payload: bytes) -> Point:
        if opcode in (9, 10):
            return {(9, True): "ping", (10, False): "pong"}.get((opcode, self.up), "other")  # type: ignore[return-value]
        if opcode not in (1, 2):
            return "other"
        if not self._greeted:
            self._greeted = True
            if self.up:
                self._wire.encoding = json.loads(payload.partition(SEPARATOR)[0])["protocol"]
            return "handshake" if self.up else "shaken"
        return (_OF_CLIENT if self.up else _OF_HUB).get(self._kind(payload), "other")

    def _kind(self, payload: bytes) -> int:
        """The type of the first message in a frame."""
        if self._wire.encoding == "json":
            return int(json.loads(payload.partition(SEPARATOR)[0])["type"])
        unpacker = msgpack.Unpacker(strict_map_key=False)
        start = next(index for index, byte in enumerate(payload) if byte < 128) + 1
        unpacker.feed(payload[start:])
        return int(unpacker.unpack()[0])
