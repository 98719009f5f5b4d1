"""The little HTTP: whole requests out of bytes cut anywhere."""

import contextlib
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.wire.http import BadRequest, HttpRequest, json_response, read_request, text_response

REQUEST = b"POST /hubs/x/negotiate?a=1&b=%20 HTTP/1.1\r\nHost: h\r\nAuthorization: bearer  T \r\nContent-Length: 2\r\n\r\n{}"


@given(cut=st.integers(0, len(REQUEST) - 1))
def test_a_request_is_read_when_its_end_has_come(cut: int) -> None:
    assert read_request(REQUEST[:cut]) is None
    found = read_request(REQUEST + b"GET / HTTP/1.1\r\n")
    assert found is not None
    request, size = found
    assert size == len(REQUEST)
    assert request == HttpRequest(
        method="POST",
        path="/hubs/x/negotiate",
        query={"a": "1", "b": " "},
        headers={"host": "h", "authorization": "bearer  T", "content-length": "2"},
        raw=REQUEST[:-2],
        keeps_alive=True,
    )
    assert request.bearer == "T"
    assert not request.upgrades


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/2\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nContent-Length: 1e9\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTPStatus.NOT_IMPLEMENTED),
        (b"x" * 20_000, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    ],
)
def test_what_is_refused(data: bytes, status: HTTPStatus) -> None:
    with pytest.raises(BadRequest) as raised:
        read_request(data)
    assert raised.value.status is status


@given(data=st.binary(max_size=300))
def test_no_bytes_are_a_traceback(data: bytes) -> None:
    with contextlib.suppress(BadRequest):
        read_request(data + b"\r\n\r\n")


def test_responses() -> None:
    assert json_response({"a": 1}).write(keeps_alive=True) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"
        b'Cache-Control: no-store\r\nConnection: keep-alive\r\n\r\n{"a":1}'
    )
    assert text_response(HTTPStatus.UNAUTHORIZED).write(keeps_alive=False) == (
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 13\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nUnauthorized\n"
    )
