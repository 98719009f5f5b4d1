"""The state home: one folder per user and machine, in which everything lies that outlives a process. Its errors:

    HomeError            base
    ├── HomeUnusable     MF610  not a folder, not ours, not writable
    ├── HomeExposed      MF611  others can read it, or a file in it; with the chmod to run
    ├── HomeRemote       MF612  on a network file system, where locks and the journal's shared memory do not hold
    ├── BadName          MF613  a run id or a world's name that cannot be a file name
    └── Held             MF614  somebody else has the lock (exit 9)
        ├── RunHeld      of a run
        └── WorldHeld    of an embedded world

What lies in it:

    journal.db (-wal, -shm), head     the journal and its length            locks/          one file a run and a world
    HALT                              no order leaves while it is there     worlds/NAME/    simulated worlds
    config.yaml, policy.yaml          written by the user                   reports/, notices.log
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from mesoflow.journal.sqlite import SqliteJournal

# What is known to break locks or shared memory between machines, or to answer a sync before the data is safe. Types of
# /proc/mounts; of fuse only those that stand for another machine.
REMOTE_TYPES = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs",
))  # fmt: skip
REMOTE_FUSE = frozenset(
    ("ceph", "davfs2", "gcsfuse", "glusterfs", "goofys", "rclone", "s3fs", "sshfs", "vmhgfs-fuse")
)

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,119}")
_MOUNTS = Path("/proc/mounts")

_PRIVATE = (
    "journal.db", "journal.db-wal", "journal.db-shm", "head", "HALT", "config.yaml", "policy.yaml", "notices.log", "locks", "worlds",
    "reports",
)  # fmt: skip

# A look at who holds a lock takes it, shared, for microseconds; a runner must not be turned away by that.
_TRIES, _TRY_EVERY_S = 10, 0.005


@dataclass
class HomeError(Exception):
    """Base. `path` is what it is about; `remedy` is a sentence that says what to do."""

    code: ClassVar[str] = "MF610"
    path: Path
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.reason}. {self.remedy}".rstrip()


class HomeUnusable(HomeError):
    """It is not a folder of ours that can be written."""


class HomeExposed(HomeError):
    """Others can read it."""

    code = "MF611"


class HomeRemote(HomeError):
    """It lies on a network file system."""

    code = "MF612"


class BadName(HomeError):
    """No file can be called that here."""

    code = "MF613"


class Held(HomeError):
    """The lock is somebody else's, who is alive: the kernel frees a lock when its process is gone."""

    code = "MF614"


class RunHeld(Held):
    """Another runner holds the run."""


class WorldHeld(Held):
    """Another process holds the embedded world."""


class StateHome:
    """A state home that has been checked. Made by `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None
    ) -> StateHome:
        """The home at `path` (--state), else at MESOFLOW_HOME, else ~/.mesoflow; made, 0700, where there is none."""
        environ = os.environ if environ is None else environ
        folder = Path(path or environ.get("MESOFLOW_HOME") or Path.home() / ".mesoflow").expanduser()
        folder = Path(os.path.abspath(folder))
        _make(folder)
        _require_local(folder)
        home = cls(folder)
        for one in (folder, *home._files()):
            _require_private(one)
        if not os.access(folder, os.W_OK | os.X_OK):
            remedy = f"Make it writable for you (chmod 700 {folder}), or choose another: --state DIR or MESOFLOW_HOME."
            raise HomeUnusable(folder, "cannot be written", remedy)
        return home

    @property
    def journal_path(self) -> Path:
        """The database. Beside it lie its log and the head."""
        return self.path / "journal.db"

    @property
    def halt_path(self) -> Path:
        """The file whose existence means: no order leaves this home."""
        return self.path / "HALT"

    @property
    def config_path(self) -> Path:
        """The user's settings; may be absent."""
        return self.path / "config.yaml"

    @property
    def policy_path(self) -> Path:
        """The user's policy; may be absent."""
        return self.path / "policy.yaml"

    @property
    def notices_path(self) -> Path:
        """Where a notice goes that has no target of its own."""
        return self.path / "notices.log"

    def journal(self, *, read_only: bool = False, vfs: str | None = None) -> SqliteJournal:
        """Open the home's journal, made first if there is none (not for readers)."""
        # apsw is imported only by commands that read or write a journal: `check` and `--version` do not.
        from mesoflow.journal.sqlite import SqliteJournal

        return SqliteJournal.open(self.journal_path, read_only=read_only, vfs=vfs)

    def has_journal(self) -> bool:
        """Has anything ever run here?"""
        return self.journal_path.exists() or (self.path / "head").exists()

    def is_halted(self) -> bool:
        """Does HALT exist? Whoever cannot tell must not send, so any failure to look means yes."""
        try:
            os.stat(self.halt_path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def halt(self, said: str) -> bool:
        """Make HALT, durable before this returns; false where it is there already. `said` is for whoever finds it."""
        try:
            file = os.open(self.halt_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return False
        try:
            os.write(file, said.encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        self._sync()
        return True

    def release(self) -> bool:
        """Take HALT away, durable before this returns; false where there was none."""
        try:
            os.unlink(self.halt_path)
        except FileNotFoundError:
            return False
        self._sync()
        return True

    def _sync(self) -> None:
        """A file's name is durable once its folder is."""
        folder = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def world(self, name: str) -> Path:
        """The folder of a simulated world, made if need be."""
        worlds = self.path / "worlds"
        folder = worlds / _file_name(name, "a world")
        _make(worlds)
        _make(folder)
        return folder

    @contextmanager
    def run_lock(self, run_id: str) -> Iterator[None]:
        """Be the one runner of `run_id`, from now to the end of the block or of the process. Raises RunHeld."""
        with self._lock(f"run-{_file_name(run_id, 'a run id')}") as holder:
            if holder is not None:
                reason = f"says that run {run_id} has a runner ({holder})"
                raise RunHeld(
                    self._locks(), reason, "Wait for it, or end it: `mesoflow cancel` asks it to stop."
                )
            yield

    @contextmanager
    def world_lock(self, name: str) -> Iterator[None]:
        """Be the one process in whose memory the embedded world lives. Raises WorldHeld when there is one."""
        with self._lock(f"world-{_file_name(name, 'a world')}") as holder:
            if holder is not None:
                reason = f"says that the simulated world {name} lives in another process ({holder})"
                raise WorldHeld(
                    self._locks(),
                    reason,
                    "For several runs at once, start `mesoflow sim serve` and pass its URL.",
                )
            yield

    def is_run_held(self, run_id: str) -> bool:
        """Has the run a living runner? Looks through a shared lock, held for an instant, which a runner waits out."""
        try:
            file = os.open(
                self._lock_path(f"run-{_file_name(run_id, 'a run id')}"), os.O_RDONLY | os.O_CLOEXEC
            )
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    @contextmanager
    def _lock(self, name: str) -> Iterator[str | None]:
        """Hold a lock file; yields None, or who holds it. The file stays: removing it would let two hold one name."""
        _make(self._locks())
        file = os.open(self._lock_path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(file):
                yield os.pread(file, 100, 0).decode(errors="replace").strip() or "process unknown"
                return
            os.ftruncate(file, 0)
            os.pwrite(file, b"process %d\n" % os.getpid(), 0)
            yield None
        finally:
            os.close(file)

    def _lock_path(self, name: str) -> Path:
        return self._locks() / f"{name}.lock"

    def _locks(self) -> Path:
        return self.path / "locks"

    def _files(self) -> list[Path]:
        """What in it must be nobody else's to read. What lies deeper is behind these folders."""
        return [self.path / name for name in _PRIVATE]


def _file_name(name: str, what: str) -> str:
    if _NAME.fullmatch(name):
        return name
    remedy = "Use letters, digits, '.', '_', '+' and '-', at most 120, and no '.' or '-' at the beginning."
    raise BadName(Path(name), f"cannot be the name of {what}", remedy)


def _locked(file: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_EVERY_S)
        else:
            return True
    return False


def _make(folder: Path) -> None:
    """The folder, 0700, with whatever is missing above it."""
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        reason = (
            "is a file, and a folder is needed" if folder.exists() else f"cannot be made ({error.strerror})"
        )
        raise HomeUnusable(folder, reason, "Choose another folder: --state DIR or MESOFLOW_HOME.") from None


def _require_private(path: Path) -> None:
    """Ours, and for nobody else to read. What does not exist is fine."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise HomeUnusable(
            path, f"cannot be looked at ({error.strerror})", "Make its folder yours."
        ) from None
    if found.st_uid != os.geteuid():
        raise HomeUnusable(
            path, "belongs to another user", "Use a state home of your own: --state DIR or MESOFLOW_HOME."
        )
    if found.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
        raise HomeExposed(
            path, "can be read by others, and it holds orders and positions", f"Run: chmod {mode} {path}"
        )


def _require_local(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Refuse a network file system. Where the system does not list its mounts (macOS), nothing is known and nothing refused."""
    try:
        listed = mounts.read_text(errors="surrogateescape")
    except OSError:
        return
    kind = _file_system(os.path.realpath(folder), listed)
    if kind in REMOTE_TYPES or (kind.startswith("fuse.") and kind[5:] in REMOTE_FUSE):
        raise HomeRemote(
            folder,
            f"lies on a network file system ({kind}), where two machines could run one run at once",
            "Choose a folder on a local disk: --state DIR or MESOFLOW_HOME.",
        )


def _file_system(folder: str, listed: str) -> str:
    """The type of the mount that `folder` lies on: the longest mount point above it, the newest of equals."""
    found, kind = "", ""
    for line in listed.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(found):
            found, kind = point, fields[2]
    return kind
