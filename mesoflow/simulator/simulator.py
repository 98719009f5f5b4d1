"""The simulator as one thing: a world, its hubs, the timers that let it happen on time, and the server when it is served.

`Simulator.open(folder, clock)` gives the hubs by path for any server; `start` makes the wire's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesoflow.hubs.contract import PATHS
from mesoflow.simulator.clock import SimulatorClock, Timer
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.hubs.base import Hub
from mesoflow.simulator.hubs.control import ControlHub
from mesoflow.simulator.hubs.data import DataHub
from mesoflow.simulator.hubs.event import EventHub
from mesoflow.simulator.world.errors import WorldUnwritable
from mesoflow.simulator.world.world import Profile, World

if TYPE_CHECKING:
    from mesoflow.simulator.wire.server import Server

logger = logging.getLogger(__name__)

# A clock is made for a world once its last time is known.
ClockMaker = Callable[[datetime], SimulatorClock]


class Simulator:
    """An open world with a clock."""

    def __init__(self, world: World, clock: SimulatorClock) -> None:
        self.world, self.clock = world, clock
        self._timer: Timer | None = None
        self._timer_at: datetime | None = None
        self._server: Server | None = None
        self._events = EventHub(world, clock, self._plan_ahead)
        hubs: tuple[Hub, ...] = (
            ControlHub(world, clock, self._plan_ahead),
            DataHub(world, clock, self._plan_ahead),
            self._events,
        )
        self._apps = {PATHS[hub.name]: hub for hub in hubs}
        self._plan_ahead()

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: SimulatorClock | ClockMaker,
        *,
        seed: int | None = None,
        profile: Profile | None = None,
        faults: Faults | None = None,
    ) -> Simulator:
        """Open or make the world in a folder. `clock`: one, or what makes one from the world's last time.

        `seed` and `profile` None: as the world was made; a new one gets 7 and strict. Raises WorldHeld, WorldOther,
        WorldDamaged.
        """
        world = World(folder, seed=seed, profile=profile, faults=faults)
        try:
            return cls(world, clock(world.last_time) if callable(clock) else clock)
        except BaseException:
            world.close()
            raise

    @property
    def last_time(self) -> datetime:
        return self.world.last_time

    @property
    def identity(self) -> str:
        return self.world.identity

    def apps(self) -> Mapping[str, Hub]:
        """The hubs by path."""
        return dict(self._apps)

    async def start(self, host: str = "127.0.0.1", port: int = 0, **options: Any) -> Server:  # noqa: ANN401
        """Serve over the wire; `options` are those of the wire's Server. `close` does not stop it: stop it first."""
        # Only whoever serves needs the sockets.
        from mesoflow.simulator.wire.server import Server

        self._server = Server(self._apps, self.clock, faults=self.world.faults, **options)
        await self._server.start(host, port)
        return self._server

    async def stop(self) -> None:
        """Stop the server, if there is one, then close."""
        if self._server is not None:
            await self._server.stop()
        self.close()

    def close(self) -> None:
        """The world is written and let go; its last time is now."""
        if self._timer is not None:
            self._timer.cancel()
        self.world.close(self.clock.now())

    def _plan_ahead(self) -> None:
        """One timer, for the next thing that is due: callbacks leave on time even when nobody asks.

        Where time jumps to the next timer, none is set for an expiration, nor for an order or a signal of which nobody
        hears: it would pull the world along as soon as nobody does anything. There it happens at the next call, at its own time all the
        same.
        """
        due = self._next_due()
        if due == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = None if due is None else self.clock.call_at(due, self._happen)

    def _next_due(self) -> datetime | None:
        world, embedded = self.world, self.clock.speed is None
        due = world.jobs.next_due() if embedded else world.next_due()
        if embedded and not self._events.is_heard:
            return due
        looks = (due, world.broker.next_look(self.clock.now()), world.signals.next_due())
        return min((moment for moment in looks if moment is not None), default=None)

    def _happen(self) -> None:
        due = self._timer_at
        self._timer = self._timer_at = None
        # A loop's clock is a float: it may wake a microsecond early.
        try:
            self.world.advance(self.clock.now() if due is None else max(self.clock.now(), due))
        except WorldUnwritable as error:
            # No timer: it would be due at once. Whoever calls next is told, and what is due happens once it can be written.
            logger.warning("%s", error)
            return
        self._plan_ahead()
