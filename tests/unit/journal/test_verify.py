"""Damage is found and named: in a record, in the log, in a page, in the head. Never another history, never a traceback."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.journal import schema
from mesoflow.journal.errors import JournalDamaged, JournalError, JournalShorter
from mesoflow.journal.records import Record
from mesoflow.journal.sqlite import SqliteJournal
from tests.support.journals import as_a_crash_leaves_it, contents, flip, write_some


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal, closed orderly. Not to be changed: take a copy."""
    path = tmp_path_factory.mktemp("written") / "journal.db"
    journal = SqliteJournal.open(path)
    write_some(journal)
    journal.close()
    return path


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, as SIGKILL leaves it: most of it in the log."""
    folder = tmp_path_factory.mktemp("crashed")
    journal = SqliteJournal.open(folder / "journal.db")
    write_some(journal)
    copy = as_a_crash_leaves_it(journal, folder / "copy")
    journal.close()
    return copy


def copy_of(path: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(path.parent, to)
    return to / path.name


def change(path: Path, sql: str, values: tuple[Any, ...] = ()) -> None:
    """Change what must not change, and put everything that forbids it back."""
    connection = apsw.Connection(str(path))
    triggers = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
    with connection:
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(sql, values)
        assert connection.changes()
        for statement in schema.SCHEMA:
            if "CREATE TRIGGER" in statement:
                connection.execute(statement)
    connection.close()


def verified(path: Path, run_id: str | None = None) -> list[str]:
    journal = SqliteJournal.open(path)
    try:
        return journal.verify(run_id)
    finally:
        journal.close()


# -- in a record ------------------------------------------------------------------------------------------------------


def test_one_flipped_byte_in_a_record_and_the_record_is_named(written: Path, tmp_path: Path) -> None:
    path = copy_of(written, tmp_path / "copy")
    # Where SQLite has moved it, its first place still holds a copy that nobody reads.
    for found in re.finditer(rb'{"path":"a/5"', path.read_bytes()):
        flip(path, found.start() + 10)
    damaged = contents(path)
    assert isinstance(damaged, JournalDamaged)
    assert str(damaged) == (
        f"the journal {path} is damaged: record 7 of run a-1 (number 13 of the home): its hash does not fit what it holds or what "
        "stands before it. Nothing was sent. Restore the whole state home from a copy; do not repair the file by hand."
    )
    assert damaged.code == "MF601"
    assert verified(path) == verified(path, "a-1") == [str(damaged)]
    # The other run is whole, and can be resumed.
    assert set(contents(path, ("b-1",))) == {"b-1"}  # type: ignore[arg-type]
    assert verified(path, "b-1") == []


def test_reading_stops_at_the_record(written: Path, tmp_path: Path) -> None:
    path = copy_of(written, tmp_path / "copy")
    change(path, "UPDATE records SET body = replace(body, 'a/5', 'a/6') WHERE run_id = 'a-1' AND run_seq = 7")
    journal = SqliteJournal.open(path)
    for reader, seq in ((journal.read("a-1"), 6), (journal.home(), 12), (journal.read("a-1", after=3), 3)):
        assert read_until_damage(reader) == seq
    assert len(list(journal.read("a-1", after=7))) == 6
    journal.close()


def read_until_damage(reader: Iterator[Record]) -> int:
    count = 0
    with pytest.raises(JournalDamaged, match="record 7 of run a-1"):
        for _ in reader:
            count += 1
    return count


CHANGES = {
    "a kind": "UPDATE records SET kind = 'parked' WHERE home_seq = 9",
    "a format": "UPDATE records SET format = 2 WHERE home_seq = 9",
    "an order": "UPDATE records SET run_seq = 100 - run_seq WHERE run_id = 'a-1'",
    "a run": "UPDATE records SET run_id = 'c-1' WHERE run_id = 'a-1'",
    "a record's place": "UPDATE records SET home_seq = 1000 WHERE home_seq = 9",
    "a record's commit": "UPDATE records SET number = number + 1 WHERE home_seq = 9",
    "a record gone": "DELETE FROM records WHERE home_seq = 9",
    "a run's newest record gone": "DELETE FROM records WHERE home_seq = 26",
    "a run gone": "DELETE FROM records WHERE run_id = 'b-1'",
    "a record more": "INSERT INTO records SELECT home_seq + 100, number, run_id, run_seq + 100, kind, format, body, hash "
    "FROM records WHERE home_seq = 9",
    "a commit's hash": "UPDATE commits SET hash = zeroblob(32) WHERE number = 5",
    "a commit gone": "DELETE FROM commits WHERE number = 5",
    "a large value": "UPDATE blobs SET body = replace(body, 'xx', 'xy')",
    "a large value gone": "DELETE FROM blobs",
    "an epoch": "UPDATE epochs SET epoch = 2",
    "an epoch gone": "DELETE FROM epochs",
    "a request": "UPDATE requests SET kind = 'nothing'",
    "whom a request is for": "UPDATE requests SET run_id = NULL",
    "a request's body": "UPDATE requests SET body = '{}'",
    "an answer": "UPDATE answers SET body = '{}'",
    "an answer gone": "DELETE FROM answers",
    "an answer that nobody gave": "INSERT INTO answers VALUES(7, 3, '{}')",
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_verify_finds_every_change(written: Path, tmp_path: Path, name: str) -> None:
    path = copy_of(written, tmp_path / "copy")
    change(path, CHANGES[name])
    assert verified(path)


@pytest.mark.parametrize("name", ["a run's newest record gone", "a record gone", "a record's place"])
def test_check_misses_no_record(written: Path, tmp_path: Path, name: str) -> None:
    path = copy_of(written, tmp_path / "copy")
    change(path, CHANGES[name])
    assert isinstance(contents(path), JournalDamaged)


def test_a_large_value_that_changed_is_named_by_its_record(written: Path, tmp_path: Path) -> None:
    path = copy_of(written, tmp_path / "copy")
    change(path, CHANGES["a large value"])
    assert "record 1 of run a-1: its large value" in str(contents(path))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_verify_finds_every_single_byte_of_any_body_or_hash(written: Path, data: st.DataObject) -> None:
    path = copy_of(written, written.parent.with_name("mutated"))
    connection = apsw.Connection(str(path))
    home_seq = data.draw(st.integers(1, 26))
    column = data.draw(st.sampled_from(["body", "hash"]))
    (value,) = connection.execute(
        f"SELECT CAST({column} AS BLOB) FROM records WHERE home_seq = ?", (home_seq,)
    ).fetchone()
    connection.close()
    at, mask = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(1, 127))
    mutated = value[:at] + bytes([value[at] ^ mask]) + value[at + 1 :]
    kind = "TEXT" if column == "body" else "BLOB"
    change(path, f"UPDATE records SET {column} = CAST(? AS {kind}) WHERE home_seq = ?", (mutated, home_seq))
    (seq, run_id) = (home_seq // 2 + home_seq % 2, "a-1" if home_seq % 2 else "b-1")
    problems = verified(path)
    assert any(f"record {seq} of run {run_id}" in problem for problem in problems)


def test_the_property_catches_a_verifier_that_does_not_hash(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: numbers are compared, hashes are not."""
    monkeypatch.setattr("mesoflow.journal.verify.require_chained", lambda *_: None)
    path = copy_of(written, tmp_path / "copy")
    change(path, "UPDATE records SET body = replace(body, 'a/5', 'a/6') WHERE run_id = 'a-1' AND run_seq = 7")
    assert verified(path) == []


# -- in the log -------------------------------------------------------------------------------------------------------


def used(log: Path) -> int:
    """Bytes of the log that hold frames; behind them is room."""
    return len(log.read_bytes().rstrip(b"\0"))


def test_one_flipped_byte_in_the_log_and_it_is_shorter_than_it_was(crashed: Path, tmp_path: Path) -> None:
    path = copy_of(crashed, tmp_path / "copy")
    log = path.with_name("journal.db-wal")
    flip(log, used(log) - 100)
    shorter = contents(path)
    assert isinstance(shorter, JournalShorter)
    assert str(shorter) == (
        f"the journal {path} is damaged: it is shorter than it was: it ends with commit 15, and commit 16 was written once. "
        "Nothing was sent. Restore the whole state home from a copy; do not repair the file by hand."
    )
    assert (shorter.code, shorter.has, shorter.had) == ("MF602", 15, 16)


def test_sqlite_itself_finds_nothing_amiss_in_it(crashed: Path, tmp_path: Path) -> None:
    """Why there is a head: the log is cut silently."""
    path = copy_of(crashed, tmp_path / "copy")
    log = path.with_name("journal.db-wal")
    flip(log, used(log) // 2)
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("SELECT max(number) FROM commits").fetchone()[0] < 16
    connection.close()


def test_a_log_that_is_gone_is_noticed(crashed: Path, tmp_path: Path) -> None:
    path = copy_of(crashed, tmp_path / "copy")
    path.with_name("journal.db-wal").unlink()
    assert isinstance(contents(path), JournalShorter | JournalDamaged)


def test_a_journal_that_is_gone_is_noticed(written: Path, tmp_path: Path) -> None:
    path = copy_of(written, tmp_path / "copy")
    path.unlink()
    for left in (None, b"", b""):  # looking again does not make it good
        if left is not None:
            path.write_bytes(left)
        assert "it is shorter than it was: it ends with commit 0, and commit 16 was written once" in str(
            contents(path)
        )
        with pytest.raises(JournalShorter):
            SqliteJournal.open(path, read_only=True)


def test_an_older_copy_of_the_journal_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "home" / "journal.db"
    path.parent.mkdir()
    journal = SqliteJournal.open(path)
    write_some(journal, commits=2)
    older = as_a_crash_leaves_it(journal, tmp_path / "older")
    write_some(journal, commits=2)
    journal.close()
    shutil.copy(path.with_name("head"), older.with_name("head"))
    assert isinstance(contents(older), JournalShorter)


# -- in a page --------------------------------------------------------------------------------------------------------


def test_one_flipped_byte_in_a_page_is_a_clear_sentence(written: Path, tmp_path: Path) -> None:
    path = copy_of(written, tmp_path / "copy")
    for page in range(1, path.stat().st_size // 4096):
        flip(path, page * 4096, 0xFF)
    damaged = contents(path)
    assert isinstance(damaged, JournalDamaged)
    assert str(damaged).startswith(
        f"the journal {path} is damaged: a page of the database: SQLite cannot read it ("
    )


@pytest.mark.parametrize("which", ["written", "crashed"])
def test_whatever_byte_is_flipped_it_is_the_same_history_or_a_refusal(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Seeded, so that it is the same bytes each time. A larger sample runs with MESOFLOW_FLIPS."""
    source: Path = request.getfixturevalue(which)
    whole = contents(copy_of(source, tmp_path / "whole"))
    draw = random.Random(f"flips of {which}")
    refused = 0
    for _ in range(int(os.environ.get("MESOFLOW_FLIPS", "150"))):
        path = copy_of(source, tmp_path / "copy")
        file = path.with_name(
            draw.choice(
                [name for name in ("journal.db", "journal.db-wal", "head") if path.with_name(name).exists()]
            )
        )
        offset, mask = draw.randrange(file.stat().st_size), 1 << draw.randrange(8)
        flip(file, offset, mask)
        found = contents(path)
        refused += isinstance(found, JournalError)
        assert isinstance(found, JournalError) or found == whole, (file.name, offset, mask)
        if not isinstance(found, JournalError):
            verified(path)
    assert refused


def test_another_database_is_not_taken_for_a_journal(written: Path, tmp_path: Path) -> None:
    path = copy_of(written, tmp_path / "copy")
    for name in ("journal.db", "journal.db-wal"):
        path.with_name(name).unlink(missing_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE commits(number INTEGER PRIMARY KEY, hash BLOB)")
    connection.close()
    assert isinstance(contents(path), JournalDamaged)
    assert os.listdir(path.parent).count("journal.db-wal") == 0


@pytest.mark.parametrize(
    "statement", ["DROP TRIGGER records_UPDATE", "DROP INDEX records_by_run", "CREATE TABLE more(x)"]
)
def test_tables_that_are_not_as_they_were_made_are_refused(
    written: Path, tmp_path: Path, statement: str
) -> None:
    path = copy_of(written, tmp_path / "copy")
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()
    assert "its header or its tables: they are not those that mesoflow made" in str(contents(path))
