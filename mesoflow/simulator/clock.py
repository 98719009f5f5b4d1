"""Simulated time: one clock for the whole world, embedded in the runner's loop or passing at a server's speed.

Embedded, time is the loop's own (runtime/clock.py makes one whose time passes only while it is idle). Served, it is real
time, faster by a factor. Either way it begins where the caller says: at the world's last time, or later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

# Faster than this, a client's processing time becomes market time (a 20 s timer came 3.5 s late).
SPEED_MAX = 30.0


class Timer(Protocol):
    """What `call_at` returns."""

    def cancel(self) -> object: ...


class SimulatorClock(Protocol):
    """The world's time."""

    @property
    def speed(self) -> float | None:
        """Simulated seconds in a real one; None: time jumps while the loop is idle."""

    def now(self) -> datetime:
        """Aware, UTC; never goes back."""

    def call_at(self, when: datetime, fn: Callable[[], None]) -> Timer:
        """Call once, at or soon after `when`; on the loop, never inside this call."""


class LoopClock:
    """Time as a loop passes it: `start` plus the loop's progress since then, times `speed`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime, rate: float) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time")
        self._loop = loop
        self._start = start
        self._rate = rate
        self._origin = loop.time()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(self._loop.time() - self._origin) * self._rate)

    def call_at(self, when: datetime, fn: Callable[[], None]) -> Timer:
        return self._loop.call_at(self._origin + (when - self._start).total_seconds() / self._rate, fn)


class EmbeddedClock(LoopClock):
    """Simulated time is the loop's time."""

    speed: float | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime) -> None:
        super().__init__(loop, start, 1.0)


class ServedClock(LoopClock):
    """For `sim serve`: real time, `speed` times as fast."""

    def __init__(self, speed: float, start: datetime, loop: asyncio.AbstractEventLoop | None = None) -> None:
        if not 1 <= speed <= SPEED_MAX:
            raise ValueError(f"a served clock runs at a speed of 1 to {SPEED_MAX:g}, not {speed:g}")
        super().__init__(loop or asyncio.get_running_loop(), start, speed)
        self.speed: float | None = speed
