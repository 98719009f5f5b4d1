"""The head file: 64 bytes, never lowered, never leading, and missed when it is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesoflow.journal.chain import START
from mesoflow.journal.errors import JournalDamaged
from mesoflow.journal.head import HEAD_BYTES, Head, written
from mesoflow.journal.sqlite import SqliteJournal
from tests.support.journals import as_a_crash_leaves_it, contents, settled, write_some

SOME = bytes(range(32))


@pytest.fixture
def head(tmp_path: Path) -> Head:
    head = Head(tmp_path / "journal.db")
    with head.locked():
        head.begin()
    return head


def test_it_says_in_64_bytes_how_long_the_journal_was(head: Head, tmp_path: Path) -> None:
    assert head.read() == (0, START)
    head.raise_to(17, SOME)
    assert head.read() == (17, SOME)
    text = (tmp_path / "head").read_bytes()
    assert text == b"MF1 000000000000017 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
    assert len(text) == HEAD_BYTES


def test_it_is_never_lowered_also_by_another_process(head: Head, tmp_path: Path) -> None:
    other = Head(tmp_path / "journal.db")
    head.raise_to(9, SOME)
    other.raise_to(8, START)
    head.raise_to(7, START)
    assert head.read() == other.read() == (9, SOME)
    other.raise_to(10, START)
    assert head.read() == (10, START)


def test_the_check_catches_a_head_that_is_simply_written(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: the last one to write wins."""
    monkeypatch.setattr(
        Head, "raise_to", lambda self, number, hash: os.pwrite(self._file, written(number, hash), 0)
    )
    with pytest.raises(AssertionError):
        test_it_is_never_lowered_also_by_another_process(head, tmp_path)


def test_two_writers_whose_heads_come_in_the_wrong_order(tmp_path: Path) -> None:
    """One commits, is held up before it writes the head, and the other commits and writes it first."""
    path = tmp_path / "journal.db"
    slow, fast = SqliteJournal.open(path), SqliteJournal.open(path)
    late = slow._head.raise_to
    slow._head.raise_to = lambda number, hash: (fast.commit([settled("b-1", "y")]), late(number, hash))[1]  # type: ignore[method-assign]
    slow.commit([settled("a-1", "x")])
    assert fast._head.read()[0] == 2
    assert slow.verify() == []
    slow.close()
    fast.close()


def test_a_head_that_lags_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal.open(path)
    write_some(journal, commits=3)
    lagging = path.with_name("head").read_bytes()
    write_some(journal, commits=3)
    copy = as_a_crash_leaves_it(journal, tmp_path / "copy")
    journal.close()
    copy.with_name("head").write_bytes(lagging)
    assert contents(copy) == contents(path)
    again = SqliteJournal.open(copy)
    again.commit([settled("a-1", "x")])
    assert (again._head.read()[0], again.verify()) == (15, [])
    again.close()


def test_a_head_is_written_before_commit_returns(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "journal.db")
    for number in (1, 2, 3):
        commit = journal.commit([settled("a-1", "x")])
        assert journal._head.read() == (number, bytes.fromhex(commit.hash))
    journal.close()


@pytest.mark.parametrize("left", [None, b""])
def test_a_journal_without_its_head_is_refused(tmp_path: Path, left: bytes | None) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal.open(path)
    write_some(journal)
    journal.close()
    path.with_name("head").unlink() if left is None else path.with_name("head").write_bytes(left)
    for _ in range(2):
        missing = contents(path)
        assert str(missing) == (
            f"the journal {path} is damaged: the file {tmp_path}/head: it is missing or empty, so nobody knows how long the journal "
            "was. Restore `head` from the copy that the journal comes from."
        )
    with pytest.raises(JournalDamaged, match="missing or empty"):
        SqliteJournal.open(path, read_only=True)


@pytest.mark.parametrize(
    "text", [b"x", written(3, SOME)[:-1], written(3, SOME) + b"x", written(3, SOME).replace(b"MF1", b"MF2")]
)
def test_a_head_that_is_not_ours_is_refused(head: Head, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "head").write_bytes(text)
    with pytest.raises(JournalDamaged, match="it does not hold what mesoflow writes there"):
        head.read()


def test_a_head_of_another_history_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        journal = SqliteJournal.open(tmp_path / name / "journal.db")
        journal.commit([settled("a-1", name)])
        journal.close()
    (tmp_path / "one" / "head").write_bytes((tmp_path / "other" / "head").read_bytes())
    assert "commit 1: its hash is not the one in the head file" in str(
        contents(tmp_path / "one" / "journal.db")
    )
