"""One TCP connection: HTTP first, then perhaps a websocket with a SignalR link on it.

The websocket library's protocol does no I/O of its own; reading and writing are here, so that a connection can be cut at
any byte, and so that a request with a body (which that library refuses) is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from mesoflow.simulator.wire.http import BadRequest, HttpRequest, HttpResponse, read_request, text_response
from mesoflow.simulator.wire.link import Link, Pipe
from mesoflow.simulator.wire.serving import MESSAGE_BYTES_MAX

# How long a client may take to close its side after both have said goodbye.
CLOSE_TIMEOUT_S = 5.0


class Door(Protocol):
    """What a server decides for its connections."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """A plain request."""

    def admit(self, request: HttpRequest, pipe: Pipe) -> Link | HttpResponse:
        """A request for a websocket."""

    def refuses(self) -> bool:
        """Whether new connections are cut off at once."""

    def opened(self, endpoint: Endpoint) -> None: ...

    def ended(self, endpoint: Endpoint, link: Link | None) -> None: ...


class Endpoint(asyncio.Protocol):
    """Of one connection; is the Pipe of its link."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._transport: asyncio.Transport
        self._buffer = b""
        self._websocket: ServerProtocol | None = None
        self._parts: list[bytes] = []
        self._closing: asyncio.TimerHandle | None = None
        self.link: Link | None = None

    # --- asyncio ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._door.opened(self)
        if self._door.refuses():
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._websocket.receive_data(data)
            self._step()
            return
        self._buffer += data
        try:
            self._requests()
        except BadRequest as error:
            self._transport.write(text_response(error.status).write(keeps_alive=False))
            self._transport.close()

    def eof_received(self) -> bool:
        if self._websocket is not None:
            self._websocket.receive_eof()
            self._step()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closing is not None:
            self._closing.cancel()
        if self.link is not None:
            self.link.lost()
        self._door.ended(self, self.link)

    def pause_writing(self) -> None:
        if self.link is not None:
            self.link.pause_writing()

    def resume_writing(self) -> None:
        if self.link is not None:
            self.link.resume_writing()

    # --- HTTP ------------------------------------------------------------------------------------------------------

    def _requests(self) -> None:
        while (found := read_request(self._buffer)) is not None:
            request, size = found
            rest, self._buffer = self._buffer[size:], b""
            if request.upgrades:
                self._upgrade(request, rest)
                return
            self._buffer = rest
            self._transport.write(self._door.answer(request).write(keeps_alive=request.keeps_alive))
            if not request.keeps_alive:
                self._transport.close()
                return

    def _upgrade(self, request: HttpRequest, rest: bytes) -> None:
        admitted = self._door.admit(request, self)
        if isinstance(admitted, HttpResponse):
            self._transport.write(admitted.write(keeps_alive=False))
            self._transport.close()
            return
        self.link = admitted
        self._websocket = ServerProtocol(max_size=MESSAGE_BYTES_MAX)
        self._websocket.receive_data(request.raw)
        if rest:
            self._websocket.receive_data(rest)
        self._step()

    # --- websocket -------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        """Take what the websocket has read, send what it has to say."""
        websocket = self._websocket
        assert websocket is not None
        for event in websocket.events_received():
            if isinstance(event, Request):
                websocket.send_response(websocket.accept(event))
                self._flush()
            elif isinstance(event, Frame):
                self._frame(event)
        self._flush()
        if websocket.state is State.CLOSING or websocket.close_expected():
            self._close_soon()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        data = bytes(frame.data)
        if not frame.fin or self._parts:
            self._parts.append(data)
            if not frame.fin:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        if self.link is not None:
            self.link.received(data)

    def _flush(self) -> None:
        assert self._websocket is not None
        for data in self._websocket.data_to_send():
            if data == SEND_EOF:
                self._end_of_writing()
            else:
                self._transport.write(data)

    def _end_of_writing(self) -> None:
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def _close_soon(self) -> None:
        if self._closing is None and not self._transport.is_closing():
            self._closing = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    # --- the link's pipe -------------------------------------------------------------------------------------------

    def write(self, data: bytes, *, text: bool) -> None:
        websocket = self._websocket
        if websocket is None or websocket.state is not State.OPEN:
            return
        send: Callable[[Any], None] = websocket.send_text if text else websocket.send_binary
        send(data)
        self._flush()

    def close(self) -> None:
        websocket = self._websocket
        if websocket is not None and websocket.state is State.OPEN:
            websocket.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
            self._close_soon()

    def abort(self) -> None:
        self._transport.abort()

    def hang_up(self) -> None:
        """After what was written, without waiting for the client's goodbye."""
        self._transport.close()
