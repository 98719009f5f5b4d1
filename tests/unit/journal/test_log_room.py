from itertools import pairwise
from pathlib import Path

import apsw
import pytest

from mesoflow.journal import log_room, schema
from mesoflow.journal.log_room import CHUNK_BYTES, FRAME_BYTES, LogRoom
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
from tests.support.journals import as_a_crash_leaves_it, contents


def log_of(path: Path) -> Path:
    return path.with_name("journal.db-wal")


def commits(journal: SqliteJournal, count: int, size: int = 100) -> None:
    for number in range(count):
        journal.commit([Entry("a-1", "input", {"number": number, "text": "x" * size})])


def test_a_log_has_room_before_it_is_needed(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "journal.db")
    sizes = set()
    for _ in range(60):
        commits(journal, 1)
        sizes.add(log_of(journal.path).stat().st_size)
    journal.close()
    steps = sorted(sizes)
    assert len(steps) < 6
    assert {later - before for before, later in pairwise(steps)} == {CHUNK_BYTES}


def test_room_is_made_until_the_log_is_reused_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "CHECKPOINT_PAGES", 100)
    journal = SqliteJournal.open(tmp_path / "journal.db")
    commits(journal, 300)
    assert log_of(journal.path).stat().st_size < 100 * FRAME_BYTES + 2 * CHUNK_BYTES
    assert journal.verify() == []
    journal.close()


def test_what_a_crash_leaves_with_room_behind_it_is_all_there(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "journal.db")
    commits(journal, 5)
    copy = as_a_crash_leaves_it(journal, tmp_path / "copy")
    expected = contents(journal.path)
    assert log_of(copy).read_bytes()[-FRAME_BYTES:] == bytes(FRAME_BYTES)
    assert contents(copy) == expected
    journal.close()


def test_two_that_write_in_turn_lose_nothing(tmp_path: Path) -> None:
    """The other's frames stand where this connection believes that there is room."""
    one, other = (SqliteJournal.open(tmp_path / "journal.db") for _ in range(2))
    for round_ in range(40):
        commits(one, 1, size=3_000 * (round_ % 3))
        commits(other, 1, size=9_000 * (round_ % 2))
    copy = as_a_crash_leaves_it(one, tmp_path / "copy")
    again = SqliteJournal.open(copy)
    assert again.verify() == []
    assert len(list(again.read("a-1"))) == 80
    for journal in (one, other, again):
        journal.close()


def test_room_that_cannot_be_made_stops_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "no space left")

    journal = SqliteJournal.open(tmp_path / "journal.db")
    monkeypatch.setattr(log_room.os, "pwrite", full)
    monkeypatch.setattr(journal._head, "raise_to", lambda *_: None)
    commits(journal, 3)
    assert len(list(journal.read("a-1"))) == 3
    journal.close()


def test_zeros_are_put_behind_what_is_there(tmp_path: Path) -> None:
    """The mutant writes them at the beginning, and the journal is empty."""
    path = tmp_path / "some.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.execute("CREATE TABLE t(a)")
    before = log_of_any(path).read_bytes()
    room = LogRoom(connection, path, 4_000)
    room.make()
    room.close()
    after = log_of_any(path).read_bytes()
    assert (after[: len(before)], after[len(before) :]) == (before, bytes(CHUNK_BYTES))
    connection.close()


def log_of_any(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
