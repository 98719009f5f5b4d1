"""A run's clocks: they wait by UTC, never go back, and say so when the clock behind them does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mesoflow.runtime import clock as clocks
from mesoflow.runtime.clock import (
    ClockUnavailable,
    ClockWentBack,
    EmbeddedRunClock,
    RemoteSimClock,
    SystemClock,
    fetch_clock,
    new_idle_loop,
)
from mesoflow.simulator.clock import EmbeddedClock

START = datetime(2025, 1, 16, 15, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        return await main()

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        return runner.run(inside())


class Wall:
    """A system clock under a test's hand: follows the loop's time, plus steps."""

    def __init__(self) -> None:
        self.step = timedelta()
        self.looks = 0

    def read(self) -> datetime:
        self.looks += 1
        return at(asyncio.get_running_loop().time()) + self.step


def test_the_embedded_clock_wakes_at_the_microsecond_asked_for() -> None:
    async def main() -> list[datetime]:
        clock = EmbeddedRunClock(EmbeddedClock(asyncio.get_running_loop(), START))
        seen = [clock.now()]
        for when in (at(0.000001), at(0.3), at(3600.123457), at(100 * 86400 + 0.7), at(5)):
            await clock.sleep_until(when)
            seen.append(clock.now())
        return seen

    expected = [at(0), at(0.000001), at(0.3), at(3600.123457), at(100 * 86400 + 0.7), at(100 * 86400 + 0.7)]
    assert run(main) == expected


@pytest.mark.parametrize("kind", ["embedded", "system"])
def test_timers_fire_once_in_their_order_and_not_when_cancelled(kind: str) -> None:
    async def main() -> list[tuple[str, datetime]]:
        loop = asyncio.get_running_loop()
        clock = (
            EmbeddedRunClock(EmbeddedClock(loop, START)) if kind == "embedded" else SystemClock(Wall().read)
        )
        seen: list[tuple[str, datetime]] = []
        clock.call_at(at(40), lambda: seen.append(("second", clock.now())))
        clock.call_at(at(20), lambda: seen.append(("first", clock.now())))
        clock.call_at(at(30), lambda: seen.append(("never", clock.now()))).cancel()
        clock.call_at(at(-5), lambda: seen.append(("past", clock.now())))
        await asyncio.sleep(100)
        return seen

    assert run(main) == [("past", at(0)), ("first", at(20)), ("second", at(40))]


def test_the_system_clock_looks_at_utc_every_thirty_seconds() -> None:
    async def main() -> tuple[int, datetime]:
        wall = Wall()
        clock = SystemClock(wall.read)
        await clock.sleep_until(at(100))
        return wall.looks, clock.now()

    assert run(main) == (5, at(100))


def test_a_laptop_that_slept_wakes_its_sleepers_within_a_slice() -> None:
    async def main() -> tuple[datetime, float]:
        wall = Wall()
        clock = SystemClock(wall.read)
        asyncio.get_running_loop().call_later(10, setattr, wall, "step", timedelta(hours=8))
        await clock.sleep_until(at(3600))
        return clock.now(), asyncio.get_running_loop().time()

    assert run(main) == (at(8 * 3600 + 30), 30.0)


def test_a_small_correction_backwards_stands_still_a_large_one_is_refused() -> None:
    async def main() -> str:
        wall = Wall()
        clock = SystemClock(wall.read)
        await asyncio.sleep(60)
        assert clock.now() == at(60)
        wall.step = timedelta(seconds=-1)
        assert clock.now() == at(60)
        await asyncio.sleep(3)
        assert clock.now() == at(62)
        asyncio.get_running_loop().call_later(10, setattr, wall, "step", timedelta(seconds=-60))
        with pytest.raises(ClockWentBack) as raised:
            await clock.sleep_until(at(600))
        return str(raised.value)

    assert run(main) == ("the clock went back from 2025-01-16T15:01:02+00:00 to 2025-01-16T15:00:33+00:00")


# --- a simulator in another process ---------------------------------------------------------------------------------------


@asynccontextmanager
async def simulator(answer: Callable[[], bytes]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readline()) == b"GET /simulator/clock HTTP/1.1\r\n"
        writer.write(answer())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def told(now: datetime, speed: float) -> bytes:
    body = f'{{"now":"{now.isoformat().replace("+00:00", "Z")}","speed":{speed}}}'.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body


class Monotonic:
    """Real time of this process, under a test's hand: it follows the loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@pytest.fixture
def real_time_is_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "time", Monotonic())


@pytest.mark.usefixtures("real_time_is_the_loops")
def test_a_remote_clock_runs_at_its_speed_and_is_compared_now_and_then() -> None:
    async def main() -> tuple[datetime, float, int]:
        loop, asked = asyncio.get_running_loop(), 0

        def answer() -> bytes:
            nonlocal asked
            asked += 1
            return told(at(loop.time() * 10), 10)

        async with simulator(answer) as url:
            clock = await RemoteSimClock.connect(url)
            await clock.sleep_until(at(120))
            return clock.now(), loop.time(), asked

    assert run(main) == (at(120), 12.0, 3)


@pytest.mark.usefixtures("real_time_is_the_loops")
def test_a_simulator_that_was_down_is_waited_for_and_time_stands_still_meanwhile() -> None:
    async def main() -> list[datetime]:
        loop, lag = asyncio.get_running_loop(), timedelta()
        async with simulator(lambda: told(at(loop.time() * 10) - lag, 10)) as url:
            clock = await RemoteSimClock.connect(url)
            await clock.sleep_until(at(40))
            seen = [clock.now()]
            lag = timedelta(seconds=20)
            await clock.sleep_until(at(60))
            seen += [clock.now(), at(loop.time() * 10)]
            return seen

    assert run(main) == [at(40), at(60), at(80)]


@pytest.mark.usefixtures("real_time_is_the_loops")
def test_another_world_at_the_same_address_is_refused() -> None:
    async def main() -> str:
        world = [at(86400)]
        async with simulator(lambda: told(world[0], 10)) as url:
            clock = await RemoteSimClock.connect(url)
            clock.now()
            world[0] = at(0)
            with pytest.raises(ClockWentBack) as raised:
                await clock.sleep_until(at(90000))
            return str(raised.value)

    assert run(main) == "the clock went back from 2025-01-17T15:00:00+00:00 to 2025-01-16T15:00:00+00:00"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "it answered 'HTTP/1.1 404 Not Found'"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "it answered b'hello'"),
        (b"", "it answered ''"),
        (told(at(0), 0), """it answered b'{"now":"2025-01-16T15:00:00Z","speed":0}'"""),
    ],
)
def test_what_is_no_simulator_is_refused(answer: bytes, reason: str) -> None:
    async def main() -> tuple[str, str]:
        async with simulator(lambda: answer) as url:
            with pytest.raises(ClockUnavailable) as raised:
                await fetch_clock(url)
            return url, str(raised.value)

    url, said = run(main)
    assert said == f"the simulator at {url} does not tell its clock: {reason}"


def test_nobody_there_is_unavailable() -> None:
    async def main() -> None:
        with pytest.raises(ClockUnavailable):
            await fetch_clock("http://127.0.0.1:9")

    run(main)
