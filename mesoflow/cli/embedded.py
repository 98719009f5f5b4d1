"""The embedded simulator: a world of the state home, a real server on loopback, in this process and on this loop.

Its clock begins at the later of the world's last time and the journal's, and passes only while the loop is idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from mesoflow.cli.ground import EMBEDDED_TOKEN, Ground, nonce_in
from mesoflow.cli.worlds import World, named, wanted
from mesoflow.rehearsal.staging import world_opened
from mesoflow.runtime.clock import EmbeddedRunClock
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import CONFIG, Refusal
from mesoflow.runtime.setting import HubFacts
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.simulator import ClockMaker, Simulator
from mesoflow.simulator.wire.serving import Hooks
from mesoflow.simulator.world.errors import WorldDamaged, WorldOther, WorldUnwritable
from mesoflow.simulator.world.world import Profile


def _never(world: str) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class EmbeddedWish:
    """Which world: `world` by name (a run's own), else the default one, unless seed, profile or faults ask for another.

    `since(world)`: the last time that the journal knows of in it.
    """

    world: str | None = None
    seed: int | None = None
    profile: str | None = None
    faults: Mapping[str, Any] | None = None
    since: Callable[[str], datetime | None] = _never


@asynccontextmanager
async def embedded_ground(home: StateHome, wish: EmbeddedWish) -> AsyncIterator[Ground]:
    """Open the world and serve it. Raises WorldHeld, Refusal."""
    if wish.world is not None:
        world = named(home, wish.world)
    else:
        world = wanted(home, wish.seed, wish.profile, wish.faults)
    with home.world_lock(world.name):
        simulator = opened(world, _clock_from(wish.since(world.name)))
        world_opened(simulator)
        hooks = Hooks()
        try:
            server = await simulator.start(keep_alive_s=None, hooks=hooks)
            assert isinstance(simulator.clock, EmbeddedClock)
            yield Ground(
                url=server.url,
                clock=EmbeddedRunClock(simulator.clock),
                facts=HubFacts(died_with_runner=True, simulator=True),
                where={"kind": "embedded", "url": None, "world": world.name, "identity": simulator.identity},
                token=EMBEDDED_TOKEN,
                embedded=True,
                nonce_of=lambda run_id: nonce_in(world.seed, run_id),
                hooks=hooks,
            )
        finally:
            await simulator.stop()


def opened(world: World, clock: ClockMaker) -> Simulator:
    """The world, with a clock made for its last time. Raises Refusal."""
    try:
        return Simulator.open(
            world.folder,
            clock,
            seed=world.seed,
            profile=cast("Profile", world.profile),
            faults=_faults(world),
        )
    except (WorldDamaged, WorldOther, WorldUnwritable) as error:
        raise Refusal(CONFIG, str(error), (("world", str(world.folder)),), ("nothing was sent",)) from error


def _faults(world: World) -> Faults:
    """Those that it was made with; only a world that has some needs to know how they are written."""
    if not world.faults:
        return Faults()
    from mesoflow.rehearsal.faultfile.dials import dials

    return dials(world.faults)


def _clock_from(since: datetime | None) -> ClockMaker:
    """A clock on this loop, at the later of the world's last time and the journal's."""
    loop = asyncio.get_running_loop()
    return lambda last: EmbeddedClock(loop, last if since is None else max(last, since))
