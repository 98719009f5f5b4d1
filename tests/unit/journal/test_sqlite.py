"""What only the SQLite journal promises: one sync a commit, before anything else; what it does when the disk fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from mesoflow.journal import schema, sqlite
from mesoflow.journal.errors import JournalShorter, JournalUnusable
from mesoflow.journal.records import STANDING, Entry
from mesoflow.journal.sqlite import SqliteJournal
from tests.support.journals import as_a_crash_leaves_it, contents, settled, write_some
from tests.support.vfs import RecordingVfs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def vfs() -> Iterator[RecordingVfs]:
    with RecordingVfs("watched") as vfs:
        yield vfs


def head_of(path: Path) -> int:
    return int(path.with_name("head").read_text().split()[1])


# -- durability -------------------------------------------------------------------------------------------------------


def test_a_commit_is_one_sync_of_the_log_and_nothing_comes_after_it(path: Path, vfs: RecordingVfs) -> None:
    journal = SqliteJournal.open(path, vfs=vfs.name)
    epoch = journal.claim("a-1")
    for number in range(200):
        vfs.events.clear()
        journal.commit(
            [settled("a-1", f"{number}", text="y" * 500)] * (number % 3 + 1), epochs={"a-1": epoch}
        )
        assert vfs.syncs() == ["wal"]
        assert vfs.events[-1] == ("sync", "wal")
    journal.close()


def test_a_checkpoint_is_rare_and_costs_three_syncs(
    path: Path, vfs: RecordingVfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit that fills the log: its own sync, the log's and the database's; the next one begins the log anew."""
    monkeypatch.setattr(schema, "CHECKPOINT_PAGES", 100)
    journal = SqliteJournal.open(path, vfs=vfs.name)
    syncs = []
    for number in range(40):
        vfs.events.clear()
        journal.commit([settled("a-1", f"{number}")])
        syncs.append(vfs.syncs())
    journal.close()
    rare = [kinds for kinds in syncs if kinds != ["wal"]]
    assert rare == [["wal", "wal", "db"], ["wal", "wal"]]


def test_a_request_is_synced_like_any_commit(path: Path, vfs: RecordingVfs) -> None:
    journal = SqliteJournal.open(path, vfs=vfs.name)
    vfs.events.clear()
    journal.answer(journal.post(None, "kill", {}), {})
    journal.claim("a-1")
    assert vfs.syncs() == ["wal", "wal", "wal"]
    journal.close()


def test_a_test_that_looks_for_the_sync_finds_it_missing(path: Path, vfs: RecordingVfs) -> None:
    """The mutant: a connection that is not at FULL."""
    journal = SqliteJournal.open(path, vfs=vfs.name)
    journal.commit([settled("a-1", "x")])
    journal._connection.execute("PRAGMA synchronous = NORMAL")
    vfs.events.clear()
    journal.commit([settled("a-1", "y")])
    assert vfs.syncs() == []
    journal.close()


def test_what_a_crash_leaves_is_all_there(path: Path, tmp_path: Path) -> None:
    journal = SqliteJournal.open(path)
    write_some(journal)
    before = {run_id: list(journal.read(run_id)) for run_id in ("a-1", "b-1")}
    copy = as_a_crash_leaves_it(journal, tmp_path / "crashed")
    journal.close()
    assert contents(copy) == contents(path) == before


def test_an_orderly_close_empties_the_log(path: Path) -> None:
    journal = SqliteJournal.open(path)
    write_some(journal)
    journal.close()
    assert sorted(os.listdir(path.parent)) == ["head", "journal.db"]
    again = SqliteJournal.open(path)
    assert again.verify() == []
    again.close()


def test_its_files_are_nobody_elses_to_read(path: Path) -> None:
    umask = os.umask(0)
    try:
        journal = SqliteJournal.open(path)
        journal.commit([settled("a-1", "x")])
        modes = {name: os.stat(path.with_name(name)).st_mode & 0o777 for name in os.listdir(path.parent)}
        journal.close()
    finally:
        os.umask(umask)
    assert modes == {"head": 0o600, "journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}


def test_settings_are_those_that_durability_needs(path: Path) -> None:
    journal = SqliteJournal.open(path)
    pragma = journal._connection.pragma
    assert {name: pragma(name) for name in ("journal_mode", "synchronous", "mmap_size", "cell_size_check", "user_version")} == {
        "journal_mode": "wal", "synchronous": 2, "mmap_size": 0, "cell_size_check": 1, "user_version": 1,
    }  # fmt: skip
    journal.close()


def test_a_mac_is_told_to_empty_the_drives_cache(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.sys, "platform", "darwin")
    journal = SqliteJournal.open(path)
    assert [journal._connection.pragma(name) for name in ("fullfsync", "checkpoint_fullfsync")] == [1, 1]
    journal.close()


# -- when the disk fails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "error", "reason"),
    [
        ("write", apsw.FullError, "the disk is full"),
        ("write", apsw.IOError, "the disk failed ("),
        ("sync", apsw.IOError, "the disk failed ("),
        ("write", apsw.ReadOnlyError, "it cannot be opened or written ("),
    ],
)
def test_a_commit_that_fails_closes_the_journal_to_writes(
    path: Path, vfs: RecordingVfs, event: str, error: type[apsw.Error], reason: str
) -> None:
    journal = SqliteJournal.open(path, vfs=vfs.name)
    journal.commit([settled("a-1", "x")])
    vfs.fail(event, "wal", error)
    with pytest.raises(JournalUnusable) as failed:
        journal.commit([settled("a-1", "y")])
    assert str(failed.value).startswith(f"the journal {path} cannot be used: {reason}")
    assert failed.value.code == "MF603"
    assert head_of(path) == 1
    vfs.before = lambda event, kind: None
    vfs.events.clear()
    for write in (
        lambda: journal.commit([settled("a-1", "z")]),
        lambda: journal.claim("a-1"),
        lambda: journal.post(None, "kill", {}),
    ):
        with pytest.raises(JournalUnusable, match="closed to writes"):
            write()
    assert vfs.events == []
    assert [record.body["path"] for record in journal.read("a-1")] == ["x"]
    journal.close()
    again = SqliteJournal.open(path)
    assert again.verify() == []
    again.close()


def test_a_head_that_cannot_be_written_ends_it_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal.open(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal._head, "raise_to", full)
    with pytest.raises(JournalUnusable, match="the disk is full"):
        journal.commit([settled("a-1", "x")])
    with pytest.raises(JournalUnusable, match="closed to writes"):
        journal.commit([settled("a-1", "y")])
    journal.close()
    # The commit is durable all the same: the head lags, and the next process reads what there is.
    assert len(contents(path, ("a-1",))["a-1"]) == 1  # type: ignore[index]


def test_a_journal_that_another_process_holds_is_waited_for_and_then_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_MS", 1)
    journal, other = SqliteJournal.open(path), apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalUnusable, match="another process has held it"):
        journal.commit([settled("a-1", "x")])
    other.close()
    journal.close()


def test_a_folder_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable) as failed:
        SqliteJournal.open(tmp_path / "no" / "journal.db")
    assert str(failed.value) == (
        f"the journal {tmp_path}/no/journal.db cannot be used: {tmp_path}/no/head cannot be opened (No such file or directory). "
        f"Make {tmp_path}/no and its files yours, and writable."
    )


def test_reading_a_journal_that_is_not_there_makes_none(path: Path) -> None:
    with pytest.raises(JournalUnusable) as failed:
        SqliteJournal.open(path, read_only=True)
    assert str(failed.value) == f"the journal {path} cannot be used: there is none yet."
    assert os.listdir(path.parent) == []


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.51"])
def test_a_sqlite_that_can_lose_commits_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(schema.apsw, "sqlite_lib_version", lambda: version)
    with pytest.raises(
        JournalUnusable, match=f"SQLite {version} can lose commits .*pip install 'apsw>=3.51.3'"
    ):
        SqliteJournal.open(path)
    assert os.listdir(path.parent) == []


def test_a_journal_of_a_later_format_is_refused(path: Path) -> None:
    SqliteJournal.open(path).close()
    with apsw.Connection(str(path)) as other:
        other.execute("PRAGMA user_version = 2")
    other.close()
    with pytest.raises(JournalUnusable, match="it has format 2, and this version of mesoflow reads up to 1"):
        SqliteJournal.open(path)


# -- append-only ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["commits", "records", "blobs", "epochs", "requests", "answers"])
@pytest.mark.parametrize("change", ["UPDATE {} SET number = 9", "DELETE FROM {}", "UPDATE {} SET body = 'x'"])
def test_nothing_is_changed_or_deleted(path: Path, table: str, change: str) -> None:
    journal = SqliteJournal.open(path)
    write_some(journal)
    with pytest.raises(apsw.Error, match=r"append-only|no such column"):
        journal._connection.execute(change.format(table))
    assert journal.verify() == []
    journal.close()


# -- two at once ------------------------------------------------------------------------------------------------------


def test_two_writers_take_turns(path: Path) -> None:
    one, other = SqliteJournal.open(path), SqliteJournal.open(path)
    for number in range(5):
        one.commit([settled("a-1", f"{number}"), settled("home", f"{number}")])
        other.commit([settled("b-1", f"{number}"), settled("home", f"{number}")])
    assert one.verify() == other.verify() == []
    assert [record.body["path"] for record in one.read("home")] == [
        f"{number}" for number in range(5) for _ in "ab"
    ]
    assert head_of(path) == 10
    one.close()
    other.close()


def test_an_epoch_taken_by_another_process_is_seen_at_the_next_commit(path: Path) -> None:
    one, other = SqliteJournal.open(path), SqliteJournal.open(path)
    epoch = one.claim("a-1")
    one.commit([settled("a-1", "x")], epochs={"a-1": epoch})
    other.claim("a-1")
    with pytest.raises(sqlite.LockLost):
        one.commit([settled("a-1", "y")], epochs={"a-1": epoch})
    one.commit([settled("b-1", "y")])
    assert [record.body["path"] for record in other.home()] == ["x", "y"]
    one.close()
    other.close()


def test_a_reader_sees_a_runner_at_work_and_writes_nothing(path: Path) -> None:
    runner = SqliteJournal.open(path)
    runner.commit([settled("a-1", "x")])
    reader = SqliteJournal.open(path, read_only=True)
    runner.commit([settled("a-1", "y")])
    assert [record.body["path"] for record in reader.read("a-1")] == ["x", "y"]
    assert reader.verify() == []
    with pytest.raises(JournalUnusable):
        reader.commit([settled("a-1", "z")])
    reader.close()
    runner.commit([settled("a-1", "z")])
    runner.close()


def test_a_journal_that_shrinks_under_a_runner_is_noticed_at_its_next_commit(path: Path) -> None:
    journal = SqliteJournal.open(path)
    write_some(journal)
    with apsw.Connection(str(path)) as other:
        other.execute("DROP TRIGGER commits_DELETE")
        other.execute("DELETE FROM commits WHERE number > 5")
    other.close()
    with pytest.raises(JournalShorter, match="it ends with commit 5, and commit 16 was written once"):
        journal.commit([settled("a-1", "x")])
    journal.close()


# -- queries that must stay cheap -------------------------------------------------------------------------------------


def plan(journal: SqliteJournal, sql: str) -> str:
    return " · ".join(row[3] for row in journal._connection.execute(f"EXPLAIN QUERY PLAN {sql}"))


def test_a_fold_over_marks_reads_no_settled_records(path: Path) -> None:
    journal = SqliteJournal.open(path)
    asked: list[str] = []
    journal._connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: asked.append(event["sql"]))
    assert list(journal.home(after=3, kinds=("mark", "cleared"))) == []
    assert "USING INDEX records_standing" in plan(journal, asked[-1].replace("?", "'mark'"))
    for rows in (journal.runs(), list(journal.read("a-1")), [journal.last("a-1")]):
        assert rows in ([], [None])
        assert "SCAN" not in plan(journal, asked[-1].replace("?", "1")).replace("SCAN run", "")
    journal.close()


def test_every_standing_kind_is_found_by_it(path: Path) -> None:
    journal = SqliteJournal.open(path)
    for kind in STANDING:
        journal.commit([Entry("a-1", kind, {}), settled("a-1", "x")])
    assert [record.kind for record in journal.home(kinds=STANDING)] == list(STANDING)
    journal.close()


def test_a_reader_finds_nothing_where_a_runner_died_before_its_first_commit(path: Path) -> None:
    SqliteJournal.open(path).close()
    whole = path.read_bytes()
    for left in (whole, b"", None):
        path.unlink() if left is None else path.write_bytes(left)
        if left == whole:
            reader = SqliteJournal.open(path, read_only=True)
            assert (list(reader.home()), reader.verify()) == ([], [])
            reader.close()
        else:
            with pytest.raises(JournalUnusable, match="there is none yet"):
                SqliteJournal.open(path, read_only=True)
    SqliteJournal.open(path).close()
    assert path.read_bytes()[:16] == whole[:16]


# -- other processes --------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
journal = SqliteJournal.open(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    journal.commit([Entry(sys.argv[2], "settled", {"path": str(number)})])
    print(number, flush=True)
"""


def writer(path: Path, run_id: str, commits: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), run_id, str(commits)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_was_committed_survives_sigkill(path: Path) -> None:
    with writer(path, "a-1", 100_000) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(50)]
        process.kill()
        told += process.stdout.readlines()
    journal = SqliteJournal.open(path)
    paths = [record.body["path"] for record in journal.read("a-1")]
    whole = [line.strip() for line in told if line.endswith("\n")]
    assert paths[: len(whole)] == whole
    assert len(paths) <= len(whole) + 1
    assert journal.verify() == []
    journal.close()


def test_processes_that_make_and_write_one_journal_at_once(path: Path) -> None:
    processes = [writer(path, f"run-{number}", 40) for number in range(3)]
    assert [process.communicate()[0].count("\n") for process in processes] == [40, 40, 40]
    journal = SqliteJournal.open(path)
    assert [(row.run_id, row.records) for row in sorted(journal.runs(), key=lambda row: row.run_id)] == [
        ("run-0", 40), ("run-1", 40), ("run-2", 40),
    ]  # fmt: skip
    assert (head_of(path), journal.verify()) == (120, [])
    journal.close()


# -- a disk that is really full ---------------------------------------------------------------------------------------

FULL_DISK = """
import subprocess, sys
from pathlib import Path
folder = Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]).returncode:
    sys.exit(77)
from mesoflow.journal.errors import JournalUnusable
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
ballast = folder / "ballast"
ballast.write_bytes(bytes(300_000))
journal = SqliteJournal.open(folder / "journal.db")
done = 0
try:
    while done < 10_000:
        journal.commit([Entry("a-1", "settled", {"path": str(done), "text": "x" * 3000})])
        done += 1
except JournalUnusable as error:
    print(error)
journal.close()
ballast.unlink()
journal = SqliteJournal.open(folder / "journal.db")
print(done > 10, done == len(list(journal.read("a-1"))), journal.verify())
journal.commit([Entry("a-1", "settled", {})])
journal.close()
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare, for a small disk of its own")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    command = ["unshare", "--mount", "--map-root-user", sys.executable, "-c", FULL_DISK, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("this system does not let us mount")
    assert (ran.stdout, ran.returncode) == (
        f"the journal {tmp_path}/journal.db cannot be used: the disk is full. Free some space on the disk of {tmp_path}, then resume.\n"
        "True True []\n",
        0,
    ), ran.stderr
