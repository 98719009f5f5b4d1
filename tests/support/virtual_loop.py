"""An event loop whose time passes only while it is idle, for tests of timers: real sockets, no waiting.

A test of the client's wire uses this one so that it does not depend on the runtime's clock, which is tested by others.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# A peer in the same process has answered long before; a test that waits longer for the world outside is wrong.
SETTLE_S = 0.002
DEADLOCK_S = 10.0


class _IdleSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualLoop | None = None

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        ready = super().select(SETTLE_S if timeout is not None else DEADLOCK_S)
        if ready:
            return ready
        assert timeout is not None, (
            "nothing will ever happen: the test waits for something that does not come"
        )
        assert self.loop is not None
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`now` is its time, in seconds from 0."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _IdleSelector()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        return self.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """asyncio.run under virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
