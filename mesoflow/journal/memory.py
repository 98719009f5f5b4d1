"""The in-memory twin of sqlite.py: the same chains and the same codec, without a disk. For tests and rehearsals.

It can be told to fail a commit (`fail_commit`), which is how tests make a disk full without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mesoflow.engine.effects import Value
from mesoflow.journal import blobs, chain
from mesoflow.journal.codec import decode, encode_bytes
from mesoflow.journal.errors import JournalDamaged, JournalError, JournalUnusable, LedgerMoved, LockLost
from mesoflow.journal.records import HOME, Commit, Entry, Kind, Record, Request, RunRow
from mesoflow.journal.rows import FORMAT, Row, record_of, require_chained

_PATH = "in memory"


class MemoryJournal:
    """See store.Journal. What is kept are rows of bytes, as a database would, so that nothing is shared with a caller."""

    def __init__(self) -> None:
        self._home: list[Row] = []
        self._runs: dict[str, list[Row]] = {}
        self._blobs: dict[str, bytes] = {}
        self._epochs: dict[str, int] = {}
        self._ledgers: dict[str, list[int]] = {}
        self._requests: list[tuple[str | None, str, bytes]] = []
        self._answers: dict[int, bytes] = {}
        self._commits: list[tuple[bytes, tuple[bytes, ...]]] = []
        self._writable = True
        self._failing: dict[int, JournalError] = {}

    def fail_commit(self, after: int = 0, error: JournalError | None = None) -> None:
        """Let `after` more writes pass, then fail the next one, as a full disk does."""
        self._failing[len(self._commits) + 1 + after] = error or JournalUnusable(_PATH, "the disk is full")

    def commit(
        self,
        entries: Sequence[Entry],
        *,
        epochs: Mapping[str, int] | None = None,
        ledgers: Mapping[str, int] | None = None,
    ) -> Commit:
        """See store.Journal."""
        split = [blobs.split(entry.body) for entry in entries]
        self._require_writable()
        for run_id in {entry.run_id for entry in entries} & set(epochs or ()):
            mine, now = (epochs or {})[run_id], self._epochs.get(run_id, 0)
            if mine != now:
                raise LockLost(_PATH, run_id, mine, now)
        for account, expected in (ledgers or {}).items():
            if self.ledger_version(account) != expected:
                raise LedgerMoved(_PATH, account, expected, self.ledger_version(account))
        if not entries:
            return Commit(len(self._commits), self._last_hash().hex(), tuple)
        self._may_fail()
        before = {entry.account: self.ledger_version(entry.account) for entry in entries if entry.account}
        appended = tuple(self._append(entry, *parts) for entry, parts in zip(entries, split, strict=True))
        self._chain([chain.record_line(row.home_seq, row.hash) for row in appended])
        moved = {account: (was, self.ledger_version(account)) for account, was in before.items()}
        number, hash = len(self._commits), self._last_hash().hex()
        return Commit(number, hash, lambda: tuple(map(self._record, appended)), moved)

    def ledger_version(self, account: str) -> int:
        """See store.Journal."""
        return self._ledgers.get(account, [0])[-1]

    def ledger(self, account: str, after: int = 0) -> Iterator[Record]:
        """See store.Journal."""
        for home_seq in self._ledgers.get(account, ()):
            if home_seq > after:
                yield from self._verified(self._home[home_seq - 1])

    def read(self, run_id: str, after: int = 0) -> Iterator[Record]:
        """See store.Journal."""
        before, rows = chain.START, self._runs.get(run_id, ())
        for expected, row in enumerate(tuple(rows), 1):
            if expected > after:
                require_chained(row, before, expected, _PATH)
                yield self._record(row)
            before = row.hash

    def home(self, after: int = 0, kinds: Sequence[Kind] | None = None) -> Iterator[Record]:
        """See store.Journal."""
        for row in self._home[after:]:
            if kinds is None or row.kind in kinds:
                yield from self._verified(row)

    def last(self, run_id: str, kinds: Sequence[Kind] | None = None) -> Record | None:
        """See store.Journal."""
        for row in reversed(self._runs.get(run_id, ())):
            if kinds is None or row.kind in kinds:
                return next(self._verified(row))
        return None

    def runs(self) -> list[RunRow]:
        """See store.Journal."""
        rows = [
            RunRow(run_id, rows[0].home_seq, rows[-1].home_seq, len(rows), rows[-1].kind)
            for run_id, rows in self._runs.items()
            if run_id != HOME
        ]
        return sorted(rows, key=lambda row: row.started)

    def claim(self, run_id: str) -> int:
        """See store.Journal."""
        self._require_writable()
        self._may_fail()
        epoch = self._epochs[run_id] = self._epochs.get(run_id, 0) + 1
        self._chain([chain.epoch_line(run_id, epoch)])
        return epoch

    def post(self, run_id: str | None, kind: str, body: Mapping[str, Value]) -> int:
        """See store.Journal."""
        text = encode_bytes(body)
        self._require_writable()
        self._may_fail()
        self._requests.append((run_id, kind, text))
        self._chain([chain.request_line(len(self._requests), run_id, kind, text)])
        return len(self._requests)

    def open_requests(self, run_id: str | None) -> list[Request]:
        """See store.Journal."""
        return [
            Request(id, to, kind, decode(text))
            for id, (to, kind, text) in enumerate(self._requests, 1)
            if to == run_id and id not in self._answers
        ]

    def answer(self, id: int, body: Mapping[str, Value]) -> bool:
        """See store.Journal."""
        text = encode_bytes(body)
        self._require_writable()
        if not 0 < id <= len(self._requests):
            raise KeyError(id)
        if id in self._answers:
            return False
        self._may_fail()
        self._answers[id] = text
        self._chain([chain.answer_line(id, text)])
        return True

    def answer_of(self, id: int) -> Mapping[str, Value] | None:
        """See store.Journal."""
        text = self._answers.get(id)
        return None if text is None else decode(text)

    def check(self, run_id: str) -> None:
        """See store.Journal."""
        before = chain.START
        for expected, row in enumerate(self._runs.get(run_id, ()), 1):
            require_chained(row, before, expected, _PATH)
            before = row.hash

    def verify(self, run_id: str | None = None) -> list[str]:
        """See store.Journal."""
        problems = []
        for one in self._runs if run_id is None else (run_id,):
            try:
                for _ in self.read(one):
                    pass
            except JournalError as error:
                problems.append(str(error))
        before = chain.START
        for number, (hash, lines) in enumerate(self._commits, 1):
            before = chain.commit_hash(before, number, lines)
            if before != hash:
                problems.append(
                    str(JournalDamaged(_PATH, f"commit {number}", "what it wrote is not what is stored now"))
                )
                break
        return problems

    def close(self) -> None:
        """See store.Journal."""
        self._writable = False

    def _append(self, entry: Entry, text: bytes, large: dict[str, bytes]) -> Row:
        rows = self._runs.setdefault(entry.run_id, [])
        before, run_seq = rows[-1].hash if rows else chain.START, len(rows) + 1
        home_seq = len(self._home) + 1
        hash = chain.record_hash(before, home_seq, entry.run_id, run_seq, entry.kind, FORMAT, text)
        row = Row(home_seq, entry.run_id, run_seq, entry.kind, FORMAT, text, hash)
        rows.append(row)
        self._home.append(row)
        if entry.account:
            self._ledgers.setdefault(entry.account, []).append(home_seq)
        self._blobs.update(large)
        return row

    def _verified(self, row: Row) -> Iterator[Record]:
        before = self._runs[row.run_id][row.run_seq - 2].hash if row.run_seq > 1 else chain.START
        require_chained(row, before, row.run_seq, _PATH)
        yield self._record(row)

    def _record(self, row: Row) -> Record:
        return record_of(row, self._blobs.get, _PATH)

    def _chain(self, lines: list[bytes]) -> None:
        number = len(self._commits) + 1
        self._commits.append((chain.commit_hash(self._last_hash(), number, lines), tuple(lines)))

    def _last_hash(self) -> bytes:
        return self._commits[-1][0] if self._commits else chain.START

    def _require_writable(self) -> None:
        if not self._writable:
            raise JournalUnusable(_PATH, "it is closed to writes")

    def _may_fail(self) -> None:
        error = self._failing.pop(len(self._commits) + 1, None)
        if error is not None:
            self._writable = False
            raise error
