"""The world: one folder, opened and held by one process, in which everything happens at simulated times.

What happens is a function of the seed, of what was asked, and of simulated time, never of when or how often somebody looked.
Commands write before they return. A new world begins on Thursday, 16 January 2025, at 10:00 in New York.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from mesoflow.simulator.broker.broker import Broker
from mesoflow.simulator.draws import hexes
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.ledger import Ledger
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.market.telltale import Telltale
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.agents import CONNECTORS, connector_of
from mesoflow.simulator.world.by_hand import ByHand
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import WorldOther, WorldUnwritable
from mesoflow.simulator.world.events import Events
from mesoflow.simulator.world.fills import PaperFills
from mesoflow.simulator.world.jobs import Jobs
from mesoflow.simulator.world.levels import Levels
from mesoflow.simulator.world.plans import Plans
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.records import Records
from mesoflow.simulator.world.settlement import Settlement
from mesoflow.simulator.world.signals import Signals
from mesoflow.simulator.world.store import Store, moment_of
from mesoflow.simulator.world.strategies import Strategies
from mesoflow.simulator.world.subjects import Subjects

logger = logging.getLogger(__name__)

# How kind the market is to a resting order (data/broker.json); strict: somebody must trade through its limit.
Profile = Literal["strict", "realistic", "kind"]
SEED = 7
BEGINNING = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
# Tables in the order of a dump; the lock and the count are no part of what happened.
_TABLES = (
    "accounts",
    "strategies",
    "jobs",
    "plans",
    "positions",
    "position_plans",
    "legs",
    "executions",
    "orders",
    "broker_fills",
    "agenda",
    "records",
    "events",
    "signals",
    "ledger",
    "meta",
)


class World:
    """All that a simulated MesoLive knows. `seed` and `profile` None: as the world was made, or the defaults."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int | None = None,
        profile: Profile | None = None,
        faults: Faults | None = None,
    ) -> None:
        if profile is not None and profile not in get_args(Profile):
            raise ValueError(f"there is no profile {profile!r}: {', '.join(get_args(Profile))}")
        self.store = Store(folder)
        try:
            self._open(folder, seed, profile, faults or Faults())
        except BaseException:
            self.store.close()
            raise

    def _open(self, folder: Path, seed: int | None, profile: Profile | None, faults: Faults) -> None:
        made = self.store.get("seed")
        self.seed: int = int(made if made is not None else SEED if seed is None else seed)
        self.profile: str = self.store.get("profile") or profile or "strict"
        for what, found, asked in (("seed", self.seed, seed), ("profile", self.profile, profile)):
            if asked is not None and asked != found:
                raise WorldOther(folder, what, found, asked)
        self.faults = faults
        self.market = Market(self.seed, faults.halts)
        self.market.told = Telltale(faults)
        self.events = Events(self.store, self.seed)
        self.events.jumps = lambda: faults.seq_jumps
        core = self.core = Core(self.store, self.events, self.market, self.seed, faults)
        self.ledger = Ledger(self.store)
        self.positions = Positions(core)
        self.accounts = Accounts(core, self.positions)
        self.strategies = Strategies(core, self.accounts, self.positions)
        self.plans = Plans(core)
        self.jobs = Jobs(core, self.accounts, self.strategies, self.positions, self.plans)
        self.records = Records(self.store, faults, self.jobs.record_fields)
        self.fills = PaperFills(core, self.accounts, self.positions, self.plans, self.ledger)
        self.settlement = Settlement(core, self.accounts, self.positions, self.ledger)
        self.broker = Broker(
            core, self.profile, self.accounts, self.strategies, self.positions, self.plans, self.ledger
        )
        self.by_hand = ByHand(core, self.positions)
        self.signals = Signals(
            core,
            Subjects(core, self.accounts, self.strategies, self.positions),
            Levels(core, self.positions, self.jobs.names),
        )
        if made is None:
            self._begin()

    def _begin(self) -> None:
        at = self.faults.begins or BEGINNING
        with self.core.change(at):
            self.store.set("seed", self.seed)
            self.store.set("profile", self.profile)
            self.store.set("identity", f"world-{hexes(self.seed, 'world', self.profile, digits=16)}")
            self.accounts.found(at)
            self.strategies.found(at)
            for connector in CONNECTORS:
                fields = {
                    "status": "Connected",
                    "message": f"agent {connector} is connected",
                    "connector": connector_of(connector, self.faults),
                }
                self.events.add("AgentStatusEvent", at, fields)

    @property
    def identity(self) -> str:
        """Which world this is; two folders made alike have the same."""
        found: str = self.store.get("identity")
        return found

    @property
    def last_time(self) -> datetime:
        """The time of the last change: when a reopened world begins."""
        return moment_of(self.store.get("last_time"))

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by now, each at its own time. Every call does this first.

        Of one time, signals are looked at first: by the time of the last change every look has been had (signals.py).
        """
        while (due := self.next_due(now)) is not None and due <= now:
            if due == self.signals.next_due():
                self.signals.look(due)
            elif due == self.settlement.next_due():
                self.settlement.settle(due)
            elif due == self.jobs.next_due():
                self.jobs.end(due)
            else:
                self.broker.happen(due)

    def next_due(self, until: datetime | None = None) -> datetime | None:
        """When something happens next without a call; fills of orders only up to `until`."""
        kept = (self.jobs.next_due(), self.settlement.next_due(), self.signals.next_due())
        known = [due for due in kept if due is not None]
        soonest = min([*known, *([] if until is None else [until])], default=None)
        found = self.broker.next_due(None if until is None else soonest)
        return min([*known, *([] if found is None else [found])], default=None)

    def close(self, at: datetime | None = None) -> None:
        """An orderly end; `at`: until when time has passed. A disk that takes no more keeps what it has: a time that is not
        written is passed anew."""
        try:
            if at is not None and at > self.last_time:
                self.advance(at)
                with self.core.change(at):
                    pass
        except WorldUnwritable as error:
            logger.warning("%s", error)
        finally:
            self.store.close()

    def dump(self) -> str:
        """Everything that is stored, as text: two worlds with the same history have the same bytes."""
        lines: list[str] = []
        for table in _TABLES:
            lines += [f"{table} {row!r}" for row in self.store.rows(f"SELECT * FROM {table} ORDER BY 1, 2")]
        return "\n".join(lines) + "\n"

    def fingerprint(self) -> str:
        return hashlib.sha256(self.dump().encode()).hexdigest()
