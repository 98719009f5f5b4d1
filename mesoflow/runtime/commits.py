"""The end of the loop's turn: what became ready in it is one durable commit, made here, by the loop itself.

Whoever has something to record calls `add`; the commit runs once, at the end of the turn, for all runs of the process
together. What must not happen before it is durable (a send) is handed over as `then` and runs right after it. There is no
writer thread: it costs a lone run more than it saves and makes crash points impossible to enumerate (ARCHITECTURE.md §4).
A commit that fails ends the process: `failed` is told, and nothing is recorded or sent any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mesoflow.journal.records import Entry, Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.crashpoints import CrashPoints


class Committer:
    """One per process. `failed` is called once with the exception of the commit that failed."""

    def __init__(self, journal: Journal, crash: CrashPoints, failed: Callable[[BaseException], None]) -> None:
        self._journal = journal
        self._crash = crash
        self._failed = failed
        self._entries: list[Entry] = []
        self._then: list[Callable[[], None]] = []
        self._epochs: dict[str, int] = {}
        self._scheduled = False
        self._broken = False

    def hold(self, run_id: str, epoch: int) -> None:
        """From now on each commit checks that `run_id` is still ours in this epoch."""
        self._epochs[run_id] = epoch

    def release(self, run_id: str) -> None:
        """The run is over or parked."""
        self._epochs.pop(run_id, None)

    def add(self, entries: Sequence[Entry], then: Callable[[], None] | None = None) -> None:
        """Record `entries` at the end of this turn; run `then` once they are durable."""
        if self._broken:
            return
        self._entries.extend(entries)
        if then is not None:
            self._then.append(then)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._commit)

    def flush(self) -> None:
        """Commit now what is waiting (before a run is left)."""
        if self._scheduled:
            self._commit()

    def _commit(self) -> None:
        if not self._scheduled or self._broken:
            return
        self._scheduled = False
        entries, self._entries = self._entries, []
        then, self._then = self._then, []
        if entries:
            try:
                commit = self._journal.commit(entries, epochs=self._epochs)
            except Exception as error:
                self._broken = True
                self._failed(error)
                return
            if self._crash.active:
                self._reach(commit.number, commit.records)
        for step in then:
            step()

    def _reach(self, number: int, records: Sequence[Record]) -> None:
        for record in records:
            self._crash.reach(point_of(record), f"commit-{number}")


def point_of(record: Record) -> str:
    """The name of the crash point right after this record's commit."""
    kind = record.kind if record.kind in ("intended", "settled") else "input"
    return f"committed:{record.body.get('path') or record.kind}#{kind}"
