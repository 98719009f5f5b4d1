"""Reading the journal: records of a run and of the home, requests, ledgers, and the verification of all of it.

Rows are chained as they are read: what has been changed on the disk is said with its record, never returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from mesoflow.engine.effects import Value
from mesoflow.journal import chain, schema
from mesoflow.journal.codec import decode
from mesoflow.journal.errors import CodecError, JournalDamaged
from mesoflow.journal.head import Head
from mesoflow.journal.records import STANDING, Kind, Record, Request, RunRow
from mesoflow.journal.rows import Row, record_of, require_chained
from mesoflow.journal.verify import COLUMNS, Verifier

# Rows fetched at a time: a reader that stops half-way must not hold a snapshot, which would keep the log from shrinking.
READ_ROWS = 1_000

LEDGER = "SELECT max(home_seq) FROM ledgers WHERE account = ?"
# Steps from run to run over the index instead of reading every record.
_RUNS = """
WITH RECURSIVE run(id) AS (
  SELECT min(run_id) FROM records WHERE run_id > ''
  UNION ALL SELECT (SELECT min(run_id) FROM records WHERE run_id > id) FROM run WHERE id IS NOT NULL
)
SELECT id, first.home_seq, newest.home_seq, newest.run_seq, newest.kind FROM run
  JOIN records first ON first.run_id = id AND first.run_seq = 1
  JOIN records newest ON newest.run_id = id AND newest.run_seq = (SELECT max(run_seq) FROM records WHERE run_id = id)
ORDER BY first.home_seq
"""


class Reading:
    """The half of the store that changes nothing."""

    def __init__(self, path: Path, connection: apsw.Connection, head: Head) -> None:
        self.path = path
        self._connection = connection
        self._head = head
        self._known = 0  # the last commit that this connection saw

    def read(self, run_id: str, after: int = 0) -> Iterator[Record]:
        """See store.Journal."""
        path, before = str(self.path), self._hash_of(run_id, after)
        sql = f"SELECT {COLUMNS} FROM records WHERE run_id = ? AND run_seq > ? ORDER BY run_seq LIMIT {READ_ROWS}"
        while rows := self._rows(sql, (run_id, after)):
            for row in map(Row._make, rows):
                require_chained(row, before, after + 1, path)
                after, before = row.run_seq, row.hash
                yield self._record(row)

    def home(self, after: int = 0, kinds: Sequence[Kind] | None = None) -> Iterator[Record]:
        """See store.Journal."""
        clause = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds is not None else ""
        if kinds is not None and set(kinds) <= set(STANDING):
            clause += f" AND {schema.STANDING_CLAUSE}"
        sql = f"SELECT {COLUMNS} FROM records WHERE home_seq > ? {clause} ORDER BY home_seq LIMIT {READ_ROWS}"
        seen: dict[str, tuple[int, bytes]] = {}
        while rows := self._rows(sql, (after, *(kinds or ()))):
            for row in map(Row._make, rows):
                run_id, run_seq = row.run_id, row.run_seq
                known = seen.get(run_id)
                before = known[1] if known and known[0] == run_seq - 1 else self._hash_of(run_id, run_seq - 1)
                require_chained(row, before, run_seq, str(self.path))
                after, seen[run_id] = row.home_seq, (run_seq, row.hash)
                yield self._record(row)

    def last(self, run_id: str, kinds: Sequence[Kind] | None = None) -> Record | None:
        """See store.Journal."""
        clause = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds is not None else ""
        sql = f"SELECT {COLUMNS} FROM records WHERE run_id = ? {clause} ORDER BY run_seq DESC LIMIT 1"
        for row in map(Row._make, self._rows(sql, (run_id, *(kinds or ())))):
            require_chained(row, self._hash_of(run_id, row.run_seq - 1), row.run_seq, str(self.path))
            return self._record(row)
        return None

    def runs(self) -> list[RunRow]:
        """See store.Journal."""
        return [RunRow(*row) for row in self._rows(_RUNS)]

    def ledger_version(self, account: str) -> int:
        """See store.Journal."""
        return next(iter(self._rows(LEDGER, (account,))))[0] or 0

    def ledger(self, account: str, after: int = 0) -> Iterator[Record]:
        """See store.Journal."""
        sql = (
            f"SELECT {COLUMNS} FROM records WHERE home_seq IN "
            f"(SELECT home_seq FROM ledgers WHERE account = ? AND home_seq > ? ORDER BY home_seq LIMIT {READ_ROWS}) ORDER BY home_seq"
        )
        while rows := self._rows(sql, (account, after)):
            for row in map(Row._make, rows):
                require_chained(row, self._hash_of(row.run_id, row.run_seq - 1), row.run_seq, str(self.path))
                after = row.home_seq
                yield self._record(row)

    def open_requests(self, run_id: str | None) -> list[Request]:
        """See store.Journal."""
        sql = "SELECT id, run_id, kind, body FROM requests WHERE run_id IS ? AND id NOT IN (SELECT id FROM answers) ORDER BY id"
        return [
            Request(id, to, kind, self._decoded(body, f"request {id}"))
            for id, to, kind, body in self._rows(sql, (run_id,))
        ]

    def answer_of(self, id: int) -> Mapping[str, Value] | None:
        """See store.Journal."""
        for (body,) in self._rows("SELECT body FROM answers WHERE id = ?", (id,)):
            return self._decoded(body, f"the answer to request {id}")
        return None

    # -- verifying ----------------------------------------------------------------------------------------------------

    def check(self, run_id: str) -> None:
        """See store.Journal."""
        with self._snapshot():
            self._verifier().check(run_id)

    def verify(self, run_id: str | None = None) -> list[str]:
        """See store.Journal."""
        with self._snapshot():
            return self._verifier().verify(run_id)

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Everything that is read inside is of one moment, whoever writes meanwhile."""
        self._rows("BEGIN")
        try:
            yield
        finally:
            self._rows("ROLLBACK")

    def _verifier(self) -> Verifier:
        return Verifier(str(self.path), self._rows, self._head, self._known)

    # -- the small change ---------------------------------------------------------------------------------------------

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, read at once."""
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, values).fetchall()
            return rows
        except (apsw.Error, UnicodeDecodeError) as error:
            raise schema.said(error, self.path) from error

    def _hash_of(self, run_id: str, run_seq: int) -> bytes:
        """The hash that the record after this one is chained to."""
        if run_seq == 0:
            return chain.START
        for (hash,) in self._rows(
            "SELECT hash FROM records WHERE run_id = ? AND run_seq = ?", (run_id, run_seq)
        ):
            return hash if isinstance(hash, bytes) else b""
        return b""

    def _decoded(self, text: str, where: str) -> Mapping[str, Value]:
        try:
            body: Mapping[str, Value] = decode(text)
        except CodecError as error:
            raise JournalDamaged(str(self.path), where, error.reason) from None
        return body

    def _record(self, row: Row) -> Record:
        return record_of(row, self._blob, str(self.path))

    def _blob(self, name: str) -> bytes | None:
        for (blob,) in self._rows("SELECT CAST(body AS BLOB) FROM blobs WHERE digest = ?", (name,)):
            return blob if isinstance(blob, bytes) else None
        return None
