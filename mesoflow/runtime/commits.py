"""The end of the loop's turn: what became ready in it is one durable commit, made here, by the loop itself.

Whoever has something to record calls `add`; the commit runs once, at the end of the turn, for all runs of the process
together. What must not happen before it is durable (a send) is handed over as `then` and runs right after it. There is no
writer thread: it costs a lone run more than it saves and makes crash points impossible to enumerate (ARCHITECTURE.md §4).
A commit that fails ends the process: `failed` is told, and nothing is recorded or sent any more.

An order's intent is guarded: its verdict was made against its account's ledger at a version, and the commit holds only if
that is still the one. If another process has traded there since, nothing is written, the ledger is brought up to date from
the journal, and the order is judged again: what passes goes into the commit with its new verdict, what is refused is left
out of it, never sent, and the refusal is the next input.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mesoflow.journal.errors import LedgerMoved
from mesoflow.journal.records import Commit, Entry, Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.crashpoints import CrashPoints

# Each time another process has committed in between; so many in a row mean that something writes without end.
JUDGED_MAX = 50


@dataclass(frozen=True, slots=True)
class Guard:
    """What an intent's verdict stands on. `again(moved)` judges anew after those records of others: the entries that take
    the place of the first ones, or None where the order is refused now."""

    run_id: str
    account: str
    again: Callable[[Sequence[Record]], Sequence[Entry] | None]


@dataclass(slots=True)
class _Staged:
    entries: Sequence[Entry]
    then: Callable[[], None] | None
    guard: Guard | None


class Committer:
    """One per process. `failed` is called once with the exception of the commit that failed."""

    def __init__(self, journal: Journal, crash: CrashPoints, failed: Callable[[BaseException], None]) -> None:
        self._journal = journal
        self._crash = crash
        self._failed = failed
        self._staged: list[_Staged] = []
        self._ledgers: dict[tuple[str, str], int] = {}
        self._epochs: dict[str, int] = {}
        self._scheduled = False
        self._broken = False

    def hold(self, run_id: str, epoch: int) -> None:
        """From now on each commit checks that `run_id` is still ours in this epoch."""
        self._epochs[run_id] = epoch

    def release(self, run_id: str) -> None:
        """The run is over or parked."""
        self._epochs.pop(run_id, None)

    def judged_from(self, run_id: str, account: str, version: int) -> None:
        """The run's ledger of the account is folded up to `version`."""
        self._ledgers[run_id, account] = version

    def add(
        self, entries: Sequence[Entry], then: Callable[[], None] | None = None, guard: Guard | None = None
    ) -> None:
        """Record `entries` at the end of this turn; run `then` once they are durable."""
        if self._broken:
            return
        self._staged.append(_Staged(entries, then, guard))
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
        staged, later = _divided(self._staged)
        self._staged = []
        try:
            commit = self._written(staged)
        except Exception as error:
            self._broken = True
            self._failed(error)
            return
        if commit is not None and self._crash.active:
            self._reach(commit.number, commit.records)
        for one in staged:
            if one.then is not None:
                one.then()
        for one in later:
            self.add(one.entries, one.then, one.guard)

    def _written(self, staged: list[_Staged]) -> Commit | None:
        """One transaction of all that is staged; what is refused meanwhile is taken out of `staged`."""
        for _ in range(JUDGED_MAX):
            entries = [entry for one in staged for entry in one.entries]
            if not entries:
                return None
            try:
                commit = self._journal.commit(entries, epochs=self._epochs, ledgers=self._expected(staged))
            except LedgerMoved as moved:
                self._judge_again(staged, moved.account)
                continue
            self._note_ledgers(commit, entries)
            return commit
        raise RuntimeError(f"the ledger has moved {JUDGED_MAX} times while one commit was made")

    def _expected(self, staged: Sequence[_Staged]) -> dict[str, int] | None:
        guards = [one.guard for one in staged if one.guard is not None]
        if not guards:
            return None
        return {guard.account: self._version(guard.run_id, guard.account) for guard in guards}

    def _version(self, run_id: str, account: str) -> int:
        return self._ledgers.get((run_id, account), 0)

    def _judge_again(self, staged: list[_Staged], account: str) -> None:
        for one in list(staged):
            guard = one.guard
            if guard is None or guard.account != account:
                continue
            before = self._version(guard.run_id, account)
            moved = [
                record for record in self._journal.ledger(account, before) if record.run_id != guard.run_id
            ]
            self._ledgers[guard.run_id, account] = self._journal.ledger_version(account)
            entries = guard.again(moved)
            if entries is None:
                staged.remove(one)
            else:
                one.entries = entries

    def _note_ledgers(self, commit: Commit, entries: Sequence[Entry]) -> None:
        """Our own records are no news; those of another process in between are, at the next intent."""
        for account, (before, after) in commit.ledgers.items():
            for run_id in {entry.run_id for entry in entries if entry.account == account}:
                if self._version(run_id, account) == before:
                    self._ledgers[run_id, account] = after

    def _reach(self, number: int, records: Sequence[Record]) -> None:
        for record in records:
            self._crash.reach(point_of(record), f"commit-{number}")


def _divided(staged: Sequence[_Staged]) -> tuple[list[_Staged], list[_Staged]]:
    """What one commit takes, and what waits for the next: two runs of one process do not trade on one account in the same
    commit, for their verdicts were made without each other. Of a run that waits everything waits, in its order."""
    holders: dict[str, str] = {}
    waiting: set[str] = set()
    now: list[_Staged] = []
    later: list[_Staged] = []
    for one in staged:
        guard = one.guard
        if guard is not None and holders.setdefault(guard.account, guard.run_id) != guard.run_id:
            waiting.add(guard.run_id)
        waits = any(entry.run_id in waiting for entry in one.entries)
        (later if waits else now).append(one)
    return now, later


def point_of(record: Record) -> str:
    """The name of the crash point right after this record's commit."""
    kind = record.kind if record.kind in ("intended", "settled") else "input"
    return f"committed:{record.body.get('path') or record.kind}#{kind}"
