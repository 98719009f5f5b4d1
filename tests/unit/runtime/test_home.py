"""The state home: where it is, who may read it, who holds a run. Every refusal with its whole text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mesoflow.journal.records import Entry
from mesoflow.runtime import home as home_module
from mesoflow.runtime.home import (
    BadName,
    Held,
    HomeError,
    HomeExposed,
    HomeRemote,
    HomeUnusable,
    RunHeld,
    StateHome,
    WorldHeld,
)


@pytest.fixture
def home(tmp_path: Path) -> StateHome:
    return StateHome.open(tmp_path / "home")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "_TRY_EVERY_S", 0)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


# -- where it is ------------------------------------------------------------------------------------------------------


def test_it_is_where_it_is_said_to_be_else_in_the_environment_else_in_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {"MESOFLOW_HOME": str(tmp_path / "environment")}
    assert StateHome.open(tmp_path / "said", environ=environ).path == tmp_path / "said"
    assert StateHome.open(environ=environ).path == tmp_path / "environment"
    assert (
        StateHome.open(environ={}).path
        == StateHome.open(environ={"MESOFLOW_HOME": ""}).path
        == tmp_path / ".mesoflow"
    )
    assert StateHome.open("~/other", environ=environ).path == tmp_path / "other"
    monkeypatch.setenv("MESOFLOW_HOME", str(tmp_path / "set"))
    assert StateHome.open().path == tmp_path / "set"


def test_it_is_made_for_its_user_only_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        home = StateHome.open(tmp_path / "a" / "b" / "home")
        home.world("default")
        with home.run_lock("a-1"), home.world_lock("default"):
            journal = home.journal()
            journal.commit([Entry("a-1", "started", {})])
            found = {path.relative_to(home.path).as_posix(): mode(path) for path in home.path.rglob("*")}
            journal.close()
    finally:
        os.umask(umask)
    assert mode(home.path) == 0o700
    assert found == {
        "journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600, "head": 0o600, "worlds": 0o700, "worlds/default": 0o700,
        "locks": 0o700, "locks/run-a-1.lock": 0o600, "locks/world-default.lock": 0o600,
    }  # fmt: skip
    assert StateHome.open(home.path).has_journal()


def test_its_places(home: StateHome) -> None:
    assert (
        home.journal_path,
        home.halt_path,
        home.config_path,
        home.policy_path,
        home.notices_path,
    ) == tuple(
        home.path / name for name in ("journal.db", "HALT", "config.yaml", "policy.yaml", "notices.log")
    )
    assert home.world("sim-2") == home.world("sim-2") == home.path / "worlds" / "sim-2"
    assert not home.has_journal()


# -- who may read it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o710, 0o701, 0o720, 0o777])
def test_a_home_that_others_can_enter_is_refused_with_the_chmod_to_run(tmp_path: Path, bits: int) -> None:
    path = StateHome.open(tmp_path / "home").path
    path.chmod(bits)
    with pytest.raises(HomeExposed) as refused:
        StateHome.open(path)
    assert (
        str(refused.value)
        == f"{path} can be read by others, and it holds orders and positions. Run: chmod 700 {path}"
    )
    assert refused.value.code == "MF611"
    path.chmod(0o700)
    StateHome.open(path)


@pytest.mark.parametrize(
    "name", ["journal.db", "journal.db-wal", "head", "HALT", "config.yaml", "policy.yaml", "locks", "worlds"]
)
def test_a_file_in_it_that_others_can_read_is_refused(home: StateHome, name: str) -> None:
    path, bits = home.path / name, "600"
    if name in ("locks", "worlds"):
        path.mkdir(0o755)
        bits = "700"
    else:
        path.write_text("")
        path.chmod(0o640)
    with pytest.raises(HomeExposed) as refused:
        StateHome.open(home.path)
    assert (
        str(refused.value)
        == f"{path} can be read by others, and it holds orders and positions. Run: chmod {bits} {path}"
    )
    path.chmod(int(bits, 8))
    StateHome.open(home.path)


def test_another_users_home_is_refused(home: StateHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module.os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(HomeUnusable) as refused:
        StateHome.open(home.path)
    assert (
        str(refused.value)
        == f"{home.path} belongs to another user. Use a state home of your own: --state DIR or MESOFLOW_HOME."
    )


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable) as refused:
        StateHome.open(tmp_path / "file")
    assert str(refused.value) == (
        f"{tmp_path}/file is a file, and a folder is needed. Choose another folder: --state DIR or MESOFLOW_HOME."
    )
    assert refused.value.code == "MF610"
    with pytest.raises(HomeUnusable, match=r"file/below cannot be made \(.*\)\. Choose another folder"):
        StateHome.open(tmp_path / "file" / "below")


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="needs a folder in which nobody can make one: /sys"
)
def test_a_place_where_nothing_can_be_made_is_refused() -> None:
    with pytest.raises(HomeUnusable, match=r"/sys/mesoflow cannot be made \(.*\)\. Choose another folder"):
        StateHome.open("/sys/mesoflow")


def test_a_read_only_home_is_refused(home: StateHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the answer of the system is played; the next test does it for real where it can."""
    monkeypatch.setattr(home_module.os, "access", lambda path, mode: False)
    with pytest.raises(HomeUnusable) as refused:
        StateHome.open(home.path)
    assert str(refused.value) == (
        f"{home.path} cannot be written. Make it writable for you (chmod 700 {home.path}), or choose another: --state DIR or "
        "MESOFLOW_HOME."
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_without_write_permission_is_refused(home: StateHome) -> None:
    home.path.chmod(0o500)
    with pytest.raises(HomeUnusable, match="cannot be written"):
        StateHome.open(home.path)
    home.path.chmod(0o700)


# -- where it lies ----------------------------------------------------------------------------------------------------

MOUNTS = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
server:/export /home nfs4 rw 0 0
/dev/vdb /home/ann/local ext4 rw 0 0
//nas/share /mnt/my\\040share cifs rw 0 0
ann@host: /mnt/ssh fuse.sshfs rw 0 0
/dev/sdc /mnt/usb fuseblk rw 0 0
portal /run/doc fuse.portal rw 0 0
C: /mnt/c 9p rw 0 0
tmpfs /mnt/c/tmp tmpfs rw 0 0
garbled
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/ann/.mesoflow", "nfs4"), ("/home", "nfs4"), ("/mnt/my share/x", "cifs"), ("/mnt/ssh/x", "fuse.sshfs"), ("/mnt/c/x", "9p"),
        ("/", None), ("/homestead/x", None), ("/home/ann/local/x", None), ("/mnt/usb/x", None), ("/run/doc/x", None), ("/mnt/c/tmp/x", None),
    ],
)  # fmt: skip
def test_network_file_systems_are_refused(tmp_path: Path, folder: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    if kind is None:
        home_module._require_local(Path(folder), mounts)
        return
    with pytest.raises(HomeRemote) as refused:
        home_module._require_local(Path(folder), mounts)
    assert str(refused.value) == (
        f"{folder} lies on a network file system ({kind}), where two machines could run one run at once. "
        "Choose a folder on a local disk: --state DIR or MESOFLOW_HOME."
    )
    assert refused.value.code == "MF612"


def test_the_newest_of_two_mounts_in_one_place_counts(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/vda / ext4 rw 0 0\n/dev/vdb /data ext4 rw 0 0\nserver:/x /data nfs rw 0 0\n")
    with pytest.raises(HomeRemote):
        home_module._require_local(Path("/data/x"), mounts)


def test_where_mounts_are_not_listed_nothing_is_refused(tmp_path: Path) -> None:
    home_module._require_local(tmp_path, tmp_path / "missing")


def test_opening_looks_at_the_real_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "_file_system", lambda folder, listed: "nfs")
    with pytest.raises(HomeRemote):
        StateHome.open(tmp_path / "home")


# -- halt -------------------------------------------------------------------------------------------------------------


def test_it_is_halted_while_the_file_is_there(home: StateHome) -> None:
    assert not home.is_halted()
    home.halt_path.write_text("")
    assert home.is_halted()
    home.halt_path.unlink()
    assert not home.is_halted()


def test_the_first_word_of_a_halt_stands_and_a_release_takes_it_away(home: StateHome) -> None:
    assert home.halt("first")
    assert not home.halt("second")
    assert home.halt_path.read_text() == "first\n"
    assert mode(home.halt_path) == 0o600
    assert home.release()
    assert not home.release()
    assert not home.is_halted()


def test_a_halt_is_synced_with_its_folder(home: StateHome, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    honest = os.fsync

    def fsync(file: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{file}"))
        honest(file)

    monkeypatch.setattr("mesoflow.runtime.home.os.fsync", fsync)
    home.halt("now")
    assert synced == [str(home.halt_path), str(home.path)]
    home.release()
    assert synced[2:] == [str(home.path)]


def test_who_cannot_look_counts_as_halted(home: StateHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(home_module.os, "stat", refuse)
    assert home.is_halted()


# -- who holds it -----------------------------------------------------------------------------------------------------

HOLDER = """
import sys
from mesoflow.runtime.home import StateHome
home = StateHome.open(sys.argv[1])
with getattr(home, sys.argv[2])(sys.argv[3]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(home: StateHome, lock: str, name: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock, until the block ends."""
    command = [sys.executable, "-c", HOLDER, str(home.path), lock, name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_a_second_runner_is_refused_and_told_of_the_first(home: StateHome) -> None:
    with another_process(home, "run_lock", "a-1") as first:
        assert home.is_run_held("a-1")
        with pytest.raises(RunHeld) as refused, home.run_lock("a-1"):
            pass
        assert isinstance(refused.value, Held)
        assert refused.value.code == "MF614"
        assert str(refused.value) == (
            f"{home.path}/locks says that run a-1 has a runner (process {first.pid}). "
            "Wait for it, or end it: `mesoflow cancel` asks it to stop."
        )
        with home.run_lock("a-2"):
            pass
    with home.run_lock("a-1"):
        pass


def test_a_runner_that_is_killed_holds_nothing(home: StateHome) -> None:
    with another_process(home, "run_lock", "a-1") as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert not home.is_run_held("a-1")
        with home.run_lock("a-1"):
            assert (home.path / "locks" / "run-a-1.lock").read_text() == f"process {os.getpid()}\n"


def test_a_second_holder_in_the_same_process_is_refused_too(home: StateHome) -> None:
    with home.run_lock("a-1"):
        assert home.is_run_held("a-1")
        with pytest.raises(RunHeld), home.run_lock("a-1"):
            pass
        assert home.is_run_held("a-1")
    assert not home.is_run_held("a-1")
    assert not home.is_run_held("never-run")


def test_a_world_lives_in_one_process(home: StateHome) -> None:
    with another_process(home, "world_lock", "default") as first:
        with pytest.raises(WorldHeld) as refused, home.world_lock("default"):
            pass
        assert str(refused.value) == (
            f"{home.path}/locks says that the simulated world default lives in another process (process {first.pid}). "
            "For several runs at once, start `mesoflow sim serve` and pass its URL."
        )
        with home.run_lock("default"), home.world_lock("serve"):
            pass


def test_somebody_who_only_looks_turns_no_runner_away(
    home: StateHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look holds a shared lock; the runner tries again, and it is gone."""
    import fcntl

    with home.run_lock("a-1"):
        pass
    looking = os.open(home.path / "locks" / "run-a-1.lock", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(home_module.time, "sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
    assert not home.is_run_held("a-1")
    with home.run_lock("a-1"):
        assert home.is_run_held("a-1")
    os.close(looking)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "-a", ".a", "a b", "a\n", "é", "x" * 121])
def test_a_name_that_cannot_be_a_file_is_refused(home: StateHome, name: str) -> None:
    for use in (home.run_lock(name), home.world_lock(name)):
        with pytest.raises(BadName) as refused, use:
            pass
        assert refused.value.code == "MF613"
    with pytest.raises(BadName):
        home.world(name)
    with pytest.raises(BadName):
        home.is_run_held(name)


@pytest.mark.parametrize("name", ["friday-put-calendar-2026-11-27", "x-2026-11-23-2", "A_1.b+c", "x" * 120])
def test_a_run_id_can_be_a_file(home: StateHome, name: str) -> None:
    with home.run_lock(name), home.world_lock(name):
        assert home.is_run_held(name)


def test_each_kind_of_error_has_its_code() -> None:
    kinds = (HomeError, HomeUnusable, HomeExposed, HomeRemote, BadName, Held, RunHeld, WorldHeld)
    assert [kind.code for kind in kinds] == [
        "MF610",
        "MF610",
        "MF611",
        "MF612",
        "MF613",
        "MF614",
        "MF614",
        "MF614",
    ]


def test_opening_a_home_imports_no_sqlite() -> None:
    """`check` and `--version` must not pay for it."""
    code = "import sys; from mesoflow.runtime.home import StateHome; print(sorted({'apsw', 'sqlite3', 'msgspec', 'asyncio'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
