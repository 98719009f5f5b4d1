"""The journal in one SQLite database per state home, through apsw. Tables and settings: schema.py; the head file: head.py.

A commit is: BEGIN IMMEDIATE · compare epochs · append · one row with the chain's new hash · COMMIT (one sync of the
write-ahead log, `synchronous=FULL`) · raise the head. Whoever sends after `commit` has returned sends something durable.
When a commit fails, whether it reached the disk is not known here: the log may hold it, and the next process to open the
journal will see. So the store takes no more writes, and its process must end.

Other processes may write too (claims, requests, answers; records of runs that nobody runs). What this connection remembers
of ends and epochs holds as long as the home's last commit is the one that it saw last; the number tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw

from mesoflow.engine.effects import Value
from mesoflow.journal import blobs, chain, schema
from mesoflow.journal.codec import encode
from mesoflow.journal.errors import (
    JournalError,
    JournalShorter,
    JournalUnusable,
    LedgerMoved,
    LockLost,
)
from mesoflow.journal.head import Head
from mesoflow.journal.log_room import LogRoom
from mesoflow.journal.reading import LEDGER, Reading
from mesoflow.journal.records import Commit, Entry
from mesoflow.journal.rows import FORMAT, Row, record_of

_END = "SELECT number, last, hash FROM commits ORDER BY number DESC LIMIT 1"
_RUN_END = "SELECT run_seq, hash FROM records WHERE run_id = ? ORDER BY run_seq DESC LIMIT 1"
_EPOCH = "SELECT max(epoch) FROM epochs WHERE run_id = ?"
_INSERT = "INSERT INTO records VALUES(?, ?, ?, ?, ?, ?, ?, ?)"


class SqliteJournal(Reading):
    """One connection to the journal of a state home. Not to be shared between threads at the same time."""

    def __init__(self, path: Path, connection: apsw.Connection, head: Head, *, read_only: bool) -> None:
        super().__init__(path, connection, head)
        self._cursor = connection.cursor()
        self._room = LogRoom(connection, path, schema.CHECKPOINT_PAGES)
        self._writable = not read_only
        self._ends: dict[str, tuple[int, bytes]] = {}
        self._epochs: dict[str, int] = {}
        self._versions: dict[str, int] = {}

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, vfs: str | None = None) -> SqliteJournal:
        """Open the journal at `path`, made first if there is none (not for readers). Its length is held against the head.

        The folder and its rights are the caller's affair (runtime/home.py). `vfs`: a registered apsw VFS, for tests.
        """
        schema.require_sqlite(path)
        head = Head(path, read_only=read_only)
        connection: apsw.Connection | None = None
        try:
            with head.locked():
                had = _begin(path, head, read_only)
                connection = schema.connect(path, read_only=read_only, vfs=vfs)
                if schema.is_empty(connection):
                    if had or read_only:
                        raise _nothing(path, had)
                    schema.create(connection)
            journal = cls(path, connection, head, read_only=read_only)
            journal._verifier().require_length()
            schema.require_ours(connection, path)
        except BaseException as error:
            head.close()
            if connection is not None:
                connection.close(True)
            if isinstance(error, apsw.Error | UnicodeDecodeError | OSError):
                raise schema.said(error, path) from error
            raise
        return journal

    # -- writing ------------------------------------------------------------------------------------------------------

    def commit(
        self,
        entries: Sequence[Entry],
        *,
        epochs: Mapping[str, int] | None = None,
        ledgers: Mapping[str, int] | None = None,
    ) -> Commit:
        """See store.Journal. A CodecError (a value without a form) comes before anything is written."""
        split = [blobs.split(entry.body) for entry in entries]
        appended: list[Row] = []
        moved: dict[str, tuple[int, int]] = {}

        def work(number: int, last: int, lines: list[bytes]) -> int:
            for run_id in dict.fromkeys(entry.run_id for entry in entries):
                self._require_epoch(run_id, epochs)
            for account, expected in (ledgers or {}).items():
                if (now := self._ledger_version(account)) != expected:
                    raise LedgerMoved(str(self.path), account, expected, now)
            for entry, (text, large) in zip(entries, split, strict=True):
                last += 1
                row = self._append(entry, text, number, last)
                for name, blob in large.items():
                    self._run("INSERT OR IGNORE INTO blobs VALUES(?, ?)", (name, blob.decode()))
                if entry.account:
                    self._move_ledger(entry.account, last, moved)
                appended.append(row)
                lines.append(chain.record_line(last, row.hash))
            return last

        number, hash = self._write(work)
        large = {name: blob for _, of_entry in split for name, blob in of_entry.items()}
        return Commit(
            number,
            hash.hex(),
            lambda: tuple(record_of(row, large.get, str(self.path)) for row in appended),
            moved,
        )

    def _move_ledger(self, account: str, home_seq: int, moved: dict[str, tuple[int, int]]) -> None:
        before = moved[account][0] if account in moved else self._ledger_version(account)
        self._run("INSERT INTO ledgers VALUES(?, ?)", (account, home_seq))
        self._versions[account] = home_seq
        moved[account] = (before, home_seq)

    def _ledger_version(self, account: str) -> int:
        """Inside a transaction."""
        version = self._versions.get(account)
        if version is None:
            version = self._versions[account] = self._one(LEDGER, (account,))[0] or 0
        return version

    def claim(self, run_id: str) -> int:
        """See store.Journal."""
        claimed = 0

        def work(number: int, last: int, lines: list[bytes]) -> int:
            nonlocal claimed
            claimed = self._epoch(run_id) + 1
            self._run("INSERT INTO epochs VALUES(?, ?, ?)", (run_id, claimed, number))
            lines.append(chain.epoch_line(run_id, claimed))
            return last

        self._write(work)
        self._epochs[run_id] = claimed
        return claimed

    def post(self, run_id: str | None, kind: str, body: Mapping[str, Value]) -> int:
        """See store.Journal."""
        text = encode(body)
        posted = 0

        def work(number: int, last: int, lines: list[bytes]) -> int:
            nonlocal posted
            posted = (self._one("SELECT max(id) FROM requests")[0] or 0) + 1
            self._run("INSERT INTO requests VALUES(?, ?, ?, ?, ?)", (posted, number, run_id, kind, text))
            lines.append(chain.request_line(posted, run_id, kind, text.encode()))
            return last

        self._write(work)
        return posted

    def answer(self, id: int, body: Mapping[str, Value]) -> bool:
        """See store.Journal."""
        text = encode(body)
        answered = False

        def work(number: int, last: int, lines: list[bytes]) -> int:
            nonlocal answered
            if self._run("SELECT 1 FROM requests WHERE id = ?", (id,)).fetchone() is None:
                raise _NoSuchRequest(id)
            if self._run("SELECT 1 FROM answers WHERE id = ?", (id,)).fetchone() is None:
                answered = True
                self._run("INSERT INTO answers VALUES(?, ?, ?)", (id, number, text))
                lines.append(chain.answer_line(id, text.encode()))
            return last

        self._write(work)
        return answered

    def _write(self, work: Callable[[int, int, list[bytes]], int]) -> tuple[int, bytes]:
        """One transaction. `work(number, last home_seq, lines)` appends and says the new last; no line: nothing happens."""
        if not self._writable:
            raise JournalUnusable(
                str(self.path),
                "it is closed to writes",
                "Start again: `mesoflow resume` reads what there is.",
            )
        try:
            self._run("BEGIN IMMEDIATE")
            number, last, before = self._end()
            self._remember(number)
            lines: list[bytes] = []
            last = work(number + 1, last, lines)
            if not lines:
                self._run("ROLLBACK")
                return number, before
            hash = chain.commit_hash(before, number + 1, lines)
            self._run("INSERT INTO commits VALUES(?, ?, ?)", (number + 1, last, hash))
            self._room.make()
            self._run("COMMIT")
            self._known = number + 1
            self._head.raise_to(number + 1, hash)
        except (LockLost, LedgerMoved, _NoSuchRequest):
            self._run("ROLLBACK")
            self._forget()
            raise
        except BaseException as error:
            self._abandon()
            if isinstance(error, apsw.Error | OSError | UnicodeDecodeError):
                raise schema.said(error, self.path) from error
            raise
        return number + 1, hash

    def _append(self, entry: Entry, text: bytes, number: int, home_seq: int) -> Row:
        end = self._ends.get(entry.run_id)
        if end is None:
            end = self._run(_RUN_END, (entry.run_id,)).fetchone() or (0, chain.START)
        run_seq = end[0] + 1
        hash = chain.record_hash(end[1], home_seq, entry.run_id, run_seq, entry.kind, FORMAT, text)
        self._run(_INSERT, (home_seq, number, entry.run_id, run_seq, entry.kind, FORMAT, text.decode(), hash))
        self._ends[entry.run_id] = (run_seq, hash)
        return Row(home_seq, entry.run_id, run_seq, entry.kind, FORMAT, text, hash)

    def _abandon(self) -> None:
        """After a failure: take no more writes, and let go of the transaction if there still is one."""
        self._writable = False
        self._forget()
        if self._connection.in_transaction:
            try:
                self._run("ROLLBACK")
            except apsw.Error:
                return  # SQLite has rolled back by itself, or cannot: closing the connection does

    def _remember(self, number: int) -> None:
        """Forget what another process may have changed."""
        if number == self._known:
            return
        if number < self._known:
            raise JournalShorter.of(str(self.path), number, self._known)
        self._forget()
        self._epochs.clear()
        self._known = number

    def _forget(self) -> None:
        """What was appended is not there, or no longer the newest."""
        self._ends.clear()
        self._versions.clear()

    def _require_epoch(self, run_id: str, epochs: Mapping[str, int] | None) -> None:
        mine = epochs.get(run_id) if epochs else None
        if mine is not None and (now := self._epoch(run_id)) != mine:
            raise LockLost(str(self.path), run_id, mine, now)

    def _epoch(self, run_id: str) -> int:
        epoch = self._epochs.get(run_id)
        if epoch is None:
            epoch = self._epochs[run_id] = self._one(_EPOCH, (run_id,))[0] or 0
        return epoch

    def close(self) -> None:
        """See store.Journal. The last one to close empties the log into the database."""
        self._writable = False
        self._room.close()
        try:
            self._connection.close()
        except apsw.Error as error:
            raise schema.said(error, self.path) from error
        finally:
            self._head.close()

    def _run(self, sql: str, values: tuple[Any, ...] = ()) -> apsw.Cursor:
        return self._cursor.execute(sql, values)

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        """The one row of an aggregate."""
        return self._cursor.execute(sql, values).fetchone() or ()

    def _end(self) -> tuple[int, int, bytes]:
        return self._run(_END).fetchone() or (0, 0, chain.START)


class _NoSuchRequest(KeyError):
    """Nothing has been written; the store goes on."""


def _begin(path: Path, head: Head, read_only: bool) -> int:
    """See to it that head and database exist, and say how many commits there were. Under the head's lock."""
    if not read_only:
        head.begin()
    had = head.read()[0]
    # An existing database is never opened here: closing it again would drop the locks that SQLite holds in this process.
    if not path.exists():
        if had or read_only:
            raise _nothing(path, had)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return had


def _nothing(path: Path, had: int) -> JournalError:
    return JournalShorter.of(str(path), 0, had) if had else JournalUnusable(str(path), "there is none yet")
