"""Room in the write-ahead log before it is needed: a commit's sync then waits for data alone.

A sync of a file that has grown also writes the file system's own journal, which doubles its price (measured on ext4: 0.4 ms
against 0.2). So zeros are written at the log's end, by whoever holds the write lock of the database: nobody else writes the
log meanwhile, and SQLite reads it up to the first frame whose salt and checksum are not right, which zeros never are. The
log is reused from its beginning after a checkpoint, so no more room is made than it has frames until then. Without room a
commit is slower and nothing else; so a failure here ends the making of room, never the commit.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import apsw

FRAME_BYTES = 24 + 4096
# A chunk is some 20 commits; larger ones make a single commit wait longer.
CHUNK_BYTES = 256 * 1024
# What one commit takes, generously. A larger one grows the log itself.
SPARE_BYTES = 16 * FRAME_BYTES


class LogRoom:
    """Of one connection. `frames_max`: how long the log gets before it is reused."""

    def __init__(self, connection: apsw.Connection, path: Path, frames_max: int) -> None:
        self._connection = connection
        self._path = path.with_name(path.name + "-wal")
        self._most = frames_max * FRAME_BYTES
        self._file = -1
        self._size = 0
        # Bytes of the log that may be in use when this connection had written no frame.
        self._before = 0
        self._ended = False

    def make(self) -> None:
        """See to it that the next commit finds room. Only while holding the write lock."""
        if self._ended:
            return
        used = self._before + self._frames() * FRAME_BYTES
        if used + SPARE_BYTES <= self._size:
            return
        try:
            self._extend(used)
        except OSError:
            self.close()

    def close(self) -> None:
        """Make no more. Closing drops no lock of SQLite's: it locks the database and the shared memory, never the log."""
        self._ended = True
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _frames(self) -> int:
        return int(self._connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0])

    def _extend(self, used: int) -> None:
        first = self._file < 0
        if first:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._file).st_size
        if first:
            self._before = self._size - self._frames() * FRAME_BYTES
            used = self._size
        if self._size >= self._most:
            self.close()
        elif used + SPARE_BYTES > self._size:
            self._size += os.pwrite(self._file, bytes(CHUNK_BYTES), self._size)
