"""SignalR's negotiation over one HTTP POST: where to open the socket, under which id, with which token.

Everything runs on the loop: no threads (an address that is an IP literal is not looked up), and no clock but the loop's.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import msgspec
from websockets.exceptions import SecurityError
from websockets.http11 import Response

from mesoflow.hubs.address import Address
from mesoflow.hubs.errors import ConnectFailed
from mesoflow.hubs.route import Route, open_stream, read_response, route_to

# JavaScript's client follows 100 redirects; a chain longer than a few is a misconfiguration.
REDIRECTS_MAX = 10
# Statuses after which a later attempt can succeed by itself; proxies answer 404 while the hub behind them restarts.
_PASSING = frozenset({404, 408, 425, 429})


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
        request = _negotiate_request(address, token)
        response = await _http(hub, address, route_to(hub, address), request, tls)
    except (OSError, EOFError) as error:
        raise ConnectFailed(hub, "negotiate", str(error) or type(error).__name__) from error
    except (ValueError, LookupError, NotImplementedError, SecurityError) as error:
        raise ConnectFailed(hub, "negotiate", f"no HTTP: {error}") from error
    if response.status_code != 200:
        raise http_refusal(hub, "negotiate", response.status_code, _PASSING)
    try:
        answer = msgspec.json.decode(bytes(response.body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # Not the hub but something before it, like a gateway's page about maintenance: that passes.
        raise ConnectFailed(hub, "negotiate", f"the answer is no JSON: {error}") from error
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


async def _http(
    hub: str, address: Address, route: Route | None, request: bytes, tls: ssl.SSLContext | None
) -> Response:
    """One request on a connection of its own."""
    reader, writer = await open_stream(hub, address, route, tls)
    try:
        writer.write(request)
        return await read_response(reader)
    finally:
        writer.transport.abort()
