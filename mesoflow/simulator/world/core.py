"""What all parts of a world share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mesoflow.simulator.faults import Faults
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.market.volatility import Volatility
from mesoflow.simulator.strategies.lua import Lua
from mesoflow.simulator.world.events import Events
from mesoflow.simulator.world.store import Store


@dataclass
class Core:
    """Store, history, market, seed and dials. The expression language is loaded at its first use."""

    store: Store
    events: Events
    market: Market
    seed: int
    faults: Faults

    @cached_property
    def lua(self) -> Lua:
        return Lua(self.seed)

    @cached_property
    def volatility(self) -> Volatility:
        return Volatility(self.market)

    @contextmanager
    def change(self, at: datetime) -> Iterator[None]:
        """One transaction; its events are told after the commit, or forgotten with it."""
        try:
            with self.store.change(at):
                yield
        except BaseException:
            self.events.forget()
            raise
        if self.faults.is_silent(at):
            self.events.forget()
        self.events.tell()
