"""The crash matrix once more over the real journal: each single crash, the file closed as a dead process leaves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoflow.journal.sqlite import SqliteJournal
from tests.support.rig import Rig
from tests.unit.runtime import test_crash_matrix as matrix


def sqlite_rig(folder: Path) -> Rig:
    rig = Rig(journal=SqliteJournal.open(folder / "journal.db"))
    rig.world.flaky["FLAKY"] = 1
    return rig


@pytest.mark.parametrize("point", matrix.POINTS)
def test_died_here_and_resumed(point: str, tmp_path: Path):
    rig = sqlite_rig(tmp_path)
    assert rig.life(point).conclusion == "crashed"
    rig.journal.close()
    rig.journal = SqliteJournal.open(tmp_path / "journal.db")
    rig.journal.check("toys-2025-01-16")
    matrix.same_as_uncut(rig, rig.life())
    assert rig.journal.verify() == []
    rig.journal.close()
