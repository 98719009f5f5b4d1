"""A journal with something in it, copies of it as a crash leaves them, and single bytes flipped."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mesoflow.journal.errors import JournalError
from mesoflow.journal.records import Entry, Record
from mesoflow.journal.sqlite import SqliteJournal

FILES = ("journal.db", "journal.db-wal", "head")


def settled(run_id: str, path: str, **more: Any) -> Entry:
    return Entry(run_id, "settled", {"path": path, **more})


def write_some(journal: SqliteJournal, commits: int = 12) -> None:
    """Two runs side by side, a claim, a request with its answer, a large value."""
    epoch = journal.claim("a-1")
    journal.commit(
        [Entry("a-1", "started", {"program": "x" * 5000}), Entry("b-1", "started", {})], epochs={"a-1": epoch}
    )
    for number in range(commits):
        journal.commit(
            [settled("a-1", f"a/{number}", text="y" * 300), settled("b-1", f"b/{number}")],
            epochs={"a-1": epoch},
        )
    journal.answer(journal.post("a-1", "cancel", {"by": "ann"}), {"state": "cancelled"})


def as_a_crash_leaves_it(journal: SqliteJournal, to: Path) -> Path:
    """The files as they are now, the log not emptied, in a folder of their own."""
    to.mkdir(mode=0o700, parents=True)
    for name in FILES:
        shutil.copy(journal.path.with_name(name), to / name)
    return to / "journal.db"


def flip(path: Path, offset: int, mask: int = 0x01) -> None:
    """Flip bits of one byte of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))


def contents(path: Path, runs: tuple[str, ...] = ("a-1", "b-1")) -> dict[str, list[Record]] | JournalError:
    """Open, check and read everything as `resume` does; or the journal's own error. Anything else is a failure."""
    try:
        journal = SqliteJournal.open(path)
    except JournalError as error:
        return error
    try:
        for run_id in runs:
            journal.check(run_id)
        return {run_id: list(journal.read(run_id)) for run_id in runs}
    except JournalError as error:
        return error
    finally:
        journal.close()
