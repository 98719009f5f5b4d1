"""Simulated time passes only while the loop is idle, and only as far as the next timer."""

import asyncio
import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from mesoflow.runtime.idle_loop import IdleLoop, _Traffic, new_idle_loop


def run(main: Callable[[IdleLoop], Coroutine[Any, Any, Any]], speed: float | None = None) -> Any:
    async def inside() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, IdleLoop)
        result = await main(loop)
        assert loop.gave_up == 0
        return result

    with asyncio.Runner(loop_factory=lambda: new_idle_loop(speed)) as runner:
        return runner.run(inside())


def work(seconds: float) -> None:
    """Keep the processor busy for so long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def echo_server() -> asyncio.Server:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    return await asyncio.start_server(echo, "127.0.0.1", 0)


async def connect(server: asyncio.Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*server.sockets[0].getsockname())


# --- time ----------------------------------------------------------------------------------------------------------------


def test_an_idle_day_takes_no_time() -> None:
    async def main(loop: IdleLoop) -> list[float]:
        seen = []
        for hours in (1, 2, 21):
            await asyncio.sleep(hours * 3600)
            seen.append(loop.time())
        return seen

    began = time.perf_counter()
    assert run(main) == [3600, 10800, 86400]
    assert time.perf_counter() - began < 5


def test_time_stands_still_while_work_is_done() -> None:
    async def main(loop: IdleLoop) -> float:
        asyncio.get_running_loop().call_later(0.01, work, 0.02)
        for _ in range(3):
            work(0.02)
            await asyncio.sleep(0)
        return loop.time()

    assert run(main) == 0


def test_a_thread_is_waited_for_although_a_deadline_is_near() -> None:
    async def main(loop: IdleLoop) -> float:
        done = threading.Event()
        loop.every_real(0.02, done.set)
        async with asyncio.timeout(0.001):
            assert await asyncio.to_thread(done.wait, 10)
        return loop.time()

    assert run(main) == 0


def test_time_stands_still_while_held() -> None:
    async def main(loop: IdleLoop) -> tuple[float, float]:
        loop.hold()
        loop.hold()
        passed = asyncio.create_task(asyncio.sleep(60))
        looks = 0

        def look() -> None:
            nonlocal looks
            looks += 1
            if looks in (2, 4):
                loop.release()

        held = loop.every_real(0.001, look)
        await passed
        held.cancel()
        return loop.time(), looks

    at, looks = run(main)
    assert at == 60
    assert looks >= 4


def test_release_without_hold_is_refused() -> None:
    async def main(loop: IdleLoop) -> None:
        with pytest.raises(RuntimeError, match="bug in mesoflow"):
            loop.release()

    run(main)


def test_with_a_speed_time_passes_in_proportion() -> None:
    async def main(loop: IdleLoop) -> float:
        await asyncio.sleep(3)
        return loop.time()

    began = time.perf_counter()
    assert run(main, speed=100) == pytest.approx(3, abs=1e-9)
    assert 0.03 <= time.perf_counter() - began < 3


# --- the real world --------------------------------------------------------------------------------------------------------


def test_looking_around_in_real_time_does_not_move_simulated_time() -> None:
    async def main(loop: IdleLoop) -> tuple[list[float], float]:
        seen: list[float] = []
        enough = asyncio.Event()

        def look() -> None:
            seen.append(loop.time())
            if len(seen) == 5:
                enough.set()

        timer = loop.every_real(0.002, look)
        await enough.wait()
        timer.cancel()
        await asyncio.sleep(1)
        return seen, loop.time()

    assert run(main) == ([0.0] * 5, 1.0)


def test_looking_around_goes_on_while_timers_jump_and_while_work_is_done() -> None:
    async def main(loop: IdleLoop) -> int:
        looks = 0

        def look() -> None:
            nonlocal looks
            looks += 1

        loop.every_real(0.001, look)
        while looks < 3:  # noqa: ASYNC110 - the loop's turns are the subject
            await asyncio.sleep(1000)
        while looks < 6:  # noqa: ASYNC110
            await asyncio.sleep(0)
        return looks

    assert run(main) >= 6


@pytest.mark.parametrize("speed", [None, 0.001])
@pytest.mark.parametrize("timer", [None, 3600.0])
def test_a_signal_is_answered_at_once(speed: float | None, timer: float | None) -> None:
    """Blocked without a timer, sleeping in proportion, or held: a byte on the loop's own pipe wakes it."""

    async def main(loop: IdleLoop) -> float:
        heard = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, heard.set)
        if timer is not None:
            loop.call_later(timer, heard.set)
        if speed is None:
            loop.hold()
        killer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGTERM))
        killer.start()
        began = time.perf_counter()
        await heard.wait()
        loop.remove_signal_handler(signal.SIGTERM)
        return time.perf_counter() - began

    assert run(main, speed=speed) < 1


# --- loopback ----------------------------------------------------------------------------------------------------------------


def slow_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback takes its time: only who really waits finds a packet, who merely looks finds none."""
    plain = selectors.DefaultSelector.select

    def select(self: Any, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = plain(self, timeout)
        if timeout is not None and timeout <= 0:
            return [
                (key, events)
                for key, events in ready
                if not isinstance(key.data, tuple) or _is_pipe(self, key)
            ]
        return ready

    monkeypatch.setattr(selectors.DefaultSelector, "select", select)


def _is_pipe(selector: Any, key: selectors.SelectorKey) -> bool:
    return bool(key.fd == selector.loop._ssock.fileno())


async def ping_pong(loop: IdleLoop, rounds: int = 50) -> float:
    server = await echo_server()
    async with asyncio.timeout(1):
        reader, writer = await connect(server)
    for number in range(rounds):
        writer.write(b"%d\n" % number)
        async with asyncio.timeout(0.001):
            assert await reader.readline() == b"%d\n" % number
    writer.close()
    async with asyncio.timeout(0.001):
        assert await reader.read() == b""
    server.close()
    return loop.time()


def test_packets_arrive_before_time_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    slow_kernel(monkeypatch)
    assert run(ping_pong) == 0


def test_without_counting_the_same_packets_come_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: a loop that does not count what is on its way."""
    slow_kernel(monkeypatch)
    monkeypatch.setattr(_Traffic, "under_way", lambda *_: False)
    with pytest.raises(TimeoutError):
        run(ping_pong)


def test_large_messages_both_ways_arrive_before_time_moves() -> None:
    async def main(loop: IdleLoop) -> float:
        server = await echo_server()
        reader, writer = await connect(server)
        line = b"x" * 60_000 + b"\n"
        async with asyncio.timeout(0.001):
            for _ in range(40):
                writer.write(line)
            for _ in range(40):
                assert await reader.readline() == line
        writer.close()
        server.close()
        return loop.time()

    assert run(main) == 0


def test_who_does_not_read_does_not_stop_time() -> None:
    """A consumer that waits for a timer while bytes pile up in the kernel."""

    async def main(loop: IdleLoop) -> float:
        server = await echo_server()
        _, writer = await connect(server)
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        writer.write(b"unread\n" * 1000)
        await asyncio.sleep(30)
        transport.abort()
        server.close()
        return loop.time()

    began = time.perf_counter()
    assert run(main) == 30
    assert time.perf_counter() - began < 1


def test_a_cut_connection_is_noticed_before_time_moves() -> None:
    async def main(loop: IdleLoop) -> float:
        server = await echo_server()
        reader, writer = await connect(server)
        writer.write(b"a\n")
        await reader.readline()
        writer.transport.abort()
        await asyncio.sleep(5)
        server.close()
        async with asyncio.timeout(0.001):
            await server.wait_closed()
        with suppress(ConnectionError):
            await asyncio.open_connection("127.0.0.1", 1)
        return loop.time()

    assert run(main) == 5


def test_the_same_times_under_load() -> None:
    """Timers and calls interleaved: every time seen is the same, however busy the machine is."""

    async def main(loop: IdleLoop) -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []
        server = await echo_server()

        async def caller(name: str, pause: float) -> None:
            reader, writer = await connect(server)
            for _ in range(6):
                await asyncio.sleep(pause)
                writer.write(b"x\n")
                await reader.readline()
                seen.append((name, loop.time()))
            writer.close()

        await asyncio.gather(*(caller(f"c{n}", 0.7 + n / 10) for n in range(4)))
        server.close()
        return sorted(seen, key=lambda row: (row[1], row[0]))

    alone = run(main)
    stop = threading.Event()
    burners = [threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)]) for _ in range(2)]
    for burner in burners:
        burner.start()
    try:
        assert run(main) == alone
    finally:
        stop.set()
        for burner in burners:
            burner.join()
