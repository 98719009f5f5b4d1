"""State homes that cannot be used, as the real command meets them: one flipped byte, a full disk, a disk that is read-only, a
folder that others can read. A sentence says what is wrong and what to do, nothing is sent, and once the trouble is over the
run goes on to the end that it would have had.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mesoflow.journal.sqlite import SqliteJournal
from tests.support.journals import flip
from tests.support.killing import KILLED, Desk, Told
from tests.support.lab import world_of
from tests.support.spoiling import CANNOT_MOUNT, FULL, PASSES, SWALLOWED, may_mount, with_mounts
from tests.support.warm import Done, Warm

QUICKSTART = "plans/quickstart.yaml"
RUN = "quickstart-2025-01-16"
# The order is written down, and nobody has sent it.
INTENDED = "committed:buy/fill#intended"
# Everything that could go on with a run or end it, and everything that shows it.
COMMANDS = (
    ("resume", RUN),
    ("cancel", RUN),
    ("run", QUICKSTART, "--or-resume"),
    ("settle", RUN, "buy/fill", "--did-not-happen", "--reason", "looked"),
    ("kill",),
    ("show", RUN),
    ("runs",),
    ("journal", RUN, "--verify"),
)
needs_mounts = pytest.mark.skipif(not may_mount(), reason="this system does not let us mount")


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm(1) as commands:
        yield commands


@pytest.fixture(scope="module")
def uncut(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The run that nothing disturbs."""
    desk = Desk(tmp_path_factory.mktemp("uncut"), QUICKSTART, warm)
    assert desk.run().code == 0
    return desk.told()


@pytest.fixture(scope="module")
def killed(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as SIGKILL leaves it, an order written down and not sent. Not to be changed: take a copy."""
    desk = Desk(tmp_path_factory.mktemp("killed"), QUICKSTART, warm)
    assert desk.run(MESOFLOW_CRASH=INTENDED).code == KILLED
    return desk.home


@pytest.fixture
def desk(warm: Warm, killed: Path, tmp_path: Path) -> Desk:
    """A copy of the killed home, to spoil."""
    made = Desk(tmp_path / "desk", QUICKSTART, warm)
    shutil.copytree(killed, made.home)
    return made


def happened(home: Path) -> Any:
    """What the simulator has executed."""
    with world_of(home / "worlds" / "default") as world:
        return world.ledger.facts()


def no_traceback(done: Done) -> None:
    said = done.out + done.err
    assert done.code != 70, said
    assert "Traceback" not in said
    assert "bug in mesoflow" not in said


# --- one flipped byte ----------------------------------------------------------------------------------------------------


def in_a_record(home: Path) -> None:
    """Closed in order, so that all of it stands in the database; then the body of one record."""
    database = home / "journal.db"
    SqliteJournal.open(database).close()
    found = [match.start() for match in re.finditer(rb'{"path":"entry/start"', database.read_bytes())]
    assert found
    for offset in found:
        flip(database, offset + 10)


def in_the_log(home: Path) -> None:
    log = home / "journal.db-wal"
    flip(log, len(log.read_bytes().rstrip(b"\0")) - 100)


def in_a_page(home: Path) -> None:
    """The first byte of a page says what kind of page it is."""
    database = home / "journal.db"
    SqliteJournal.open(database).close()
    for page in range(1, database.stat().st_size // 4096):
        flip(database, page * 4096, 0xFF)


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "a record": (
        in_a_record,
        rf"refused\[MF601\]: the journal \S+/journal\.db is damaged: record \d+ of run {RUN} \(number \d+ of the home\): its hash "
        r"does not fit what it holds or what stands before it\. Nothing was sent\. Restore the whole state home from a copy; do "
        r"not repair the file by hand\.\n",
    ),
    "the log": (
        in_the_log,
        r"refused\[MF602\]: the journal \S+/journal\.db is damaged: it is shorter than it was: it ends with commit \d+, and commit "
        r"\d+ was written once\. Nothing was sent\. ",
    ),
    "a page": (
        in_a_page,
        r"refused\[MF601\]: the journal \S+/journal\.db is damaged: a page of the database: SQLite cannot read it \(",
    ),
}


@pytest.mark.parametrize("where", SPOILT)
def test_one_flipped_byte_is_told_by_a_resume_and_nothing_is_sent(
    desk: Desk, where: str, killed: Path, tmp_path: Path
) -> None:
    spoil, expected = SPOILT[where]
    before = happened(desk.home)
    spoil(desk.home)
    done = desk.resume()
    assert done.code == 1
    assert re.match(expected, done.err), done.said
    assert happened(desk.home) == before


@pytest.mark.parametrize("where", SPOILT)
def test_whatever_command_meets_a_flipped_byte_it_says_so_or_does_not_need_it(desk: Desk, where: str) -> None:
    before = happened(desk.home)
    SPOILT[where][0](desk.home)
    for command in COMMANDS:
        no_traceback(desk.mesoflow(*command))
        assert happened(desk.home) == before, command


def test_the_record_is_named_by_journal_verify(desk: Desk) -> None:
    in_a_record(desk.home)
    done = desk.mesoflow("journal", RUN, "--verify")
    assert done.code == 1
    assert re.search(rf"record \d+ of run {RUN} \(number \d+ of the home\)", done.out + done.err), done.said


def test_an_unspoilt_copy_goes_on(desk: Desk, uncut: Told) -> None:
    """What the tests above would see if nothing was checked."""
    assert desk.resume().code == 0
    assert desk.told() == uncut


# --- a home that others can read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [".", "journal.db", "worlds"])
def test_a_home_that_others_can_read_is_refused_with_the_chmod_to_run(
    desk: Desk, uncut: Told, name: str
) -> None:
    before = happened(desk.home)
    spoilt = desk.home / name
    private = spoilt.stat().st_mode & 0o777
    spoilt.chmod(private | 0o044)
    done = desk.resume()
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"refused[MF611]: {spoilt} can be read by others, and it holds orders and positions\n"
        f"  help    Run: chmod {private:o} {spoilt}\n"
    )
    assert happened(desk.home) == before
    spoilt.chmod(private)
    assert desk.resume().code == 0
    assert desk.told() == uncut


def test_nothing_begins_in_a_folder_that_others_can_read(warm: Warm, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", QUICKSTART, warm)
    desk.home.mkdir(mode=0o755)
    desk.home.chmod(0o755)
    done = desk.run()
    assert (done.code, done.err.split(":")[0]) == (1, "refused[MF611]")
    assert list(desk.home.iterdir()) == []


# --- a disk that is read-only --------------------------------------------------------------------------------------------

READ_ONLY = f"""
import subprocess, sys
from pathlib import Path
from tests.support.killing import Desk
from tests.support.warm import Warm
folder = Path(sys.argv[1])
home = str(folder / "home")
for command in (["mount", "--bind", home, home], ["mount", "-o", "remount,bind,ro", home]):
    if subprocess.run(command, capture_output=True).returncode:
        sys.exit({CANNOT_MOUNT})
with Warm(1) as warm:
    desk = Desk(folder, "{QUICKSTART}", warm)
    for done in (desk.run("--again", "--reason", "a test"), desk.resume(), desk.mesoflow("kill")):
        print(done.code, done.out + done.err)
"""


@needs_mounts
def test_a_home_on_a_read_only_disk_is_refused(desk: Desk, uncut: Told) -> None:
    before = happened(desk.home)
    done = with_mounts(READ_ONLY, str(desk.folder))
    if done.returncode == CANNOT_MOUNT:
        pytest.skip("this system does not let us mount")
    # Its lines are as wide as the page; words are what counts.
    refused = (
        f"1 refused[MF610]: {desk.home} cannot be written help Make it writable for you (chmod 700 {desk.home}), or choose "
        "another: --state DIR or MESOFLOW_HOME."
    )
    assert (" ".join(done.stdout.split()), done.returncode) == (" ".join([refused] * 3), 0), done.stderr
    assert happened(desk.home) == before
    assert desk.resume().code == 0
    assert desk.told() == uncut


# --- a disk that is full -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passes", [0, 1, 5, 20, 40, 60, 70])
def test_a_commit_that_fails_ends_the_process_and_nothing_is_sent_after_it(
    warm: Warm, tmp_path: Path, uncut: Told, passes: int
) -> None:
    """The journal's log takes so many writes and no more."""
    desk = Desk(tmp_path / "desk", QUICKSTART, warm)
    places = {"MESOFLOW_HOME": str(desk.home), "MESOFLOW_WITNESS": str(desk.witness), PASSES: str(passes)}
    done = warm.staged(FULL, "run", QUICKSTART, **places)
    no_traceback(done)
    assert done.code == 1, done.said
    assert done.err == (
        f"refused[MF603]: the journal {desk.home}/journal.db cannot be used: the disk is full. Free some space on the disk of "
        f"{desk.home}, then resume.\n  help    nothing more was sent\n"
    )
    # Where no world was begun nothing can have been executed; to look for it would make one.
    assert not (desk.home / "worlds").exists() or desk.unwitnessed() == []
    goes_on = desk.resume() if begun(desk) else desk.run()
    assert goes_on.code == 0, goes_on.said
    assert desk.told() == uncut
    assert desk.executed_twice() == []
    assert desk.unwitnessed() == []


def test_an_engine_that_goes_on_after_a_failed_commit_is_caught(warm: Warm, tmp_path: Path) -> None:
    """The mutant: an order leaves, and the witness finds nothing written of it."""
    desk = Desk(tmp_path / "desk", QUICKSTART, warm)
    places = {"MESOFLOW_HOME": str(desk.home), "MESOFLOW_WITNESS": str(desk.witness), PASSES: "40"}
    done = warm.staged(SWALLOWED, "run", QUICKSTART, **places)
    assert done.code == 3, done.said
    assert re.search(r"ApplyPaperFills with key mf-\w+: the journal holds no durable intent", done.err), (
        done.said
    )
    assert desk.unwitnessed() != []


def begun(desk: Desk) -> bool:
    """Not where the disk was full before the journal had its tables."""
    return bool(json.loads(desk.mesoflow("runs", "--format", "json").out).get("runs"))


# A disk of 16 MB of which so many KB are free: journal and simulated world fill it together, at another place each time.
SMALL_DISK = f"""
import json, os, shutil, subprocess, sys
from pathlib import Path
from tests.support.killing import Desk
from tests.support.warm import Warm
disk = Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], capture_output=True).returncode:
    sys.exit({CANNOT_MOUNT})
with Warm(1) as warm:
    for free in map(int, sys.argv[2:]):
        desk = Desk(disk / "desk", "{QUICKSTART}", warm)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(os.statvfs(disk).f_bavail * 4096 - free * 1024))
        full = desk.run()
        ballast.unlink()
        begun = json.loads(desk.mesoflow("runs", "--format", "json").out).get("runs")
        after = desk.resume() if begun else desk.run()
        told = desk.told()
        print(json.dumps([free, full.code, full.out + full.err, after.code, told.state, told.outputs, told.paths,
                          repr([fact[:4] for fact in told.ledger]), desk.executed_twice()], default=str))
        shutil.rmtree(disk / "desk")
"""
FREE_KB = (4, 100, 200, 300, 450, 600, 900, 1200)


@needs_mounts
def test_a_disk_that_is_really_full(tmp_path: Path, uncut: Told) -> None:
    done = with_mounts(SMALL_DISK, str(tmp_path), *map(str, FREE_KB))
    if done.returncode == CANNOT_MOUNT:
        pytest.skip("this system does not let us mount")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(FREE_KB)
    for free, code, said, code_after, state, outputs, paths, ledger, twice in lines:
        assert "Traceback" not in said, said
        assert "bug in mesoflow" not in said, said
        assert "full" in said, (free, said)
        # Refused before the first step or by a commit; parked where the simulated world could not write, and did not say.
        assert code in (1, 3, 4), (free, said)
        assert (code_after, state) == (0, uncut.state), free
        # What was traded, not at what prices: four look-ups at an unknown outcome take two minutes.
        assert (set(outputs), outputs["position_id"]) == (set(uncut.outputs), uncut.outputs["position_id"]), (
            free
        )
        assert (paths, ledger, twice) == (uncut.paths, repr([fact[:4] for fact in uncut.ledger]), []), free
