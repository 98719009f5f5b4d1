"""The server as a client meets it: who gets in, how, and how it ends."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mesoflow.simulator.faults import Faults, Loss
from mesoflow.simulator.wire.server import Server
from mesoflow.simulator.wire.serving import Hooks
from tests.support.echo_hub import PATH, START, EchoHub
from tests.support.plain_client import PlainClient, http
from tests.support.served import serving

NEGOTIATE = f"{PATH}/negotiate?negotiateVersion=1"
BEARER = {"Authorization": "Bearer any"}


def address(server: Server, query: str = "") -> str:
    return server.url.replace("http://", "ws://") + PATH + query


async def refusal(server: Server, query: str = "", **headers: str) -> int:
    """The status by which a websocket is refused."""
    with pytest.raises(InvalidStatus) as raised:
        await connect(address(server, query), additional_headers=headers)
    return raised.value.response.status_code


# --- negotiation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_negotiation_gives_a_token_beside_the_public_id(body: bytes | None) -> None:
    async def test(server: Server) -> None:
        status, answer = await http(server.url, "POST", NEGOTIATE, body=body, **BEARER)
        assert status == 200
        assert answer.pop("connectionId") != answer.pop("connectionToken")
        assert answer == {
            "negotiateVersion": 1,
            "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}],
        }

    serving(test, EchoHub)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"negotiateVersion": 0}),
        ("?negotiateVersion=0", {"negotiateVersion": 0}),
        ("?negotiateVersion=7", {"negotiateVersion": 1}),
        ("?negotiateVersion=x", {"error": "The client requested an invalid negotiate version 'x'."}),
        ("?negotiateVersion=-1", {"error": "The client requested an invalid negotiate version '-1'."}),
    ],
)
def test_negotiate_versions(query: str, expected: dict[str, Any]) -> None:
    async def test(server: Server) -> None:
        status, answer = await http(server.url, "POST", f"{PATH}/negotiate{query}", **BEARER)
        assert status == 200
        assert {name: answer[name] for name in expected} == expected
        assert ("connectionToken" in answer) is (expected.get("negotiateVersion") == 1)

    serving(test, EchoHub)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", NEGOTIATE, {}, 401),
        ("POST", NEGOTIATE, {"Authorization": "Bearer "}, 401),
        ("POST", NEGOTIATE, {"Authorization": "Basic any"}, 401),
        ("POST", NEGOTIATE + "&access_token=any", {}, 200),
        ("GET", NEGOTIATE, BEARER, 405),
        ("POST", "/hubs/nowhere/negotiate", BEARER, 404),
        ("GET", "/", BEARER, 404),
        ("GET", PATH, BEARER, 400),
        ("POST", "/simulator/clock", BEARER, 405),
        ("GET", "//[", BEARER, 400),
        ("GET /", PATH, BEARER, 400),
        ("POST", NEGOTIATE, {"Transfer_Encoding": "chunked"}, 501),
        ("POST", NEGOTIATE, {"X": "x" * 20_000}, 431),
    ],
)
def test_statuses(method: str, path: str, headers: dict[str, str], status: int) -> None:
    async def test(server: Server) -> None:
        assert (await http(server.url, method, path, **headers))[0] == status

    serving(test, EchoHub)


def test_a_body_is_bounded() -> None:
    async def test(server: Server) -> None:
        assert (await http(server.url, "POST", NEGOTIATE, body=b"x" * 70_000, **BEARER))[0] == 413

    serving(test, EchoHub)


def test_with_a_token_only_that_token_enters() -> None:
    async def test(server: Server) -> list[Any]:
        async def status(token: str) -> int:
            return (await http(server.url, "POST", NEGOTIATE, Authorization=f"Bearer {token}"))[0]

        refused = await refusal(server, Authorization="Bearer other")
        async with PlainClient.to(server.url, PATH, token="mine") as client:
            answer = await client.call("Echo", 1)
        return [await status("mine"), await status("other"), refused, answer]

    assert serving(test, EchoHub, token="mine") == [200, 401, 401, ("result", 1)]


def test_ids_are_claimed_once_and_die_with_their_connection() -> None:
    async def test(server: Server) -> list[Any]:
        _, answer = await http(server.url, "POST", NEGOTIATE, **BEARER)
        query = f"?id={answer['connectionToken']}"
        seen = [
            await refusal(server, f"?id={answer['connectionId']}", **BEARER),
            await refusal(server, query),
        ]
        async with PlainClient.to(server.url, PATH, query=query) as client:
            seen.append(await client.call("Echo", 1))
            seen.append(await refusal(server, query, **BEARER))
        seen.append(await refusal(server, query, **BEARER))
        return seen

    assert serving(test, EchoHub) == [404, 401, ("result", 1), 409, 404]


def test_browsers_put_the_token_into_the_query() -> None:
    async def test(server: Server) -> Any:
        async with connect(address(server, "?access_token=any")) as socket:
            return await PlainClient(socket, "json").shake()

    assert serving(test, EchoHub) == {}


def test_the_clock_is_told() -> None:
    async def test(server: Server) -> list[Any]:
        first = await http(server.url, "GET", "/simulator/clock")
        await asyncio.sleep(90.5)
        return [first, await http(server.url, "GET", "/simulator/clock")]

    assert serving(test, EchoHub) == [
        (200, {"now": "2025-01-16T15:00:00Z", "speed": None}),
        (200, {"now": "2025-01-16T15:01:30.500000Z", "speed": None}),
    ]


# --- faults and hooks --------------------------------------------------------------------------------------------------------


def test_an_absent_hub_cuts_everyone_off_and_lets_nobody_in() -> None:
    async def test(server: Server) -> list[Any]:
        loop, seen = asyncio.get_running_loop(), []
        server.faults.hub_away(START + timedelta(seconds=10), timedelta(seconds=30))
        async with PlainClient.to(server.url, PATH) as client:
            with suppress(ConnectionClosed):
                await client.read()
            seen.append(loop.time())
        while True:
            try:
                async with PlainClient.to(server.url, PATH) as client:
                    seen.append((loop.time(), await client.call("Echo", "back")))
                    return seen
            except (OSError, EOFError, ConnectionClosed):
                await asyncio.sleep(7)
            except Exception as error:
                seen.append(type(error).__name__)
                await asyncio.sleep(7)

    seen = serving(test, EchoHub)
    assert seen[0] == 10
    assert seen[-1] == (45, ("result", "back"))


def test_losses_count_calls_and_only_a_lost_reply_was_executed() -> None:
    executed: list[Any] = []
    hooks = Hooks(on_executed=lambda method, args, key: executed.append((method, dict(args), key)))
    faults = Faults(lose_request=[Loss("Echo", nth=2, cut=False)], lose_reply=[Loss("Echo", nth=2)])

    async def test(server: Server) -> list[Any]:
        async with PlainClient.to(server.url, PATH) as client:
            args = [{"N": n, "idempotencyKey": f"k{n}"} for n in range(3)]
            seen: list[Any] = [await client.call("Echo", args[0])]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    await client.call("Echo", args[1])
            with pytest.raises(ConnectionClosed):
                await client.call("Echo", args[2])
            return seen

    assert serving(test, EchoHub, faults=faults, hooks=hooks) == [
        ("result", {"N": 0, "idempotencyKey": "k0"})
    ]
    assert executed == [
        ("Echo", {"N": 0, "idempotencyKey": "k0"}, "k0"),
        ("Echo", {"N": 2, "idempotencyKey": "k2"}, "k2"),
    ]
    assert (faults.lose_request, faults.lose_reply) == ([], [])


def test_a_delay_is_simulated_time() -> None:
    async def test(server: Server) -> list[float]:
        loop = asyncio.get_running_loop()
        server.faults.delay["Echo"] = timedelta(seconds=20)
        async with PlainClient.to(server.url, PATH) as client:
            await client.call("Echo", 1)
            first = loop.time()
            await client.call("Null")
            return [first, loop.time()]

    assert serving(test, EchoHub) == [20, 20]


def test_trading_calls_are_witnessed_before_they_are_executed() -> None:
    order: list[str] = []

    class Trading(EchoHub):
        async def invoke(self, target: str, arguments: list[Any], caller: Any) -> object:
            order.append(f"executed {target}")
            return None

    hooks = Hooks(
        on_trading_call=lambda method, _: order.append(f"witnessed {method}"),
        on_executed=lambda method, _, key: order.append(f"written {method} {key}"),
    )

    async def test(server: Server) -> None:
        async with PlainClient.to(server.url, PATH) as client:
            await client.call("ListAgents", {})
            await client.call("applyPaperFills", {"IdempotencyKey": "k"})

    serving(test, Trading, hooks=hooks)
    assert order == [
        "executed ListAgents",
        "written ListAgents None",
        "witnessed ApplyPaperFills",
        "executed applyPaperFills",
        "written ApplyPaperFills k",
    ]


# --- the end ---------------------------------------------------------------------------------------------------------------


def test_a_server_that_stops_says_goodbye_and_that_one_may_come_back() -> None:
    async def test(server: Server) -> Any:
        async with PlainClient.to(server.url, PATH) as client:
            await client.call("Null")
            await client.begin("Hold")
            stopped = asyncio.create_task(server.stop())
            said = await client.read()
            await stopped
            return said

    hub = EchoHub()
    assert serving(test, lambda: hub) == [7, None, True]
    assert len(hub.gone) == 1
    assert hub.gone == hub.callers
    assert hub.gone[0].closed


def test_a_stopped_server_can_be_stopped_again() -> None:
    async def test(server: Server) -> None:
        await server.stop()

    serving(test, EchoHub)
