"""The little HTTP that negotiation needs: one request's head and body out of bytes, one response into bytes."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

HEAD_BYTES_MAX = 16 * 1024
# Negotiation has no body; some clients send `{}`.
BODY_BYTES_MAX = 64 * 1024


class BadRequest(Exception):
    """Ends the connection after an answer with this status."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`raw` is the head as received, for the websocket library; names of headers are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    keeps_alive: bool

    @property
    def upgrades(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"

    @property
    def bearer(self) -> str | None:
        """The token, from the header or (as browsers must) from the query."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token.strip():
            return token.strip()
        return self.query.get("access_token") or None


def read_request(data: bytes) -> tuple[HttpRequest, int] | None:
    """The first request and how many bytes it took; None while its end is yet to come. Raises BadRequest."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if len(head) > HEAD_BYTES_MAX:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if not end:
        return None
    request = _read_head(head)
    length = _body_length(request.headers)
    size = len(head) + len(end) + length
    return None if len(data) < size else (request, size)


def _read_head(head: bytes) -> HttpRequest:
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        headers[name.lower()] = value.strip()
    try:
        url = urlsplit(parts[1])
    except ValueError:
        raise BadRequest(HTTPStatus.BAD_REQUEST) from None
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    keeps = parts[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return HttpRequest(parts[0], unquote(url.path), query, headers, head + b"\r\n\r\n", keeps)


def _body_length(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequest(HTTPStatus.NOT_IMPLEMENTED)
    text = headers.get("content-length", "0")
    if not text.isdecimal():
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    if int(text) > BODY_BYTES_MAX:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(text)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: HTTPStatus
    body: bytes = b""
    media: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    def write(self, *, keeps_alive: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [
            f"Content-Type: {self.media}",
            f"Content-Length: {len(self.body)}",
            "Cache-Control: no-store",
            f"Connection: {'keep-alive' if keeps_alive else 'close'}",
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def json_response(value: Any) -> HttpResponse:  # noqa: ANN401 - what JSON can hold
    return HttpResponse(HTTPStatus.OK, msgspec.json.encode(value), "application/json")


def text_response(status: HTTPStatus, text: str = "") -> HttpResponse:
    headers = (("WWW-Authenticate", "Bearer"),) if status is HTTPStatus.UNAUTHORIZED else ()
    return HttpResponse(status, (text or status.phrase).encode() + b"\n", headers=headers)
