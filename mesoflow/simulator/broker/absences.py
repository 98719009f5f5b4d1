"""Absences of agents and brokers: their beginnings and ends happen once, each at its own time, like anything else.

They are told by dials (faults.py) that a process may set at any time; what has happened is written, so that a restart of the
world with the same dials does not repeat it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mesoflow.simulator.faults import Faults
from mesoflow.simulator.world.agents import connector_of
from mesoflow.simulator.world.events import Events
from mesoflow.simulator.world.store import Store, written


@dataclass(frozen=True, slots=True)
class Edge:
    """Where an absence begins or ends. `new_ids`: whether a broker's orders come back under other ids; None: an agent's."""

    at: datetime
    who: str
    is_back: bool
    new_ids: bool | None
    reused: bool = False

    @property
    def name(self) -> str:
        what = "agent" if self.new_ids is None else "broker"
        return f"edge {what} {self.who} {'back' if self.is_back else 'gone'} {written(self.at)}"


class Absences:
    """The edges of a world's dials."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults

    def next(self) -> Edge | None:
        """The first that has not happened."""
        left = [edge for edge in self._edges() if self._store.get(edge.name) is None]
        return min(left, key=lambda edge: (edge.at, edge.name), default=None)

    def crossed(self, edge: Edge) -> None:
        """It has happened; only inside a change."""
        self._store.set(edge.name, 1)

    def _edges(self) -> Iterator[Edge]:
        for name, away in self._faults.agents_away:
            yield Edge(away.start, name, is_back=False, new_ids=None)
            yield Edge(away.end, name, is_back=True, new_ids=None)
        for restart in self._faults.restarts:
            yield Edge(
                restart.away.end, restart.broker, is_back=True, new_ids=restart.new_ids, reused=restart.reused
            )


def tell_agent(edge: Edge, events: Events, faults: Faults) -> None:
    """An agent's status; only inside a change."""
    fields = {
        "status": "Connected" if edge.is_back else "Disconnected",
        "message": f"agent {edge.who} is {'connected' if edge.is_back else 'gone'}",
        "connector": connector_of(edge.who, faults),
    }
    events.add("AgentStatusEvent", edge.at, fields)
