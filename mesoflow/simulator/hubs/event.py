"""The Event Hub: callbacks to those who subscribed, and the history.

A subscription belongs to its connection. Events of a strategy go to its group; those of no strategy, such as an agent's
status, go to everyone. Signals and errors that are on when somebody connects are told at once, before any subscription,
under the ids that they have in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from mesoflow.hubs.contract import Callback
from mesoflow.hubs.models.events import (
    Event,
    GetEventsSinceArgs,
    SubscribeToStrategiesArgs,
    UnsubscribeFromStrategiesArgs,
)
from mesoflow.simulator.clock import SimulatorClock
from mesoflow.simulator.hubs.base import Hub
from mesoflow.simulator.hubs.forms import form
from mesoflow.simulator.hubs.otherwise import first_of, kind_of
from mesoflow.simulator.wire.core import Caller
from mesoflow.simulator.world.paging import page
from mesoflow.simulator.world.world import World

# How long a callback waits at most to be overtaken (`event_order`).
OVERTAKEN_WITHIN = timedelta(seconds=1)
_Told: TypeAlias = tuple[int, tuple[str, Event]]


@dataclass(slots=True)
class _Client:
    """One connection: `all_of_them` covers strategies that are made later, too."""

    caller: Caller
    all_of_them: bool = False
    strategies: set[int] = field(default_factory=set)
    without: set[int] = field(default_factory=set)

    def hears(self, strategy: int | None) -> bool:
        if strategy is None or strategy in self.strategies:
            return True
        return self.all_of_them and strategy not in self.without


class EventHub(Hub):
    """Subscriptions and history."""

    name = "event"

    def __init__(self, world: World, clock: SimulatorClock, ahead: Callable[[], None]) -> None:
        super().__init__(world, clock, ahead)
        self.handlers = {
            "GetLatestEventSeqId": self._latest,
            "GetEventsSince": self._since,
            "SubscribeToStrategies": lambda args, _: self._subscribe(self._calling(), args),
            "UnsubscribeFromStrategies": lambda args, _: self._unsubscribe(self._calling(), args),
        }
        self._caller: Caller | None = None
        self._clients: dict[str, _Client] = {}
        self._waiting: tuple[Callback, int | None, Event] | None = None
        world.events.listeners.append(self._tell)

    async def connected(self, caller: Caller) -> None:
        now = self._clock.now()
        self._world.advance(now)
        self._clients[caller.connection_id] = _Client(caller)
        if not self._world.faults.is_silent(now):
            for callback, event in self._world.signals.active():
                caller.send(callback.name, form(event, self._world.faults, now))
        self._ahead()

    @property
    def is_heard(self) -> bool:
        """Whether anybody is connected who would hear a callback."""
        return bool(self._clients)

    async def disconnected(self, caller: Caller) -> None:
        self._clients.pop(caller.connection_id, None)

    async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
        """Subscriptions need to know who calls; nobody else gets a turn before the handler has run."""
        self._caller = caller
        return await super().invoke(target, arguments, caller)

    def _calling(self) -> _Client:
        assert self._caller is not None, "a handler runs in a call"
        return self._clients.setdefault(self._caller.connection_id, _Client(self._caller))

    def _subscribe(self, client: _Client, args: SubscribeToStrategiesArgs) -> dict[str, Any]:
        good, failed = self._known(args.strategies)
        if args.strategies is None:
            client.all_of_them = True
        client.strategies |= set(good)
        client.without -= set(good)
        return {"successful_strategies": good, "failed_strategies": failed}

    def _unsubscribe(self, client: _Client, args: UnsubscribeFromStrategiesArgs) -> dict[str, Any]:
        good, failed = self._known(args.strategies)
        if args.strategies is None:
            client.all_of_them = False
            client.without.clear()
        client.strategies -= set(good)
        if client.all_of_them:
            client.without |= set(good)
        return {"successful_strategies": good, "failed_strategies": failed}

    def _known(self, wanted: list[int] | None) -> tuple[list[int], list[int]]:
        there = self._world.strategies.ids()
        if wanted is None:
            return there, []
        return [id for id in wanted if id in there], [id for id in wanted if id not in there]

    def _latest(self, _: object, now: datetime) -> dict[str, Any]:
        return {"latest_event_seq_id": self._world.events.latest, "snapshot_time": now}

    def _since(self, args: GetEventsSinceArgs, _: datetime) -> dict[str, Any]:
        faults = self._world.faults
        number = first_of(args.event_seq_id, faults)
        found, token = page(
            lambda after, size: self._world.events.since(number, after, size),
            ("events", number),
            args.limit,
            args.continuation_token,
        )
        found = self._again(number, found, args.continuation_token)
        events = [
            {"event_type": kind_of(kind, faults), "event_seq_id": id, "event": event}
            for id, (kind, event) in found
        ]
        return {"events": events, "continuation_token": token}

    def _again(self, number: int, found: list[_Told], token: str | None) -> list[_Told]:
        """A later page begins with the last events of the one before (`pages_overlap`)."""
        overlap = self._world.faults.pages_overlap
        if not overlap or token is None or not found:
            return found
        before = self._world.events.before(found[0][0], overlap)
        return [told for told in before if told[0] > number] + found

    def _tell(self, callback: Callback, strategy: int | None, event: Event) -> None:
        faults = self._world.faults
        if not faults.event_order:
            self._send(callback, strategy, event)
            return
        # Each second one waits until the next has overtaken it, or for a moment.
        if self._waiting is None:
            self._waiting = (callback, strategy, event)
            now = self._clock.now()
            self._clock.call_at(now + OVERTAKEN_WITHIN, self._send_waiting)
            return
        self._send(callback, strategy, event)
        self._send_waiting()

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._send(*waiting)

    def _send(self, callback: Callback, strategy: int | None, event: Event) -> None:
        faults = self._world.faults
        body: dict[str, Any] | None = None
        for client in list(self._clients.values()):
            if client.hears(strategy) and not client.caller.closed:
                body = form(event, faults, self._clock.now()) if body is None else body
                for _ in range(2 if faults.callbacks_twice else 1):
                    client.caller.send(callback.name, body)
