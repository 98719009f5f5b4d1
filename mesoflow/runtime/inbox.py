"""The inbox: what other processes ask of a run's runner. Rows of the journal, numbered, each answered once.

The runner looks every 50 ms of real time, outside the run's clock. A `cancel` and a `kill` are answered when the run has
come to its end or has parked, with how it stands then; a row that was open when a runner died is taken up by the next one
before anything else happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mesoflow.engine.effects import Value
from mesoflow.journal.records import Request
from mesoflow.journal.store import Journal

# Soon enough for a person, and 20 reads a second of a page that is in the cache.
LOOK_EVERY_S = 0.05

CANCEL = "cancel"
KILL = "kill"


@dataclass(slots=True)
class Inbox:
    """One run's rows, as its runner sees them. `cancel(reason)` is what a cancel does, `kill()` what a kill does."""

    journal: Journal
    run_id: str
    cancel: Callable[[str], None]
    kill: Callable[[], None] = lambda: None
    taken: list[int] = field(default_factory=list)

    def look(self) -> None:
        """Take up what is new."""
        for request in self.journal.open_requests(self.run_id):
            if request.id not in self.taken:
                self._take(request)

    def _take(self, request: Request) -> None:
        if request.kind not in (CANCEL, KILL):
            self.journal.answer(request.id, {"refused": f"this runner knows no {request.kind}"})
            return
        self.taken.append(request.id)
        if request.kind == KILL:
            self.kill()
        else:
            self.cancel(cancel_reason(request))

    def over(self, state: str, reason: str) -> None:
        """The run has ended or parked: whoever waits is told how. A kill that came at the very end has what it wants; a
        cancel that did is left to the next runner."""
        fresh = self.journal.open_requests(self.run_id)
        self.taken += [row.id for row in fresh if row.kind == KILL and row.id not in self.taken]
        for request in self.taken:
            self.journal.answer(request, {"state": state, "reason": reason})


def ask_cancel(journal: Journal, run_id: str, by: str, reason: str) -> int:
    """Ask the run's runner to cancel it; answers the number of the row."""
    body: dict[str, Value] = {"by": by, "reason": reason}
    return journal.post(run_id, CANCEL, body)


def ask_kill(journal: Journal, run_id: str, by: str, reason: str) -> int:
    """Ask whoever answers for the run to withdraw what it has working; answers the number of the row."""
    return journal.post(run_id, KILL, {"by": by, "reason": reason})


def cancel_reason(request: Request) -> str:
    """The reason as the journal's input has it."""
    by, reason = request.body.get("by", "somebody"), request.body.get("reason") or ""
    return f"cancelled by {by}" + (f": {reason}" if reason else "")
