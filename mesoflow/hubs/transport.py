"""The socket: the upgrade to WebSocket, and a link on which "sent" is exact.

Where to connect is negotiate.py; SignalR's handshake and messages are connection.py.
"""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.protocol import State

from mesoflow.hubs.codec import RECORD_BYTES_MAX
from mesoflow.hubs.errors import ConnectFailed
from mesoflow.hubs.negotiate import Negotiated, http_refusal
from mesoflow.hubs.route import (
    Route,
    certificate_refused,
    proxy_failed,
    proxy_refused,
    route_to,
    verified_tls,
)

# Of its own: at DEBUG the library writes every header, the token among them.
_socket_logger = logging.getLogger("mesoflow.hubs.socket")
_socket_logger.setLevel(logging.WARNING)

# What may wait in our own buffer for a peer that does not read; a call beyond it is not sent.
UNSENT_BYTES_MAX = 16 * 1024 * 1024
# Statuses after which a later attempt can succeed by itself: 404 and 409 mean that the id has gone.
_PASSING_UPGRADE = frozenset({404, 408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Keepalive:
    """How a dead peer is noticed: in at most ping + timeout + close = 9 seconds, by WebSocket pings.

    SignalR's own pings keep the server from giving us up (it waits 30 s), and `silence_s` notices a server whose socket
    lives while its hub does not. No Keepalive at all: for links inside one process, where nothing can be half-open.
    """

    ping_s: float = 4
    ping_timeout_s: float = 4
    hub_ping_s: float = 15
    silence_s: float = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each stage of connecting may take, in seconds."""

    negotiate_s: float = 5
    upgrade_s: float = 5
    handshake_s: float = 5
    # A close handshake with a dead peer is not waited for.
    close_s: float = 1


class LinkClosed(Exception):
    """The other side is gone; or, from `send`, nothing was handed over."""


class Link(Protocol):
    """A message pipe. Its real form is a WebSocket; tests may use any other."""

    def send(self, data: bytes, *, binary: bool) -> None:
        """Hand one message to the transport now, in the order of calls. LinkClosed: not one byte was handed over."""

    async def receive(self) -> bytes | str:
        """The next message. Raises LinkClosed."""

    async def close(self) -> None:
        """Close, politely if the peer answers in time; returns when the socket is gone."""

    def abort(self) -> None:
        """Cut at once."""


class _Connect(connect):
    """An upgrade is never redirected: SignalR redirects in negotiate, where addresses are checked and tokens exchanged."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocketLink(ClientConnection):
    """A websockets connection whose sends are synchronous.

    The library's own `send` may wait, and raises the same error whether the bytes had been handed over or not. Here it is
    looked first and then written in one piece: nobody comes in between.
    """

    def send_message(self, data: bytes, *, binary: bool) -> None:
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            raise LinkClosed("the connection is closed")
        if self.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            raise LinkClosed("the peer does not read")
        if binary:
            self.protocol.send_binary(data)
        else:
            self.protocol.send_text(data)
        for chunk in self.protocol.data_to_send():
            self.transport.write(chunk)

    @property
    def half_open(self) -> bool:
        """Whether it was the missing answer to a ping that ended it."""
        sent = self.protocol.close_sent
        return sent is not None and sent.reason == "keepalive ping timeout"


class WebSocket:
    """The Link over a WebSocketLink."""

    def __init__(self, socket: WebSocketLink) -> None:
        self._socket = socket

    def send(self, data: bytes, *, binary: bool) -> None:
        self._socket.send_message(data, binary=binary)

    async def receive(self) -> bytes | str:
        try:
            # Bytes also for text: the JSON decoder reads UTF-8.
            message = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            words = "no answer to a ping" if self._socket.half_open else str(error)
            raise LinkClosed(f"the connection was lost: {words}") from error
        return bytes(message) if not isinstance(message, str) else message

    async def close(self) -> None:
        await self._socket.close()

    def abort(self) -> None:
        self._socket.transport.abort()


async def open_websocket(
    hub: str, negotiated: Negotiated, keepalive: Keepalive | None, tls: ssl.SSLContext | None, limits: Limits
) -> WebSocket:
    """Upgrade. Raises ConnectFailed."""
    address = negotiated.address
    route = route_to(hub, address)
    secure: dict[str, Any] = {"ssl": verified_tls(address, tls)} if address.secure else {}
    try:
        socket = await _Connect(
            address.websocket(negotiated.identity),
            create_connection=WebSocketLink,
            additional_headers={"Authorization": f"Bearer {negotiated.token}"} if negotiated.token else None,
            user_agent_header="mesoflow",
            compression=None,
            proxy=route.url if route else None,
            open_timeout=limits.upgrade_s,
            close_timeout=limits.close_s,
            ping_interval=keepalive.ping_s if keepalive else None,
            ping_timeout=keepalive.ping_timeout_s if keepalive else None,
            max_size=RECORD_BYTES_MAX,
            logger=_socket_logger,
            **secure,
        )
    except InvalidStatus as error:
        raise http_refusal(hub, "upgrade", error.response.status_code, _PASSING_UPGRADE) from error
    except TimeoutError as error:
        raise ConnectFailed(hub, "upgrade", f"no answer in {limits.upgrade_s:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise certificate_refused(hub, address, error) from error
    except ProxyError as error:
        raise _of_the_proxy(hub, route, error) from error
    except (OSError, EOFError, WebSocketException) as error:
        raise ConnectFailed(hub, "upgrade", str(error) or type(error).__name__) from error
    assert isinstance(socket, WebSocketLink), "websockets built another class than it was given"
    return WebSocket(socket)


def _of_the_proxy(hub: str, route: Route | None, error: ProxyError) -> ConnectFailed:
    assert route is not None, "only a proxy that was asked can fail"
    if isinstance(error, InvalidProxyStatus):
        return proxy_refused(hub, route, error.response.status_code)
    return proxy_failed(hub, route, "did not open a tunnel")
