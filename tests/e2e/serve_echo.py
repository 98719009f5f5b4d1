"""The hand-written hub behind the simulator's server end, as a process of its own: prints where it listens, then serves.

Ends when its standard input does, so that it never outlives the tests.
"""

import asyncio
import sys

from mesoflow.simulator.clock import ServedClock
from mesoflow.simulator.wire.server import Server
from tests.support.echo_hub import PATH, START, EchoHub


async def main() -> None:
    server = Server({PATH: EchoHub()}, ServedClock(1, START))
    await server.start()
    print(f"listening on {server.url}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
