"""What all connections of one server share: clock, dials, hooks, limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mesoflow.hubs.contract import METHODS
from mesoflow.simulator.clock import SimulatorClock
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.wire.encodings import Decimals

# Both as .NET has them by default.
KEEP_ALIVE_S = 15.0
CLIENT_TIMEOUT_S = 30.0
HANDSHAKE_TIMEOUT_S = 15.0
# A strategy definition of hundreds of KB passes; .NET's own default is 32 KB, which operators raise.
MESSAGE_BYTES_MAX = 4 * 2**20
# What may wait for one client that does not read. Beyond it the client is cut off: memory is not its to fill.
BACKLOG_BYTES_MAX = 32 * 2**20
# Calls of one client that wait for their turn; no client of ours has more than a hundred in flight.
CALLS_WAITING_MAX = 10_000


def _nothing(*_: object) -> None:
    return None


@dataclass(slots=True)
class Hooks:
    """Called inside the server's process; one that raises fails the call it stands at.

    `on_trading_call(method, args)`: before a call that trades is executed. `on_executed(method, args, key)`: after a
    call was executed and what it did is written, before its reply leaves. `args` is the call's first argument as sent.
    """

    on_trading_call: Callable[[str, Mapping[str, Any]], None] = _nothing
    on_executed: Callable[[str, Mapping[str, Any], str | None], None] = _nothing


@dataclass(slots=True)
class Serving:
    """`decimals` None: as .NET writes them. `keep_alive_s` None: neither pings nor timeouts, for in-process links."""

    clock: SimulatorClock
    faults: Faults = field(default_factory=Faults)
    hooks: Hooks = field(default_factory=Hooks)
    decimals: Decimals | None = None
    keep_alive_s: float | None = KEEP_ALIVE_S
    client_timeout_s: float = CLIENT_TIMEOUT_S
    backlog_bytes_max: int = BACKLOG_BYTES_MAX
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run one client's calls; remembered, so that a server that stops can wait for them."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what still runs, and wait for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


@cache
def _names() -> Mapping[str, str]:
    return {name.lower(): name for name in METHODS}


def contract_name(target: str) -> str:
    """The contract's spelling: .NET finds hub methods in any casing."""
    return _names().get(target.lower(), target)


def trades(method: str) -> bool:
    known = METHODS.get(method)
    return known is not None and known.klass == "trade"


def first_argument(arguments: list[Any]) -> Mapping[str, Any]:
    return arguments[0] if arguments and isinstance(arguments[0], dict) else {}


def idempotency_key(args: Mapping[str, Any]) -> str | None:
    for name, value in args.items():
        if name.replace("_", "").lower() == "idempotencykey" and value is not None:
            return str(value)
    return None
