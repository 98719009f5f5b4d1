"""Events: written with what caused them, replayed by number, and told to whoever listens once they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mesoflow.hubs.contract import Callback, callback_of
from mesoflow.hubs.models.events import Event
from mesoflow.simulator.draws import uuid
from mesoflow.simulator.world.store import Store, packed, unpacked

Listener = Callable[[Callback, int | None, Event], None]


class Events:
    """The history, and what has been written but not told yet."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store, self._seed = store, seed
        self._untold: list[tuple[Callback, int | None, Event]] = []
        self.listeners: list[Listener] = []
        # By how many numbers EventSeqId jumps after an event (a dial).
        self.jumps: Callable[[], int] = int

    def add(
        self,
        kind: str,
        at: datetime,
        fields: Mapping[str, Any],
        strategy: int | None = None,
        *,
        again: int | None = None,
    ) -> int:
        """Write one, and return its number; only inside a change. `again`: under the id of that number's event."""
        callback = callback_of(kind)
        assert callback is not None, f"the contract has no event {kind}"
        number = self._store.next_id("events", 1 + self.jumps())
        event = callback.event_model.model_validate(
            {
                "event_id": uuid(self._seed, "event", number if again is None else again),
                "event_seq_id": number,
                "event_time": at,
                **fields,
                **({} if strategy is None else {"strategy_id": strategy}),
            },
            context="write",
        )
        self._store.run(
            "INSERT INTO events (id, kind, doc, strategy) VALUES (?, ?, ?, ?)",
            (number, callback.event_type, packed(event.wire()), strategy),
        )
        self._untold.append((callback, strategy, event))
        return number

    def tell(self) -> None:
        """After the commit: hand on what was written."""
        told, self._untold = self._untold, []
        for callback, strategy, event in told:
            for listener in list(self.listeners):
                listener(callback, strategy, event)

    def forget(self) -> None:
        """After a rollback: it never happened. Or nobody hears it."""
        self._untold.clear()

    @property
    def latest(self) -> int:
        row = self._store.row("SELECT max(id) FROM events")
        return int(row[0] or 0) if row else 0

    def one(self, number: int) -> tuple[str, Event]:
        """Kind and event of a number that was given."""
        row = self._store.row("SELECT kind, doc FROM events WHERE id = ?", (number,))
        assert row is not None, f"there is no event {number}"
        return row[0], _model(row[0]).read(unpacked(row[1]))

    def since(self, number: int, after: int, limit: int) -> list[tuple[int, tuple[str, Event]]]:
        """Kind and event of those after a number, from the one after `after` on."""
        found = self._store.rows(
            "SELECT id, kind, doc FROM events WHERE id > ? ORDER BY id LIMIT ?", (max(number, after), limit)
        )
        return [(id, (kind, _model(kind).read(unpacked(doc)))) for id, kind, doc in found]

    def before(self, number: int, limit: int) -> list[tuple[int, tuple[str, Event]]]:
        """The last of those before a number, in their order."""
        found = self._store.rows(
            "SELECT id, kind, doc FROM events WHERE id < ? ORDER BY id DESC LIMIT ?", (number, limit)
        )
        return [(id, (kind, _model(kind).read(unpacked(doc)))) for id, kind, doc in reversed(found)]


def _model(kind: str) -> type[Event]:
    callback = callback_of(kind)
    assert callback is not None, f"the contract has no event {kind}"
    return callback.event_model
