"""Looking around in real time, whatever the run's clock says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mesoflow.runtime.idle_loop import IdleLoop


@contextmanager
def every(seconds: float, fn: Callable[[], None]) -> Iterator[None]:
    """Call `fn` every so many real seconds, on whatever loop this is."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, IdleLoop):
        real = loop.every_real(seconds, fn)
        try:
            yield
        finally:
            real.cancel()
        return
    task = loop.create_task(_repeated(seconds, fn))
    try:
        yield
    finally:
        task.cancel()


async def _repeated(seconds: float, fn: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        fn()
