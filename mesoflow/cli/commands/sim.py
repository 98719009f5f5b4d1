"""`mesoflow sim serve`: a world as a server, for runs by URL and for people who write other clients.

It keeps and continues the world `serve`; another seed, profile or faults file than it was made with begins a new one. Its
time is real time, `--speed` times as fast, and stands still while nobody serves it. SIGTERM and Ctrl-C end it cleanly; SIGKILL loses nothing that was acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mesoflow.cli.commands import check
from mesoflow.cli.embedded import opened
from mesoflow.cli.exits import Exit
from mesoflow.cli.worlds import wanted
from mesoflow.logs import hide
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import CONFIG, Refusal
from mesoflow.simulator.clock import ServedClock

SERVED = "serve"


def run(args: argparse.Namespace) -> int:
    """Serve, or say what is wrong with the faults file."""
    faults, wrong = check.faults_at(args.faults)
    if wrong:
        check.show(wrong, [args.faults], "text")
        return Exit.REFUSED
    home = StateHome.open(args.state)
    return asyncio.run(_serve(args, home, faults))


async def _serve(args: argparse.Namespace, home: StateHome, faults: Mapping[str, Any] | None) -> int:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    if args.token is not None:
        hide(args.token)
    world = wanted(home, args.seed, args.profile, faults, first=SERVED)
    with home.world_lock(world.name):

        def clock_from(last: datetime) -> ServedClock:
            return ServedClock(args.speed, last, loop)

        simulator = opened(world, clock_from)
        try:
            server = await simulator.start(port=args.port, token=args.token)
        except OSError as error:
            simulator.close()
            raise Refusal(
                CONFIG,
                f"port {args.port} cannot be served: {error.strerror}",
                help=("choose another --port",),
            ) from error
        try:
            print(f"listening on {server.url}", flush=True)
            await over.wait()
        finally:
            await simulator.stop()
    return Exit.FINE
