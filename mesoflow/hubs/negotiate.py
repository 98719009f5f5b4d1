"""Where a hub is: its address, checked, and SignalR's negotiation over one HTTP POST.

Everything runs on the loop: no threads (an address that is an IP literal is not looked up), and no clock but the loop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from websockets.exceptions import SecurityError
from websockets.http11 import Response
from websockets.streams import StreamReader

from mesoflow.hubs.errors import ConnectFailed

# JavaScript's client follows 100 redirects; a chain longer than a few is a misconfiguration.
REDIRECTS_MAX = 10
# Statuses after which a later attempt can succeed by itself; proxies answer 404 while the hub behind them restarts.
_PASSING = frozenset({404, 408, 425, 429})

# ── Addresses ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


@dataclass(frozen=True, slots=True)
class Address:
    """A hub's address, checked: http(s) only, and without TLS only to this machine (the token would be readable)."""

    secure: bool
    host: str
    port: int
    path: str
    query: str = ""

    @classmethod
    def parse(cls, hub: str, url: str) -> Address:
        """Raises ConnectFailed."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConnectFailed(hub, "address", f"{url!r}: {error}", retryable=False) from error
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or not parts.hostname:
            raise ConnectFailed(hub, "address", f"{url!r} is no http or https address", retryable=False)
        if parts.username is not None or parts.password is not None:
            raise ConnectFailed(hub, "address", "an address must not contain a password", retryable=False)
        if scheme == "http" and not _is_loopback(parts.hostname):
            reason = f"{parts.hostname} is not this machine: only https is allowed there"
            raise ConnectFailed(hub, "address", reason, retryable=False)
        secure = scheme == "https"
        return cls(
            secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/"), parts.query
        )

    @property
    def origin(self) -> tuple[bool, str, int]:
        return self.secure, self.host, self.port

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def target(self, suffix: str, query: str) -> str:
        """Path and query of a request below this address."""
        return f"{self.path}{suffix}?{'&'.join(part for part in (self.query, query) if part)}"

    def websocket(self, identity: str) -> str:
        query = "&".join(part for part in (self.query, f"id={quote(identity, safe='')}") if part)
        return urlunsplit(("wss" if self.secure else "ws", self.authority, self.path, query, ""))


# ── Negotiate ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Where to open the socket, under which id (a secret), with which token."""

    address: Address
    identity: str
    token: str | None


async def negotiate(
    hub: str, url: str, token: str | None, tls: ssl.SSLContext | None, limit_s: float
) -> Negotiated:
    """Ask for a connection; follow redirects. Raises ConnectFailed."""
    address = Address.parse(hub, url)
    try:
        async with asyncio.timeout(limit_s):
            for _ in range(REDIRECTS_MAX):
                answer = await _post(hub, address, token, tls)
                if answer.get("error"):
                    raise ConnectFailed(hub, "negotiate", str(answer["error"]), retryable=False)
                if not answer.get("url"):
                    return Negotiated(address, _identity(hub, answer), token)
                target = Address.parse(hub, str(answer["url"]))
                token = _token_after_redirect(answer, token, same_origin=target.origin == address.origin)
                address = target
    except TimeoutError as error:
        raise ConnectFailed(hub, "negotiate", f"no answer in {limit_s:g} s") from error
    raise ConnectFailed(hub, "negotiate", f"more than {REDIRECTS_MAX} redirects", retryable=False)


def _token_after_redirect(answer: dict[str, Any], token: str | None, *, same_origin: bool) -> str | None:
    """A redirect brings its own token; ours goes to no other host."""
    given = answer.get("accessToken")
    if isinstance(given, str) and given:
        return given
    return token if same_origin else None


def _identity(hub: str, answer: dict[str, Any]) -> str:
    offers = answer.get("availableTransports")
    if isinstance(offers, list) and not any(_is_websocket(offer) for offer in offers):
        raise ConnectFailed(hub, "negotiate", "the hub offers no WebSockets", retryable=False)
    # Version 1 has a connection token, version 0 only the connection id.
    identity = answer.get("connectionToken") or answer.get("connectionId")
    if not isinstance(identity, str):
        raise ConnectFailed(hub, "negotiate", "the answer has no connection id", retryable=False)
    return identity


def _is_websocket(offer: object) -> bool:
    return isinstance(offer, dict) and str(offer.get("transport", "")).lower() == "websockets"


async def _post(hub: str, address: Address, token: str | None, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """POST …/negotiate and read the JSON object that answers it."""
    try:
        response = await _http(address, _negotiate_request(address, token), tls)
    except ssl.SSLCertVerificationError as error:
        raise ConnectFailed(
            hub, "connect", f"certificate: {error.verify_message}", retryable=False
        ) from error
    except (OSError, EOFError) as error:
        raise ConnectFailed(hub, "connect", str(error) or type(error).__name__) from error
    except (ValueError, LookupError, NotImplementedError, SecurityError) as error:
        raise ConnectFailed(hub, "negotiate", f"no HTTP: {error}") from error
    if response.status_code != 200:
        raise http_refusal(hub, "negotiate", response.status_code, _PASSING)
    try:
        answer = msgspec.json.decode(bytes(response.body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConnectFailed(hub, "negotiate", f"the answer is no JSON: {error}", retryable=False) from error
    if not isinstance(answer, dict):
        raise ConnectFailed(hub, "negotiate", "the answer is no object", retryable=False)
    return answer


def http_refusal(hub: str, stage: str, status: int, passing: frozenset[int]) -> ConnectFailed:
    words = {401: "the token was not accepted", 403: "this token may not use the hub"}.get(
        status, f"HTTP {status}"
    )
    return ConnectFailed(hub, stage, words, retryable=status >= 500 or status in passing, http_status=status)


def _negotiate_request(address: Address, token: str | None) -> bytes:
    lines = [
        f"POST {address.target('/negotiate', 'negotiateVersion=1')} HTTP/1.1",
        f"Host: {address.authority}",
        "User-Agent: mesoflow",
        "Content-Length: 0",
        "Connection: close",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in the token or the address")
    return "\r\n".join([*lines, "", ""]).encode()


async def _http(address: Address, request: bytes, tls: ssl.SSLContext | None) -> Response:
    """One request on a connection of its own. The parser is the one that websockets uses for its own handshake."""
    reader, writer = await asyncio.open_connection(
        address.host, address.port, ssl=verified_tls(address, tls), limit=64 * 1024
    )
    try:
        writer.write(request)
        received = StreamReader()
        parser = Response.parse(received.read_line, received.read_exact, received.read_to_eof)
        while True:
            try:
                next(parser)
            except StopIteration as done:
                response: Response = done.value
                return response
            data = await reader.read(64 * 1024)
            if data:
                received.feed_data(data)
            else:
                received.feed_eof()
    finally:
        writer.transport.abort()


def verified_tls(address: Address, tls: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Verified always; a context of the caller's may trust other authorities."""
    if not address.secure:
        return None
    return tls or _system_tls()


@cache
def _system_tls() -> ssl.SSLContext:
    # Loading the system's authorities costs tens of milliseconds; three hubs connect at once.
    return ssl.create_default_context()
