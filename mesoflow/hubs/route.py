"""How a hub is reached: directly, or through the HTTP proxy of the environment (HTTPS_PROXY, NO_PROXY); and TLS.

A proxy gets one CONNECT with the hub's name and port, which it looks up itself; all the rest is TLS between us and the
hub. This machine is never reached through a proxy: what is set for the world outside must not swallow a simulator.
SOCKS proxies and proxies that want TLS themselves are refused by name.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import urllib.request
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote, urlsplit

from websockets.exceptions import SecurityError
from websockets.http11 import Response
from websockets.streams import StreamReader

from mesoflow.hubs.address import Address
from mesoflow.hubs.errors import ConnectFailed

READ_BYTES = 64 * 1024
# What OpenSSL says when nobody it trusts has signed, and when the certificate is another host's or out of date.
_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
_OTHER_NAME = frozenset({62, 64})
_OUT_OF_DATE = frozenset({9, 10})


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP proxy. `url` may hold a password and is never shown; `authority` is what people may read."""

    url: str
    host: str
    port: int
    credentials: str | None

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"


def route_to(hub: str, address: Address) -> Route | None:
    """The proxy for that address; None: directly. Looked up for every attempt. Raises ConnectFailed."""
    if address.loopback or urllib.request.proxy_bypass(f"{address.host}:{address.port}"):
        return None
    url = urllib.request.getproxies().get("https")
    return None if not url else _route(hub, url)


def _route(hub: str, url: str) -> Route:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, parts, port = None, urlsplit(""), None
    if parts.scheme != "http" or not host:
        # Without the address itself: it may hold a password.
        what = "names no HTTP proxy" if not host else f"names a proxy of kind {parts.scheme}"
        remedy = "write HTTPS_PROXY=http://HOST:PORT, or list the hub in NO_PROXY"
        raise ConnectFailed(hub, "proxy", f"HTTPS_PROXY {what}", retryable=False, remedy=remedy)
    credentials = None
    if parts.username is not None:
        plain = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        credentials = base64.b64encode(plain.encode()).decode()
    authority = f"[{host}]" if ":" in host else host
    port = port or 80
    # websockets wants a password wherever there is a user.
    user = f"{parts.username}:{parts.password or ''}@" if parts.username is not None else ""
    return Route(f"http://{user}{authority}:{port}", host, port, credentials)


async def open_stream(
    hub: str, address: Address, route: Route | None, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream to the hub, TLS and all. Raises ConnectFailed."""
    secure = verified_tls(address, tls)
    if route is not None:
        return await _tunnel(hub, address, route, secure)
    try:
        return await asyncio.open_connection(address.host, address.port, ssl=secure, limit=READ_BYTES)
    except ssl.SSLCertVerificationError as error:
        raise certificate_refused(hub, address, error) from error
    except (OSError, EOFError) as error:
        raise ConnectFailed(hub, "connect", str(error) or type(error).__name__) from error


async def _tunnel(
    hub: str, address: Address, route: Route, secure: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        reader, writer = await asyncio.open_connection(route.host, route.port, limit=READ_BYTES)
    except OSError as error:
        raise proxy_failed(hub, route, "cannot be reached") from error
    try:
        writer.write(_connect_request(address, route))
        answer = await read_response(reader, proxy=True)
        if not 200 <= answer.status_code < 300:
            raise proxy_refused(hub, route, answer.status_code)
        if secure is not None:
            await writer.start_tls(secure, server_hostname=address.host)
    except ssl.SSLCertVerificationError as error:
        writer.transport.abort()
        raise certificate_refused(hub, address, error) from error
    except (OSError, EOFError, ValueError, LookupError, SecurityError) as error:
        writer.transport.abort()
        raise proxy_failed(hub, route, "did not open a tunnel") from error
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


def _connect_request(address: Address, route: Route) -> bytes:
    host = f"[{address.host}]" if ":" in address.host else address.host
    lines = [
        f"CONNECT {host}:{address.port} HTTP/1.1",
        f"Host: {host}:{address.port}",
        "User-Agent: mesoflow",
        *([f"Proxy-Authorization: Basic {route.credentials}"] if route.credentials else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def read_response(reader: asyncio.StreamReader, *, proxy: bool = False) -> Response:
    """One HTTP response, by the parser that websockets uses for its own handshake. `proxy`: the one to CONNECT."""
    received = StreamReader()
    parser = Response.parse(received.read_line, received.read_exact, received.read_to_eof, proxy=proxy)
    while True:
        try:
            next(parser)
        except StopIteration as done:
            response: Response = done.value
            return response
        data = await reader.read(READ_BYTES)
        if data:
            received.feed_data(data)
        else:
            received.feed_eof()


# ── what is said when it fails ─────────────────────────────────────────────────────────────────────────────────────────


def proxy_failed(hub: str, route: Route, what: str) -> ConnectFailed:
    remedy = "look at HTTPS_PROXY, or list the hub in NO_PROXY"
    return ConnectFailed(hub, "proxy", f"the proxy {route.authority} {what}", remedy=remedy)


def proxy_refused(hub: str, route: Route, status: int) -> ConnectFailed:
    """It answered, with no. 5xx and 429 pass by themselves: it did not reach the hub, or has too much to do."""
    if status == 407:
        reason, remedy = "wants to know who we are", "write HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
    else:
        reason, remedy = f"answered HTTP {status}", "ask its operator for leave, or list the hub in NO_PROXY"
    passing = status >= 500 or status in (408, 429)
    return ConnectFailed(
        hub,
        "proxy",
        f"the proxy {route.authority} {reason}",
        retryable=passing,
        http_status=status if passing else None,
        remedy=remedy,
    )


def certificate_refused(hub: str, address: Address, error: ssl.SSLCertVerificationError) -> ConnectFailed:
    """Never by itself, and never to be switched off: it says what to do instead."""
    if error.verify_code in _UNKNOWN_AUTHORITY:
        remedy = "if an authority of your own signed it, name its certificate as ca_file in the hub's profile"
    elif error.verify_code in _OTHER_NAME:
        remedy = f"use the name that the certificate is for, not {address.host}"
    elif error.verify_code in _OUT_OF_DATE:
        remedy = "set this machine's clock, or ask the hub's operator to renew it"
    else:
        remedy = "ask the hub's operator"
    reason = f"certificate: {error.verify_message}"
    return ConnectFailed(hub, "connect", reason, retryable=False, remedy=remedy)


# ── TLS ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def verified_tls(address: Address, tls: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Verified always; a context of the caller's may trust other authorities."""
    if not address.secure:
        return None
    return tls or _system_tls()


def tls_trusting(ca_file: str) -> ssl.SSLContext:
    """The system's authorities and those in a PEM file. Raises OSError (ssl.SSLError among them)."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    return context


@cache
def _system_tls() -> ssl.SSLContext:
    # Loading the system's authorities costs tens of milliseconds; three hubs connect at once.
    return ssl.create_default_context()
