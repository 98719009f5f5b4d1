"""Every way in which connecting can fail: at which stage, and whether waiting can help."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.http11 import Request, Response

from mesoflow.hubs.connection import open_connection
from mesoflow.hubs.errors import ConnectFailed
from tests.support.virtual_loop import run
from tests.support.wire_server import Client, WireServer, respond

PATH = "/hubs/control/v1"


async def connect(url: str, token: str | None = "secret", **options: Any) -> Any:
    return await open_connection(
        "control",
        url,
        token=token,
        encoding="json",
        allow=frozenset({"read"}),
        heard=lambda *_: None,
        keepalive=None,
        **options,
    )


async def failure(server: WireServer) -> tuple[str, str, bool]:
    with pytest.raises(ConnectFailed) as failed:
        await connect(server.url + PATH)
    assert "secret" not in str(failed.value)
    return failed.value.stage, failed.value.reason, failed.value.retryable


def body(**answer: Any) -> Callable[[Request], Response]:
    return lambda _: respond(200, json.dumps(answer).encode())


async def hang(_: Request) -> Response:
    await asyncio.sleep(3600)
    return respond(200)


NEGOTIATE: list[tuple[Any, tuple[str, str, bool]]] = [
    (lambda _: respond(401), ("negotiate", "the token was not accepted", False)),
    (lambda _: respond(403), ("negotiate", "this token may not use the hub", False)),
    (lambda _: respond(400), ("negotiate", "HTTP 400", False)),
    (lambda _: respond(404), ("negotiate", "HTTP 404", True)),
    (lambda _: respond(429), ("negotiate", "HTTP 429", True)),
    (lambda _: respond(500), ("negotiate", "HTTP 500", True)),
    (lambda _: respond(503), ("negotiate", "HTTP 503", True)),
    (lambda _: respond(302, Location="https://elsewhere.test/"), ("negotiate", "HTTP 302", False)),
    (hang, ("negotiate", "no answer in 5 s", True)),
    (lambda _: respond(200, b"<html>"), ("negotiate", "the answer is no JSON: JSON is malformed: ", True)),
    (lambda _: respond(200, b"[]"), ("negotiate", "the answer is no object", False)),
    (body(error="not today"), ("negotiate", "not today", False)),
    (body(), ("negotiate", "the answer has no connection id", False)),
    (
        body(connectionToken="t", availableTransports=[{"transport": "LongPolling"}]),
        ("negotiate", "the hub offers no WebSockets", False),
    ),
    (
        body(url="http://elsewhere.test/hub", accessToken="x"),
        ("address", "elsewhere.test is not this machine: only https is allowed there", False),
    ),
    (
        body(url="ftp://127.0.0.1/hub"),
        ("address", "'ftp://127.0.0.1/hub' is no http or https address", False),
    ),
]


@pytest.mark.parametrize(("script", "expected"), NEGOTIATE)
def test_negotiations_that_fail(script: Any, expected: tuple[str, str, bool]) -> None:
    async def scenario() -> tuple[str, str, bool]:
        async with WireServer() as server:
            server.negotiate_script = [script]
            return await failure(server)

    stage, reason, retryable = run(scenario())
    assert (stage, retryable) == (expected[0], expected[2])
    assert reason.startswith(expected[1])


UPGRADE = [
    (401, ("upgrade", "the token was not accepted", False)),
    (403, ("upgrade", "this token may not use the hub", False)),
    (404, ("upgrade", "HTTP 404", True)),
    (409, ("upgrade", "HTTP 409", True)),
    (500, ("upgrade", "HTTP 500", True)),
    (302, ("upgrade", "HTTP 302", False)),
]


@pytest.mark.parametrize(("status", "expected"), UPGRADE)
def test_upgrades_that_fail(status: int, expected: tuple[str, str, bool]) -> None:
    async def scenario() -> tuple[str, str, bool]:
        async with WireServer() as server:
            server.upgrade_script = [lambda _: respond(status, Location="https://elsewhere.test/")]
            return await failure(server)

    assert run(scenario()) == expected


async def refuses(client: Client) -> bool:
    await client.raw(b'{"error":"version 1 is not supported"}\x1e')
    return False


async def says_nothing(client: Client) -> bool:
    await client.socket.wait_closed()
    return False


async def hangs_up(client: Client) -> bool:
    client.reset()
    return False


async def talks_nonsense(client: Client) -> bool:
    await client.raw(b"hello\x1e")
    return False


HANDSHAKE: list[tuple[Callable[[Client], Awaitable[bool]], tuple[str, str, bool]]] = [
    (refuses, ("handshake", "version 1 is not supported", False)),
    (says_nothing, ("handshake", "no answer in 5 s", True)),
    (hangs_up, ("handshake", "the connection was lost: no close frame received or sent", True)),
    (talks_nonsense, ("handshake", "handshake: JSON is malformed: invalid character (byte 0)", True)),
]


@pytest.mark.parametrize(("script", "expected"), HANDSHAKE)
def test_handshakes_that_fail(script: Any, expected: tuple[str, str, bool]) -> None:
    async def scenario() -> tuple[str, str, bool]:
        async with WireServer() as server:
            server.handshake_script = [script]
            return await failure(server)

    assert run(scenario()) == expected


def test_nobody_listens() -> None:
    async def scenario() -> tuple[str, str, bool]:
        async with WireServer() as server:
            await server.stop()
            return await failure(server)

    stage, reason, retryable = run(scenario())
    assert (stage, retryable) == ("connect", True)
    assert "Connect call failed" in reason


def test_who_talks_no_http() -> None:
    async def scenario() -> ConnectFailed:
        async def shout(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(shout, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectFailed) as failed:
            await connect(f"http://127.0.0.1:{port}{PATH}")
        server.close()
        return failed.value

    failed = run(scenario())
    assert (failed.stage, failed.retryable) == ("negotiate", True)


# ── what goes well ──


def test_the_token_is_in_the_header_of_both_requests_and_the_connection_token_is_the_id() -> None:
    async def scenario() -> tuple[Any, ...]:
        async with WireServer() as server:
            connection = await connect(server.url + PATH)
            await connection.close()
            negotiation, upgrade = server.negotiations[0], server.upgrades[0]
            return (
                negotiation.path,
                negotiation.headers["Authorization"],
                upgrade.path,
                upgrade.headers["Authorization"],
                upgrade.headers.get("Sec-WebSocket-Extensions"),
            )

    assert run(scenario()) == (
        "/hubs/control/v1/negotiate?negotiateVersion=1",
        "Bearer secret",
        "/hubs/control/v1?id=token%2F1%2Bx",
        "Bearer secret",
        None,
    )


def test_an_old_server_s_connection_id() -> None:
    async def scenario() -> str:
        async with WireServer() as server:
            server.negotiate_script = [body(connectionId="old one", somethingNew=1)]
            await (await connect(server.url + PATH, token=None)).close()
            assert "Authorization" not in server.upgrades[0].headers
            return server.upgrades[0].path

    assert run(scenario()) == "/hubs/control/v1?id=old%20one"


def test_a_redirect_is_negotiated_again_with_the_token_that_it_brings() -> None:
    async def scenario() -> list[tuple[str, str | None]]:
        async with WireServer() as first, WireServer() as second:
            first.negotiate_script = [
                body(url=f"{second.url}/hubs/other?shard=7", accessToken="theirs"),
            ]
            await (await connect(first.url + PATH)).close()
            asked = [*first.negotiations, *second.negotiations, *second.upgrades]
            return [(request.path, request.headers.get("Authorization")) for request in asked]

    assert run(scenario()) == [
        ("/hubs/control/v1/negotiate?negotiateVersion=1", "Bearer secret"),
        ("/hubs/other/negotiate?shard=7&negotiateVersion=1", "Bearer theirs"),
        ("/hubs/other?shard=7&id=token%2F1%2Bx", "Bearer theirs"),
    ]


def test_our_token_does_not_follow_a_redirect_to_another_host() -> None:
    async def scenario() -> list[str | None]:
        async with WireServer() as first, WireServer() as second:
            first.negotiate_script = [body(url=f"{second.url}/hubs/other")]
            await (await connect(first.url + PATH)).close()
            return [
                request.headers.get("Authorization") for request in (*second.negotiations, *second.upgrades)
            ]

    assert run(scenario()) == [None, None]


def test_redirects_end() -> None:
    async def scenario() -> tuple[str, str, bool]:
        async with WireServer() as server:
            server.negotiate_script = [body(url=server.url + PATH)] * 20
            return await failure(server)

    assert run(scenario()) == ("negotiate", "more than 10 redirects", False)


def test_messages_glued_behind_the_handshake_are_not_lost() -> None:
    async def scenario() -> list[Any]:
        async with WireServer() as server:
            heard: list[Any] = []

            async def glued(client: Client) -> bool:
                client.received.append("the answer was sent")
                await client.raw(b"{}\x1e" + client.encoded([1, {}, None, "OnX", [1], []], [6]))
                return True

            server.handshake_script = [glued]
            await open_connection(
                "event",
                server.url + PATH,
                token=None,
                encoding="json",
                allow=frozenset(),
                heard=lambda name, arguments: heard.append((name, arguments)),
                keepalive=None,
            )
            await asyncio.sleep(0.1)
            return heard

    assert run(scenario()) == [("OnX", [1])]


def test_no_log_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with WireServer() as server:
            await (await connect(server.url + PATH)).close()

    with caplog.at_level("DEBUG"):
        # The server of this test logs what it receives; only the client's side is looked at.
        run(scenario())
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")
    ]
    assert not [line for line in ours if "secret" in line or "token%2F" in line]


def test_a_token_with_a_line_break_is_not_written_into_a_header() -> None:
    async def scenario() -> tuple[str, list[Any]]:
        async with WireServer() as server:
            with pytest.raises(ConnectFailed) as failed:
                await connect(server.url + PATH, token="a\r\nX: b")
            return failed.value.stage, server.negotiations

    assert run(scenario()) == ("negotiate", [])
