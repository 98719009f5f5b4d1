"""A disk that fails under the real command: stage directions for warm.py, and a namespace in which a disk may be small.

The plays here are called in the command's own process before it begins; what they need to know stands in its environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw

from mesoflow.journal.errors import JournalUnusable
from mesoflow.journal.records import Commit
from mesoflow.journal.sqlite import SqliteJournal
from tests.support.vfs import RecordingVfs

ROOT = Path(__file__).parents[2]
# How many writes of the journal's log pass before the disk is full.
PASSES = "MESOFLOW_TEST_LOG_WRITES"
FULL = f"{__name__}:the_journals_disk_is_full"
SWALLOWED = f"{__name__}:failed_commits_are_swallowed"
# The script could not make a disk of its own: the system does not let us.
CANNOT_MOUNT = 77


def the_journals_disk_is_full() -> None:
    """From so many writes of its log on, every write of the journal fails as on a full disk."""
    vfs = RecordingVfs("a full disk")
    left = [int(os.environ[PASSES])]

    def before(event: str, kind: str) -> None:
        if event == "write":
            left[0] -= kind == "wal"
            if left[0] < 0:
                raise apsw.FullError("as the test asked")

    vfs.before = before
    honest = SqliteJournal.open.__func__  # type: ignore[attr-defined]

    def opened(cls: Any, path: Any, **options: Any) -> Any:
        return honest(cls, path, **{**options, "vfs": vfs.name})

    SqliteJournal.open = classmethod(opened)  # type: ignore[method-assign,assignment]


def failed_commits_are_swallowed() -> None:
    """The mutant: the disk is full as above, and the engine is told that all is well."""
    the_journals_disk_is_full()
    honest: Any = SqliteJournal.commit

    def commit(self: Any, entries: Any, **more: Any) -> Commit:
        try:
            return honest(self, entries, **more)  # type: ignore[no-any-return]
        except JournalUnusable:
            return Commit(0, "", tuple)

    SqliteJournal.commit = commit  # type: ignore[method-assign]


def may_mount() -> bool:
    """Whether a process of ours may have mounts of its own."""
    return shutil.which("unshare") is not None and _apart("import sys").returncode == 0


def with_mounts(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script in a process whose mounts are nobody else's and end with it."""
    return _apart(script, *arguments)


def _apart(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["unshare", "--mount", "--map-root-user", sys.executable, "-c", script, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=240)
