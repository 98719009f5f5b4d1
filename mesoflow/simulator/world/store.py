"""A world's folder: one database, one lock, one count of commits.

Everything a command changes is one transaction, committed before the reply leaves; the operating system keeps it when the
process is killed. Nothing is synced to the disk: a power failure is out of scope for a practice world, and the count that
is written beside the database after each commit notices one that lost something. The count may lag, never lead.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import apsw
import msgspec

from mesoflow.hubs.models.base import Wire
from mesoflow.simulator.world.errors import WorldDamaged, WorldHeld, WorldUnwritable
from mesoflow.simulator.world.schema import FORMAT, MISSING, SCHEMA

_M = TypeVar("_M", bound=Wire)

# What SQLite says of a disk that takes no more, not of what stands on it.
_UNWRITABLE = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError)

DATABASE = "world.db"
LOCK = "lock"
COUNT = "commits"
_COUNT_DIGITS = 20


def written(moment: datetime) -> str:
    """A time as text that sorts like the time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def packed(value: object) -> str:
    """Any wire document as JSON text; decimals as text, so that their digits stay."""
    return msgspec.json.encode(value).decode()


def unpacked(text: str) -> Any:  # noqa: ANN401 - free JSON
    return msgspec.json.decode(text)


def _unwritable(folder: Path, error: apsw.Error) -> WorldUnwritable:
    return WorldUnwritable(
        folder, "the disk is full" if isinstance(error, apsw.FullError) else f"the disk failed ({error})"
    )


class Store:
    """The open folder of one world."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = self._hold()
        try:
            self._count = os.open(folder / COUNT, os.O_RDWR | os.O_CREAT, 0o600)
            # Made first, for its mode: SQLite's own files take it over.
            os.close(os.open(folder / DATABASE, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = apsw.Connection(str(folder / DATABASE))
            self.new = self._prepare()
        except _UNWRITABLE as error:
            self._release()
            raise _unwritable(folder, error) from error
        except apsw.Error as error:
            self._release()
            raise WorldDamaged(folder, str(error)) from error
        except BaseException:
            self._release()
            raise
        self._writing = False
        # How often something was changed since the world was opened: what was read before may be old.
        self.version = 0

    def _hold(self) -> int:
        lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            process = os.pread(lock, 20, 0).decode(errors="replace").strip()
            os.close(lock)
            raise WorldHeld(self.folder, process) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return lock

    def _prepare(self) -> bool:
        """Whether the world is new."""
        run = self._connection.execute
        run("PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; PRAGMA temp_store=MEMORY")
        if not run("SELECT count(*) FROM sqlite_master").get:
            run("BEGIN IMMEDIATE")
            run(SCHEMA)
            self.set("format", FORMAT)
            self.set("commits", 0)
            run("COMMIT")
            os.ftruncate(self._count, 0)
            return True
        self._bring_up()
        if self.get("format") != FORMAT:
            raise WorldDamaged(
                self.folder, f"its format is {self.get('format')}, this version reads {FORMAT}"
            )
        told = os.pread(self._count, _COUNT_DIGITS, 0)
        if told and int(told) > int(self.get("commits")):
            lost = int(told) - int(self.get("commits"))
            raise WorldDamaged(self.folder, f"its last {lost} changes are lost, as after a power failure")
        return False

    def _bring_up(self) -> None:
        """A world of an older format, which this version knows how to go on with."""
        while (older := self.get("format")) in MISSING:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(MISSING[older])
            self.set("format", older + 1)
            self._connection.execute("COMMIT")

    def close(self) -> None:
        with suppress(apsw.Error):
            self._connection.close()
        self._release()

    def _release(self) -> None:
        for descriptor in (getattr(self, "_count", None), self._lock):
            if descriptor is not None:
                with suppress(OSError):
                    os.close(descriptor)

    @contextmanager
    def change(self, at: datetime) -> Iterator[None]:
        """One transaction, at one simulated time; a world's last time never goes back."""
        if self._writing:
            raise AssertionError("a change within a change")
        self._writing = True
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self.set("last_time", max(written(at), self.get("last_time") or ""))
            commits = int(self.get("commits")) + 1
            self.set("commits", commits)
            self._connection.execute("COMMIT")
        except _UNWRITABLE as error:
            self._roll_back()
            raise _unwritable(self.folder, error) from error
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._writing = False
        self.version += 1
        # On a full disk it lags, as it may.
        with suppress(OSError):
            os.pwrite(self._count, f"{commits:0{_COUNT_DIGITS}d}".encode(), 0)

    def _roll_back(self) -> None:
        """SQLite has done it itself where the disk was full."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def rows(self, query: str, args: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(query, args))

    def row(self, query: str, args: Sequence[object] = ()) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._connection.execute(query, args).fetchone()
        return found

    def run(self, query: str, args: Sequence[object] = ()) -> None:
        """Change something; only inside `change`."""
        self._connection.execute(query, args)

    def get(self, key: str) -> Any:  # noqa: ANN401 - text or a number
        row = self.row("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else row[0]

    def set(self, key: str, value: object) -> None:
        self.run(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def next_id(self, kind: str, step: int = 1) -> int:
        """Ids count up, one series a kind; an id is never given twice, even when what had it is deleted. `step`: to the next."""
        key = f"next {kind}"
        found = int(self.get(key) or FIRST_IDS[kind])
        self.set(key, found + step)
        return found


# Series apart, so that an id in a log says what it is of.
FIRST_IDS = {
    "accounts": 1,
    "strategies": 201,
    "jobs": 1,
    "plans": 5001,
    "positions": 1001,
    "legs": 2001,
    "executions": 3001,
    "orders": 7001,
    "broker_fills": 1,
    "agenda": 1,
    "events": 1,
    "signals": 1,
    "ledger": 1,
}


class Documents(Generic[_M]):
    """One table of documents of one model. Column names come from code, never from a caller."""

    def __init__(self, store: Store, table: str, model: type[_M]) -> None:
        self._store, self._table, self._model = store, table, model

    def add(self, id: int, document: _M, **columns: object) -> None:
        names = ", ".join(("id", "doc", *columns))
        places = ", ".join("?" * (2 + len(columns)))
        self._store.run(
            f"INSERT INTO {self._table} ({names}) VALUES ({places})",
            (id, packed(document.wire()), *columns.values()),
        )

    def put(self, id: int, document: _M, **columns: object) -> None:
        """Replace a document; columns that are not named stay."""
        changed = ", ".join(f"{name} = ?" for name in ("doc", *columns))
        self._store.run(
            f"UPDATE {self._table} SET {changed} WHERE id = ?",
            (packed(document.wire()), *columns.values(), id),
        )

    def get(self, id: int) -> _M | None:
        row = self._store.row(f"SELECT doc FROM {self._table} WHERE id = ?", (id,))
        return None if row is None else self._model.read(unpacked(row[0]))

    def find(
        self, where: str = "1", args: Sequence[object] = (), *, after: int = 0, limit: int = -1
    ) -> list[tuple[int, _M]]:
        """By id, from the one after `after` on."""
        found = self._store.rows(
            f"SELECT id, doc FROM {self._table} WHERE id > ? AND ({where}) ORDER BY id LIMIT ?",
            (after, *args, limit),
        )
        return [(id, self._model.read(unpacked(doc))) for id, doc in found]
