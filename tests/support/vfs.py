"""A file system for SQLite that tells what it did, and that can be told to fail.

    with RecordingVfs("name") as vfs:
        journal = SqliteJournal.open(path, vfs=vfs.name)
        journal.commit([…])
        vfs.events          [("write", "wal"), …, ("sync", "wal")]

Events are ("write" | "sync" | "truncate", "db" | "wal" | "other"). `events` is a plain list: a test that wants to know what
stands before a send appends ("send", …) to it from its hub.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import apsw

_KINDS = {apsw.SQLITE_OPEN_MAIN_DB: "db", apsw.SQLITE_OPEN_WAL: "wal"}


class RecordingVfs(apsw.VFS):
    """The system's own file system, watched."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[tuple[str, str]] = []
        # Called with each event before it happens; what it raises is what SQLite is told.
        self.before: Callable[[str, str], None] = lambda event, kind: None
        super().__init__(name, "")

    def __enter__(self) -> RecordingVfs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.unregister()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def did(self, event: str, kind: str) -> None:
        self.before(event, kind)
        self.events.append((event, kind))

    def syncs(self) -> list[str]:
        """The kinds of file synced so far, in order."""
        return [kind for event, kind in self.events if event == "sync"]

    def fail(self, event: str, kind: str, error: type[apsw.Error]) -> None:
        """From now on this event on this kind of file fails with this error of SQLite."""

        def before(now: str, on: str) -> None:
            if (now, on) == (event, kind):
                raise error("as the test asked")

        self.before = before


class _File(apsw.VFSFile):
    def __init__(self, vfs: RecordingVfs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        opened = flags[0]
        self._kind = next((kind for flag, kind in _KINDS.items() if opened & flag), "other")
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        self._vfs.did("write", self._kind)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.did("sync", self._kind)
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._vfs.did("truncate", self._kind)
        super().xTruncate(size)
