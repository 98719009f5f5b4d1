"""The tables of journal.db, how a connection is set up, and what SQLite's errors mean to us. Nothing is ever rewritten.

Format 1. A later format adds tables and columns; records stay as they are and readers upcast them (rows.py).
"""

from __future__ import annotations

import errno
import re
import sys
from pathlib import Path

import apsw

from mesoflow.journal.errors import JournalDamaged, JournalError, JournalUnusable
from mesoflow.journal.records import STANDING
from mesoflow.journal.rows import FORMAT

APPLICATION_ID = 0x4D464C57  # "MFLW", so that `file` and SQLite's own tools can tell whose database it is.

# Below this, two connections that write and checkpoint at once can lose commits (sqlite.org/wal.html, "the WAL reset bug").
SQLITE_MIN = (3, 51, 3)

# How long a writer waits for another one. A commit takes a millisecond; seconds mean that a process hangs.
BUSY_MS = 5_000

# A checkpoint costs two syncs and stands in the way of the commit that meets it; a long log costs recovery time after a
# crash. 4,000 pages are about 1,000 commits (2 ‰ more syncs) and 16 MB, which SQLite reads back in some 20 ms.
CHECKPOINT_PAGES = 4_000

_STANDING = ", ".join(f"'{kind}'" for kind in STANDING)
STANDING_CLAUSE = f"kind IN ({_STANDING})"  # word for word as in the index, else SQLite does not use it

_TABLES = (
    "CREATE TABLE commits(number INTEGER PRIMARY KEY, last INTEGER NOT NULL, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE records(home_seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, run_id TEXT NOT NULL, run_seq INTEGER NOT NULL, "
    "kind TEXT NOT NULL, format INTEGER NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE blobs(digest TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT",
    "CREATE TABLE epochs(run_id TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, "
    "PRIMARY KEY(run_id, epoch)) STRICT, WITHOUT ROWID",
    "CREATE TABLE requests(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, run_id TEXT, kind TEXT NOT NULL, "
    "body TEXT NOT NULL) STRICT",
    # Which records moved an account's ledger; what an order was judged against is compared in the commit of its intent.
    "CREATE TABLE ledgers(account TEXT NOT NULL, home_seq INTEGER NOT NULL, PRIMARY KEY(account, home_seq)) STRICT, WITHOUT ROWID",
    "CREATE TABLE answers(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, body TEXT NOT NULL) STRICT",
)
_INDEXES = (
    "CREATE UNIQUE INDEX records_by_run ON records(run_id, run_seq)",
    f"CREATE INDEX records_standing ON records(home_seq) WHERE {STANDING_CLAUSE}",
)
_TRIGGERS = tuple(
    f"CREATE TRIGGER {table}_{change} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    for table in ("commits", "records", "blobs", "epochs", "requests", "answers", "ledgers")
    for change in ("UPDATE", "DELETE")
)
SCHEMA = _TABLES + _INDEXES + _TRIGGERS


def require_sqlite(path: Path, version: str | None = None) -> None:
    """Refuse a SQLite that can lose commits. `version` is the library's, unless a test says otherwise."""
    version = version or apsw.sqlite_lib_version()
    if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < SQLITE_MIN:
        least = ".".join(map(str, SQLITE_MIN))
        raise JournalUnusable(
            str(path),
            f"SQLite {version} can lose commits when two processes write, and {least} is the least that cannot",
            f"Install a newer apsw: pip install 'apsw>={least}'.",
        )


def connect(path: Path, *, read_only: bool, vfs: str | None) -> apsw.Connection:
    """A connection as the journal needs it. Raises apsw.Error."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    connection.set_busy_timeout(BUSY_MS)
    # cell_size_check makes a damaged page an error instead of a guess. No mmap: it turns an I/O error into a crash.
    for pragma in ("mmap_size = 0", "cell_size_check = ON", "trusted_schema = OFF", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    if sys.platform == "darwin":
        # fsync there leaves the data in the drive's cache; F_FULLFSYNC does not.
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
    return connection


def is_empty(connection: apsw.Connection) -> bool:
    """Has nothing been made there yet?"""
    return (
        not connection.pragma("user_version")
        and connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None
    )


def create(connection: apsw.Connection) -> None:
    """The tables, in an empty database. The caller sees to it that nobody else does the same."""
    connection.pragma("journal_mode", "wal")
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def require_ours(connection: apsw.Connection, path: Path) -> None:
    """Refuse a database that is not a journal of a format that we read, or whose tables are not as we made them."""
    format = connection.pragma("user_version")
    if connection.pragma("application_id") == APPLICATION_ID and format > FORMAT:
        raise JournalUnusable(
            str(path),
            f"it has format {format}, and this version of mesoflow reads up to {FORMAT}",
            "Install the version of mesoflow that wrote it, or a later one.",
        )
    found = {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    if connection.pragma("application_id") != APPLICATION_ID or format != FORMAT or found != set(SCHEMA):
        raise JournalDamaged(str(path), "its header or its tables", "they are not those that mesoflow made")


def said(error: Exception, path: Path) -> JournalError:
    """What an error of SQLite means for the journal, in a sentence that says what to do."""
    where = str(path)
    match error:
        case apsw.FullError() | OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return JournalUnusable(
                where, "the disk is full", f"Free some space on the disk of {path.parent}, then resume."
            )
        case apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.CantOpenError() | apsw.AuthError():
            return JournalUnusable(
                where,
                f"it cannot be opened or written ({error})",
                f"Make {path.parent} and its files writable for you.",
            )
        case apsw.BusyError() | apsw.LockedError():
            return JournalUnusable(
                where,
                f"another process has held it for {BUSY_MS // 1000} s",
                "Look for a process that hangs, then resume.",
            )
        case apsw.IOError() | OSError():
            reason = f"the disk failed ({getattr(error, 'strerror', None) or error})"
            return JournalUnusable(where, reason, f"Check the disk of {path.parent}, then resume.")
        case apsw.CorruptError() | apsw.NotADBError():
            return JournalDamaged(where, "a page of the database", f"SQLite cannot read it ({error})")
        case apsw.Error() | UnicodeDecodeError():
            return JournalDamaged(where, "the database", f"it does not answer as it should ({error})")
        case _:
            return JournalUnusable(where, f"{type(error).__name__}: {error}", "This is a bug in mesoflow.")
