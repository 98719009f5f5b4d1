"""The journal's protocol: what the runtime asks of a store. sqlite.py is the real one, memory.py its twin for tests.

Both are held to tests/unit/journal/test_conformance.py, and so will be a store for many machines. Errors: errors.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from mesoflow.engine.effects import Value
from mesoflow.journal.records import Commit, Entry, Kind, Record, Request, RunRow


class Journal(Protocol):
    """The append-only record of all runs of a state home."""

    def commit(
        self,
        entries: Sequence[Entry],
        *,
        epochs: Mapping[str, int] | None = None,
        ledgers: Mapping[str, int] | None = None,
    ) -> Commit:
        """Append `entries`, of any runs, as one durable transaction; on return they survive power loss.

        For each run of the entries that `epochs` names, the epoch is compared inside the transaction; another one
        raises LockLost and nothing is written. So is the version of each account's ledger in `ledgers`: another one raises
        LedgerMoved, and nothing is written. Any other error leaves the store closed to further writes.
        """

    def ledger_version(self, account: str) -> int:
        """The version of an account's ledger: the home_seq of the newest record that moved it, 0 without any."""

    def ledger(self, account: str, after: int = 0) -> Iterator[Record]:
        """The records of all runs that moved the account's ledger with home_seq > `after`, in home order, each verified."""

    def read(self, run_id: str, after: int = 0) -> Iterator[Record]:
        """The run's records with run_seq > `after`, in order, each verified against the one before."""

    def home(self, after: int = 0, kinds: Sequence[Kind] | None = None) -> Iterator[Record]:
        """The records of all runs with home_seq > `after`, in home order, each verified; of some kinds only, if given."""

    def last(self, run_id: str, kinds: Sequence[Kind] | None = None) -> Record | None:
        """The run's newest record, or its newest of these kinds."""

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""

    def claim(self, run_id: str) -> int:
        """Begin a new epoch of the run (first: 1). Commits of earlier epochs are refused from now on."""

    def post(self, run_id: str | None, kind: str, body: Mapping[str, Value]) -> int:
        """Ask something of the run's runner, or of all (None). Answers the request's number."""

    def open_requests(self, run_id: str | None) -> list[Request]:
        """Requests to exactly this run (None: to all) without an answer, in order of number."""

    def answer(self, id: int, body: Mapping[str, Value]) -> bool:
        """Answer a request. False: it had an answer before, which stands. KeyError: there is no such request."""

    def answer_of(self, id: int) -> Mapping[str, Value] | None:
        """The answer to a request, or None as long as there is none."""

    def check(self, run_id: str) -> None:
        """What `resume` needs: the run's chain and the home's length. Raises JournalDamaged, with the record named."""

    def verify(self, run_id: str | None = None) -> list[str]:
        """Everything that is wrong, a sentence each: all of the home, or the home's commits and one run's records."""

    def close(self) -> None:
        """End orderly. Twice does no harm."""
