"""The `head` file beside the journal: how long it was, in 64 bytes. A journal shorter than its head is refused.

A damaged write-ahead log is cut silently by SQLite, at the first frame whose checksum is wrong, and an integrity check finds
nothing amiss; the head knows better. It is written after each commit and before anything of that commit may be sent. It is
never lowered, also with two processes writing, and is not synced: it may lag behind the journal, never lead. It is made,
and synced, before the journal is, so that a journal without one has lost it.

    "MF1 " · commit number, 15 digits · " " · SHA-256 of the home's chain at that commit, base64 · line end
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesoflow.journal.chain import START
from mesoflow.journal.errors import JournalDamaged, JournalError, JournalUnusable

HEAD_BYTES = 64
_FORM = re.compile(rb"MF1 (\d{15}) ([A-Za-z0-9+/]{43})\n")


def written(number: int, hash: bytes) -> bytes:
    """The 64 bytes for a commit."""
    return b"MF1 %015d %s\n" % (number, base64.b64encode(hash)[:43])


class Head:
    """The head file, open. `path` is the journal's; the file is called `head` and stands beside it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._journal = path
        self._path = path.with_name("head")
        self._last = (0, written(0, START))
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT
        try:
            self._file = os.open(self._path, flags | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unopened(error, read_only) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes the head, or makes a journal, meanwhile."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def begin(self) -> None:
        """Make the head of a journal that does not exist yet. Under `locked`; without effect where there is one."""
        if os.fstat(self._file).st_size:
            return
        if self._journal.exists() and self._journal.stat().st_size:
            raise self._missing()
        os.pwrite(self._file, written(0, START), 0)
        os.fsync(self._file)
        sync_folder(self._path.parent)

    def read(self) -> tuple[int, bytes]:
        """Commit number and chain hash. Raises JournalDamaged when these are not 64 bytes of ours."""
        return self._parsed(os.pread(self._file, HEAD_BYTES + 1, 0))

    def _parsed(self, text: bytes) -> tuple[int, bytes]:
        if not text:
            raise self._missing()
        form = _FORM.fullmatch(text)
        if form is None:
            raise JournalDamaged(
                str(self._journal), f"the file {self._path}", "it does not hold what mesoflow writes there"
            )
        return int(form[1]), base64.b64decode(form[2] + b"=")

    def raise_to(self, number: int, hash: bytes) -> None:
        """Say that the journal has `number` commits, unless the file says more already."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            # Mostly it says what was written here last; that needs no reading of its form.
            last, text = self._last, os.pread(self._file, HEAD_BYTES + 1, 0)
            if (last[0] if text == last[1] else self._parsed(text)[0]) < number:
                text = written(number, hash)
                os.pwrite(self._file, text, 0)
                self._last = (number, text)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file. Twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _unopened(self, error: OSError, read_only: bool) -> JournalError:
        if read_only and isinstance(error, FileNotFoundError):
            return (
                self._missing()
                if self._journal.exists()
                else JournalUnusable(str(self._journal), "there is none yet")
            )
        reason = f"{self._path} cannot be opened ({error.strerror})"
        return JournalUnusable(
            str(self._journal), reason, f"Make {self._path.parent} and its files yours, and writable."
        )

    def _missing(self) -> JournalDamaged:
        return JournalDamaged(
            str(self._journal),
            f"the file {self._path}",
            "it is missing or empty, so nobody knows how long the journal was",
            "Restore `head` from the copy that the journal comes from.",
        )


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` survive power loss."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
