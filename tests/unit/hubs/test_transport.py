"""The link: what "sent" means at the edge of a closing socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mesoflow.hubs.negotiate import negotiate
from mesoflow.hubs.transport import Keepalive, Limits, LinkClosed, WebSocket, open_websocket
from tests.support.virtual_loop import run
from tests.support.wire_server import WireServer


async def linked(server: WireServer) -> WebSocket:
    negotiated = await negotiate("control", server.url + "/hubs/control/v1", None, None, 5)
    return await open_websocket("control", negotiated, None, None, Limits())


def test_a_dead_peer_is_noticed_in_less_than_ten_seconds_by_the_default() -> None:
    keepalive = Keepalive()
    assert keepalive.ping_s + keepalive.ping_timeout_s + Limits().close_s <= 10


def test_messages_go_out_in_the_order_of_the_calls_as_text_or_binary() -> None:
    async def scenario() -> list[Any]:
        async with WireServer() as server:
            link = await linked(server)
            link.send(b'{"protocol":"json","version":1}\x1e', binary=False)
            for number in range(100):
                link.send(f'{{"type":{100 + number}}}\x1e'.encode(), binary=number % 2 == 1)
            await asyncio.sleep(0.1)
            return [message for (message,) in server.clients[0].received]

    assert run(scenario()) == list(range(100, 200))


def test_nothing_is_handed_over_once_the_peer_has_said_goodbye() -> None:
    async def scenario() -> str:
        async with WireServer() as server:
            link = await linked(server)
            link.send(b'{"protocol":"json","version":1}\x1e', binary=False)
            await link.receive()
            await server.clients[0].socket.close()
            with pytest.raises(LinkClosed) as closed:
                link.send(b"x", binary=False)
            return str(closed.value)

    assert run(scenario()) == "the connection is closed"


def test_nothing_is_handed_over_after_an_abort_in_the_same_turn() -> None:
    async def scenario() -> None:
        async with WireServer() as server:
            link = await linked(server)
            link.abort()
            with pytest.raises(LinkClosed):
                link.send(b"x", binary=False)

    run(scenario())


def test_a_peer_that_does_not_read_is_not_fed_for_ever() -> None:
    async def scenario() -> str:
        async with WireServer() as server:
            link = await linked(server)
            link.send(b'{"protocol":"json","version":1}\x1e', binary=False)
            await link.receive()
            server.clients[0].stop_reading()
            with pytest.raises(LinkClosed) as closed:
                for _ in range(100):
                    link.send(b"x" * 1024 * 1024, binary=False)
            link.abort()
            return str(closed.value)

    assert run(scenario()) == "the peer does not read"


def test_closing_does_not_wait_for_a_dead_peer() -> None:
    async def scenario() -> float:
        async with WireServer() as server:
            link = await linked(server)
            link.send(b'{"protocol":"json","version":1}\x1e', binary=False)
            await link.receive()
            server.clients[0].stop_reading()
            began = asyncio.get_running_loop().time()
            await link.close()
            return asyncio.get_running_loop().time() - began

    assert run(scenario()) <= 1.01
