"""An fsync stands between each intent and its send: seen through the journal's own file system, for every call of a run."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from mesoflow.journal.errors import JournalUnusable
from mesoflow.journal.sqlite import SqliteJournal
from tests.support.rig import Rig
from tests.support.vfs import RecordingVfs

CHANGES = {"CreateStrategy", "StartPreparePositionEntry", "ApplyPaperFills"}


def watched(folder: Path, vfs: RecordingVfs) -> Rig:
    """A run whose hub writes each call that changes something into the list of what the disk did."""
    rig = Rig(journal=SqliteJournal.open(folder / "journal.db", vfs=vfs.name))
    rig.world.flaky["FLAKY"] = 1
    honest = rig.world.call

    def call(method, args, request):
        if method in CHANGES:
            vfs.events.append(("send", method))
        return honest(method, args, request)

    rig.world.call = call
    return rig


def unsynced_sends(events: list[tuple[str, str]]) -> list[str]:
    """Sends that the log's last write before them had not been synced for."""
    dirty, wrong = False, []
    for event, kind in events:
        if (event, kind) == ("write", "wal"):
            dirty = True
        elif (event, kind) == ("sync", "wal"):
            dirty = False
        elif event == "send" and dirty:
            wrong.append(kind)
    return wrong


def test_every_send_finds_its_intent_on_the_disk(tmp_path: Path) -> None:
    with RecordingVfs("sync-before-send") as vfs:
        rig = watched(tmp_path, vfs)
        rig.life()
        rig.journal.close()
        sends = [kind for event, kind in vfs.events if event == "send"]
        assert len(sends) == 6
        assert unsynced_sends(vfs.events) == []


def test_a_journal_that_does_not_sync_would_be_seen(tmp_path: Path) -> None:
    """The mutant: synchronous off."""
    with RecordingVfs("never-synced") as vfs:
        rig = watched(tmp_path, vfs)
        rig.journal._connection.execute("PRAGMA synchronous = OFF")
        rig.life()
        rig.journal.close()
        assert unsynced_sends(vfs.events) != []


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_a_disk_that_is_full_or_fails_ends_the_run_and_nothing_is_sent(
    tmp_path: Path, error: type[apsw.Error]
) -> None:
    with RecordingVfs(f"failing-{error.__name__}") as vfs:
        rig = watched(tmp_path, vfs)
        vfs.fail("write", "wal", error)
        with pytest.raises(JournalUnusable):
            rig.life()
        assert [kind for event, kind in vfs.events if event == "send"] == []
