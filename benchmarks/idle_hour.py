"""An hour of simulated market on the idle loop, in real seconds. `python -m benchmarks.idle_hour [ROUNDS]`.

timers   3,600 timers, one a simulated second, nothing else: what the loop itself costs
idle     an hour of the world, idle: its three hubs served in this process, our client connected to all of them over real
         websockets,
         events heard; the same timers                                                                    (goal: below 1 s)
asking   the same, and the client asks for an account every simulated second; against the same calls without any waiting
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks._goals import at_most
from mesoflow.hubs.client import MesoLive
from mesoflow.runtime.clock import new_idle_loop
from mesoflow.runtime.send import RUN_CLASSES
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.simulator import Simulator

HOUR = 3600
GOAL_S = 1
ASKED = {"broker_account_id": "PAPER-1"}
MINUTE = timedelta(minutes=1)


async def timers(_: MesoLive | None = None) -> None:
    for _second in range(HOUR):
        await asyncio.sleep(1)


async def asking(client: MesoLive, pause: float = 1) -> None:
    argument = client.encode("GetAccount", ASKED)
    for _second in range(HOUR):
        await asyncio.sleep(pause)
        await client.invoke("GetAccount", argument, within=MINUTE)


async def calls_only(client: MesoLive) -> None:
    await asking(client, 0)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[tuple[MesoLive, EmbeddedClock]]:
    """As the quickstart has it: the simulator on this loop, and a runner's client."""
    loop = asyncio.get_running_loop()
    clocks: list[EmbeddedClock] = []

    def clock_from(last: datetime) -> EmbeddedClock:
        clocks.append(EmbeddedClock(loop, last))
        return clocks[0]

    simulator = Simulator.open(folder, clock_from)
    server = await simulator.start(keep_alive_s=None)
    options = {"token": "any", "allow": RUN_CLASSES, "keepalive": None, "random": lambda: 0.5}
    client = await MesoLive.connect(server.url, **options)  # type: ignore[arg-type]
    client.listen(lambda name, event: None)
    try:
        yield client, clocks[0]
    finally:
        await client.close()
        await simulator.stop()


async def linked(work: Callable[[MesoLive], Awaitable[None]]) -> float:
    with tempfile.TemporaryDirectory() as name:
        async with world(Path(name, "world")) as (client, clock):
            before, began = clock.now(), perf_counter()
            await work(client)
            took = perf_counter() - began
            if work is not calls_only and clock.now() - before < timedelta(hours=1):
                raise SystemExit(f"the world's clock has moved by {clock.now() - before} only")
            return took


async def alone() -> float:
    began = perf_counter()
    await timers()
    return perf_counter() - began


ROWS: dict[str, Callable[[], Awaitable[float]]] = {
    "timers": alone,
    "idle": lambda: linked(timers),
    "asking": lambda: linked(asking),
    "calls without waiting": lambda: linked(calls_only),
}


def measure(row: Callable[[], Awaitable[float]]) -> float:
    async def main() -> float:
        return await row()

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        return runner.run(main())


def main(argv: list[str]) -> int:
    rounds = int(argv[0]) if argv else 5
    found: dict[str, list[float]] = {name: [] for name in ROWS}
    for _ in range(rounds):
        for name, row in ROWS.items():
            found[name].append(measure(row))
    for name, times in found.items():
        goal = at_most(median(times), GOAL_S, " s") if name == "idle" else ""
        print(f"{name:<24}{median(times):8.3f} s   ({min(times):.3f} to {max(times):.3f}){goal}")
    print(
        f"asking waits for {median(found['asking']) / median(found['calls without waiting']):.2f} times its calls"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
