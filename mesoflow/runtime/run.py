"""One run: the loop between the interpreter and the world, as whoever conducts it sees it.

Nothing here decides what a playbook means; the interpreter's state is a function of the inputs that are written, in their
order. A run leaves in one of two ways: it ended, or it parked. How it is built, layer by layer: core.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mesoflow.engine.control import Ended
from mesoflow.engine.effects import Value
from mesoflow.engine.paths import ENGINE
from mesoflow.journal.records import Record
from mesoflow.runtime.clock import ClockError
from mesoflow.runtime.core import Parked, changes_world
from mesoflow.runtime.resuming import ReplayDiffers, Resuming

__all__ = ["Parked", "ReplayDiffers", "Run", "changes_world"]

ORDER_EVENT = "OnOrderUpdate"


class Run(Resuming):
    """One run of one program, from its first record to its end or its park."""

    async def go(
        self, history: Sequence[Record], started_at: datetime, *, only_withdraw: bool = False
    ) -> Ended | Parked:
        """Run to the end. `history` is what the journal holds after the first record; empty for a new run.

        `only_withdraw`: a kill takes a run that nobody runs: its working orders are withdrawn, and it parks as halted.
        """
        asked = self._replay(history, started_at) if history else []
        # After the replay: what the hub tells of is folded into what the journal knows.
        self._setting.hub.listen(self._heard)
        if only_withdraw:
            self._unknown = {path: self._intents[path] for path, _ in asked if path in self._intents}
            self._from_before = set(self._unknown)
            self._withdraw_only()
        elif history:
            self._resume(asked)
        else:
            self._last = started_at
            self._take(lambda: self._interpreter.start(started_at))
        return await self._over

    def cancel(self, reason: str) -> None:
        """End the run: an input like any other; `always` runs."""
        try:
            at = self._now()
        except ClockError as error:
            self.fail(error)
            return
        self._cancelled = True
        self._record("input", {"cancel": reason, "at": at})
        self._take(lambda: self._interpreter.cancel(reason, at))

    def _heard(self, callback: str, event: Mapping[str, Any]) -> None:
        """Something happened at the hub: watches look again; what happened to an order of ours is journalled as observed."""
        if callback == ORDER_EVENT and not self._over.done() and self._views.is_ours(event):
            try:
                self._observe(event)
            except ClockError as error:
                self.fail(error)
        self._performer.wake()

    def _observe(self, event: Mapping[str, Any]) -> None:
        view = self._views.heard(event)
        if view is None:
            return
        number, at = int(event.get("event_seq_id") or 0), self._now()
        self._cursor = max(self._cursor, number)
        body: dict[str, Value] = {
            "path": f"{ENGINE}/event-{number}/order-{view.order_id}",
            "event": ORDER_EVENT,
            "order": view.fact(),
            "cursor": self._cursor,
            "at": at,
        }
        self._record("event", body, account=str(event.get("broker_account_id") or ""))
        self._gate.observed(view.shown(), at)
        self._views.tell(view)
