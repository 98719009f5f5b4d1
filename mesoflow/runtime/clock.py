"""A run takes its clock from its hub: the system's for a real one, the simulator's for a simulated one.

All fail closed: a clock that goes back further than it may raises, and the run ends with both times; within that it
stands still until it has caught up. The loop in which an embedded simulator's time passes is idle_loop.py.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from mesoflow.runtime.idle_loop import IdleLoop, new_idle_loop
from mesoflow.simulator.clock import EmbeddedClock, Timer

__all__ = [
    "ClockError",
    "ClockUnavailable",
    "ClockWentBack",
    "EmbeddedRunClock",
    "IdleLoop",
    "RemoteSimClock",
    "RunClock",
    "SystemClock",
    "new_idle_loop",
]

# Laptops sleep and clocks are set: nobody waits longer than this without looking at UTC again.
SLICE = timedelta(seconds=30)
# What time servers correct in passing; a larger step is somebody's mistake.
SYSTEM_STEP_BACK = timedelta(seconds=1)
# A simulator that was killed and restarted goes on where it stood, while our estimate ran on.
SIMULATOR_STEP_BACK = timedelta(minutes=10)
# How long an estimate of another process's clock is trusted.
RESYNC_S = 5.0
ANSWER_WITHIN_S = 5.0
ANSWER_BYTES_MAX = 64 * 1024
CLOCK_PATH = "/simulator/clock"


class ClockError(Exception):
    """The run's clock cannot be trusted; nothing may be sent by it."""


class ClockWentBack(ClockError):
    def __init__(self, was: datetime, now: datetime) -> None:
        super().__init__(was, now)
        self.was = was
        self.now = now

    def __str__(self) -> str:
        return f"the clock went back from {self.was.isoformat()} to {self.now.isoformat()}"


class ClockUnavailable(ClockError):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"the simulator at {self.url} does not tell its clock: {self.reason}"


class RunClock(Protocol):
    """Time as a run sees it."""

    def now(self) -> datetime:
        """Aware, UTC; never goes back."""

    async def sleep_until(self, when: datetime) -> None:
        """Returns when it is `when` or later; at once if it is already."""

    def call_at(self, when: datetime, fn: Callable[[], None]) -> Timer:
        """Call once, on the loop, when it is `when` or later."""


class _Forward:
    """The last time told; a smaller one is held back, one that is much smaller refused."""

    def __init__(self, step_back: timedelta) -> None:
        self._last: datetime | None = None
        self._step_back = step_back

    def tell(self, now: datetime) -> datetime:
        if self._last is not None and now < self._last:
            if self._last - now > self._step_back:
                raise ClockWentBack(self._last, now)
            return self._last
        self._last = now
        return now


def _call_after_sleep(clock: RunClock, when: datetime, fn: Callable[[], None]) -> Timer:
    async def wait() -> None:
        await clock.sleep_until(when)
        fn()

    return asyncio.get_running_loop().create_task(wait(), name=f"timer at {when.isoformat()}")


class EmbeddedRunClock:
    """The embedded simulator's clock, as the run's. Lives on an idle loop."""

    def __init__(self, clock: EmbeddedClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def sleep_until(self, when: datetime) -> None:
        if when <= self.now():
            return
        over = asyncio.Event()
        timer = self._clock.call_at(when, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    def call_at(self, when: datetime, fn: Callable[[], None]) -> Timer:
        return self._clock.call_at(when, fn)


class SystemClock:
    """The system's, for a hub that is real."""

    def __init__(self, read: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._read = read
        self._forward = _Forward(SYSTEM_STEP_BACK)

    def now(self) -> datetime:
        return self._forward.tell(self._read())

    async def sleep_until(self, when: datetime) -> None:
        while (left := when - self.now()) > timedelta():  # noqa: ASYNC110 - UTC must be looked at again
            await asyncio.sleep(min(left, SLICE).total_seconds())

    def call_at(self, when: datetime, fn: Callable[[], None]) -> Timer:
        return _call_after_sleep(self, when, fn)


class RemoteSimClock:
    """A simulator's in another process: read over HTTP, carried forward at its speed, compared again now and then."""

    def __init__(self, url: str, now: datetime, speed: float) -> None:
        self._url = url
        self._forward = _Forward(SIMULATOR_STEP_BACK)
        self.speed = speed
        self._set(now)

    @classmethod
    async def connect(cls, url: str) -> RemoteSimClock:
        """Raises ClockUnavailable."""
        return cls(url, *await fetch_clock(url))

    def now(self) -> datetime:
        return self._forward.tell(self._estimate())

    async def sleep_until(self, when: datetime) -> None:
        while (left := when - self._estimate()) > timedelta():
            await asyncio.sleep(min(left.total_seconds() / self.speed, RESYNC_S))
            await self._compare()

    def call_at(self, when: datetime, fn: Callable[[], None]) -> Timer:
        return _call_after_sleep(self, when, fn)

    def _estimate(self) -> datetime:
        return self._base + timedelta(seconds=(time.monotonic() - self._read_at) * self.speed)

    def _set(self, now: datetime) -> None:
        self._base = now
        self._read_at = time.monotonic()

    async def _compare(self) -> None:
        """A hub that does not answer now keeps its estimated time: its absence is the connection's affair."""
        if time.monotonic() - self._read_at < RESYNC_S:
            return
        try:
            now, self.speed = await fetch_clock(self._url)
        except ClockUnavailable:
            return
        self._set(now)
        self.now()


async def fetch_clock(url: str) -> tuple[datetime, float]:
    """The simulator's time and speed. Raises ClockUnavailable."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    request = f"GET {CLOCK_PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=secure or None)
            try:
                writer.write(request.encode("ascii"))
                answer = await reader.read(ANSWER_BYTES_MAX)
                while (more := await reader.read(ANSWER_BYTES_MAX)) and len(answer) < ANSWER_BYTES_MAX:
                    answer += more
            finally:
                writer.close()
    except (OSError, TimeoutError, UnicodeError) as error:
        raise ClockUnavailable(url, str(error) or type(error).__name__) from error
    return _read_answer(url, answer)


def _read_answer(url: str, answer: bytes) -> tuple[datetime, float]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode("latin-1")
    if " 200 " not in f"{status} ":
        raise ClockUnavailable(url, f"it answered {status!r}")
    try:
        told: dict[str, Any] = json.loads(body)
        now, speed = datetime.fromisoformat(told["now"]), float(told["speed"])
    except (ValueError, KeyError, TypeError) as error:
        raise ClockUnavailable(url, f"it answered {body[:80]!r}") from error
    if now.tzinfo is None or speed <= 0:
        raise ClockUnavailable(url, f"it answered {body[:80]!r}")
    return now.astimezone(UTC), speed
