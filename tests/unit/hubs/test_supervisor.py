"""Coming back: how often, with which token, and when not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from mesoflow.hubs.connection import Ending
from mesoflow.hubs.errors import ConnectFailed, NotSent, OutcomeUnknown
from mesoflow.hubs.supervisor import DELAY_MAX_S, Supervisor
from tests.support.virtual_loop import run

UNAUTHORIZED = ConnectFailed(
    "control", "negotiate", "the token was not accepted", retryable=False, http_status=401
)
FORBIDDEN = ConnectFailed("control", "upgrade", "forbidden", retryable=False, http_status=403)
DOWN = ConnectFailed("control", "connect", "refused")


class FakeConnection:
    def __init__(self) -> None:
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.closed = False

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    def lose(self, reason: str = "lost", reconnect: bool = True) -> None:
        self.ended.set_result(Ending(reason, reconnect))

    async def close(self) -> None:
        self.closed = True
        if self.alive:
            self.lose("closed by us", reconnect=False)

    async def gone(self) -> None: ...


class Hub:
    """Opens fake connections, or fails as scripted; remembers when and with which token."""

    def __init__(self, *script: ConnectFailed | None) -> None:
        self.script = list(script)
        self.attempts: list[tuple[float, str | None]] = []
        self.connections: list[FakeConnection] = []
        self.states: list[tuple[str, str]] = []

    async def open(self, token: str | None) -> Any:
        self.attempts.append((asyncio.get_running_loop().time(), token))
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure
        self.connections.append(FakeConnection())
        return self.connections[-1]

    def supervisor(self, **options: Any) -> Supervisor:
        def changed(_: str, state: str, reason: str) -> None:
            self.states.append((state, reason))

        settings: dict[str, Any] = {"random": lambda: 1.0, "changed": changed} | options
        return Supervisor("control", self.open, **settings)


def counting() -> Callable[[], str]:
    numbers = iter(range(1, 1000))
    return lambda: f"token-{next(numbers)}"


def test_a_hundred_losses_in_a_row_are_survived() -> None:
    async def scenario() -> tuple[int, str]:
        hub = Hub()
        supervisor = hub.supervisor()
        await supervisor.start()
        for _ in range(100):
            hub.connections[-1].lose()
            await asyncio.sleep(60)
        return len(hub.connections), supervisor.state

    assert run(scenario()) == (101, "connected")


def test_delays_double_up_to_a_cap_and_start_again_after_a_good_connection() -> None:
    async def scenario() -> list[float]:
        hub = Hub(None, *[DOWN] * 9)
        supervisor = hub.supervisor()
        await supervisor.start()
        hub.connections[-1].lose()
        await asyncio.sleep(100)
        hub.connections[-1].lose()
        await asyncio.sleep(1)
        times = [at for at, _ in hub.attempts]
        return [
            *[round(after - before, 1) for before, after in itertools.pairwise(times)][:-1],
            round(times[-1] - 100, 1),
        ]

    assert run(scenario()) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 0.1]


def test_a_hub_that_drops_every_connection_at_once_is_not_stormed() -> None:
    async def scenario() -> int:
        hub = Hub()

        async def opener(token: str | None) -> Any:
            connection = await hub.open(token)
            asyncio.get_running_loop().call_later(0.01, connection.lose)
            return connection

        supervisor = Supervisor("control", opener, random=lambda: 0.5)
        await supervisor.start()
        await asyncio.sleep(60)
        return len(hub.attempts)

    assert run(scenario()) <= 16


def test_jitter_spreads_the_delay_over_its_upper_half() -> None:
    async def scenario(draw: float) -> float:
        hub = Hub(None, *[DOWN] * 20)
        await (supervisor := hub.supervisor(random=lambda: draw)).start()
        hub.connections[-1].lose()
        await asyncio.sleep(150)
        await supervisor.close()
        times = [at for at, _ in hub.attempts]
        return round(times[-1] - times[-2], 2)

    assert [run(scenario(draw)) for draw in (0.0, 0.5, 1.0)] == [
        DELAY_MAX_S / 2,
        DELAY_MAX_S * 0.75,
        DELAY_MAX_S,
    ]


def test_every_attempt_asks_for_a_token() -> None:
    async def scenario() -> list[str | None]:
        hub = Hub(None, DOWN, DOWN)
        await hub.supervisor(token=counting()).start()
        hub.connections[-1].lose()
        await asyncio.sleep(10)
        return [token for _, token in hub.attempts]

    assert run(scenario()) == ["token-1", "token-2", "token-3", "token-4"]


def test_a_refused_token_is_refreshed_once() -> None:
    async def scenario() -> tuple[list[str | None], str]:
        hub = Hub(UNAUTHORIZED)
        await (supervisor := hub.supervisor(token=counting())).start()
        return [token for _, token in hub.attempts], supervisor.state

    assert run(scenario()) == (["token-1", "token-2"], "connected")


def test_a_token_refused_twice_stops_it() -> None:
    async def scenario() -> tuple[int, str, str]:
        hub = Hub(None, UNAUTHORIZED, UNAUTHORIZED)
        await (supervisor := hub.supervisor(token=counting())).start()
        hub.connections[-1].lose()
        await asyncio.sleep(3600)
        with pytest.raises(NotSent) as not_sent:
            supervisor.current("GetAccount")
        return len(hub.attempts), supervisor.state, str(not_sent.value)

    assert run(scenario()) == (
        3,
        "stopped",
        "GetAccount was not sent: the control hub is stopped: control: negotiate failed: the token was not accepted",
    )


def test_a_fixed_token_that_is_refused_is_not_tried_again() -> None:
    async def scenario() -> int:
        hub = Hub(UNAUTHORIZED)
        with pytest.raises(ConnectFailed):
            await hub.supervisor(token="fixed").start()
        return len(hub.attempts)

    assert run(scenario()) == 1


@pytest.mark.parametrize(
    "failure", [FORBIDDEN, ConnectFailed("control", "handshake", "version", retryable=False)]
)
def test_what_waiting_cannot_help_stops_it(failure: ConnectFailed) -> None:
    async def scenario() -> tuple[int, str]:
        hub = Hub(None, failure)
        await (supervisor := hub.supervisor(token=counting())).start()
        hub.connections[-1].lose()
        await asyncio.sleep(3600)
        return len(hub.attempts), supervisor.state

    assert run(scenario()) == (2, "stopped")


def test_a_goodbye_without_leave_to_return_is_respected_until_a_fresh_connection_is_asked_for() -> None:
    async def scenario() -> tuple[int, int, list[tuple[str, str]]]:
        hub = Hub()
        await (supervisor := hub.supervisor()).start()
        hub.connections[-1].lose("the hub closed the connection: maintenance", reconnect=False)
        await asyncio.sleep(3600)
        before = len(hub.attempts)
        await supervisor.reopen()
        return before, len(hub.attempts), hub.states

    assert run(scenario()) == (
        1,
        2,
        [
            ("connected", ""),
            ("stopped", "the hub closed the connection: maintenance"),
            ("reconnecting", "a fresh connection was asked for"),
            ("connected", ""),
        ],
    )


def test_a_token_source_that_fails_is_named_by_its_kind_only() -> None:
    async def scenario() -> str:
        def fails() -> str:
            raise RuntimeError("key=s3cret is wrong")

        with pytest.raises(ConnectFailed) as failed:
            await Hub().supervisor(token=fails).start()
        return str(failed.value)

    assert run(scenario()) == "control: token failed: none was given (RuntimeError)"


def test_a_token_source_may_be_asynchronous() -> None:
    async def scenario() -> list[str | None]:
        async def fetch() -> str:
            await asyncio.sleep(1)
            return "fetched"

        hub = Hub()
        await hub.supervisor(token=fetch).start()
        return [token for _, token in hub.attempts]

    assert run(scenario()) == ["fetched"]


def test_calls_meanwhile_are_not_sent_and_say_why() -> None:
    async def scenario() -> list[str]:
        hub = Hub(None, DOWN, DOWN, DOWN, DOWN)
        supervisor = hub.supervisor()
        words = []

        def call() -> None:
            with pytest.raises(NotSent) as not_sent:
                supervisor.current("SendOrder")
            words.append(not_sent.value.reason)

        call()
        await supervisor.start()
        hub.connections[-1].lose("cut")
        call()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        call()
        await asyncio.sleep(0.3)
        call()
        await supervisor.close()
        call()
        return words

    assert run(scenario()) == [
        "the control hub is reconnecting: not connected yet",
        "the control hub is away: cut",
        "the control hub is reconnecting: cut",
        "the control hub is reconnecting: control: connect failed: refused",
        "the control hub is closed: closed by us",
    ]


def test_a_connection_that_cannot_be_made_ready_is_closed_and_tried_again() -> None:
    async def scenario() -> tuple[list[bool], str]:
        hub = Hub()
        outcomes: list[Exception | None] = [
            None,
            OutcomeUnknown("GetEventsSince", "lost"),
            NotSent("x", "lost"),
            None,
        ]

        async def ready(_: Any) -> None:
            outcome = outcomes.pop(0)
            if outcome is not None:
                raise outcome

        await (supervisor := hub.supervisor(ready=ready)).start()
        hub.connections[-1].lose()
        await asyncio.sleep(10)
        return [connection.closed for connection in hub.connections], supervisor.state

    assert run(scenario()) == ([False, True, True, False], "connected")


def test_a_fresh_connection_is_opened_after_the_old_one_has_gone() -> None:
    async def scenario() -> list[str]:
        order: list[str] = []
        hub = Hub()

        class Slow(FakeConnection):
            async def close(self) -> None:
                await asyncio.sleep(1)
                order.append("closed")
                self.lose("closed by us", reconnect=False)

        async def opener(_: str | None) -> Any:
            order.append("opened")
            return Slow()

        supervisor = Supervisor("control", opener, random=hub.supervisor()._random)
        await supervisor.start()
        await supervisor.reopen()
        await asyncio.sleep(100)
        return order

    assert run(scenario()) == ["opened", "closed", "opened"]


@pytest.mark.parametrize(("failure", "state"), [(DOWN, "connected"), (FORBIDDEN, "stopped")])
def test_a_fresh_connection_that_fails_says_so_and_goes_on_trying_if_that_can_help(
    failure: ConnectFailed, state: str
) -> None:
    async def scenario() -> str:
        hub = Hub(None, failure)
        await (supervisor := hub.supervisor()).start()
        with pytest.raises(ConnectFailed):
            await supervisor.reopen()
        await asyncio.sleep(60)
        return supervisor.state

    assert run(scenario()) == state
