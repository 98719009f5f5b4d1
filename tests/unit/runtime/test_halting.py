"""HALTED is a file and nothing else; the journal records who and why; a release is written before the file goes."""

from datetime import UTC, datetime

import pytest

from mesoflow.engine.effects import Govern
from mesoflow.journal.errors import JournalUnusable
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import HOME
from mesoflow.runtime import halting
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import Refusal

AT = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    return StateHome.open(tmp_path / "home")


def words(journal):
    return [
        (r.kind, r.body.get("state"), r.body.get("owner"), r.body.get("reason")) for r in journal.read(HOME)
    ]


def test_who_halts_first_has_the_word(home):
    journal = MemoryJournal()
    assert halting.halt(home, journal, "anna", "the feed lies", AT)
    assert not halting.halt(home, journal, "ben", "too", AT)
    assert words(journal) == [("state", "HALTED", "anna", "the feed lies")]
    assert halting.halted_by(home) == "by anna at 2025-01-16 15:00:00 UTC: the feed lies"
    with pytest.raises(Refusal, match="MF512: the state home is halted") as refused:
        halting.require_released(home)
    assert refused.value.rows[0] == ("halted", "by anna at 2025-01-16 15:00:00 UTC: the feed lies")


def test_an_empty_file_halts_as_well(home):
    home.halt_path.touch(mode=0o600)
    assert halting.halted_by(home) == "by a file that nobody signed"


def test_the_halt_holds_even_where_the_journal_cannot_be_written(home):
    journal = MemoryJournal()
    journal.fail_commit()
    with pytest.raises(JournalUnusable):
        halting.halt(home, journal, "anna", "", AT)
    assert home.is_halted()


def test_a_release_that_cannot_be_written_releases_nothing(home):
    journal = MemoryJournal()
    halting.halt(home, journal, "anna", "", AT)
    journal.fail_commit()
    with pytest.raises(JournalUnusable):
        halting.release(home, journal, "anna", "")
    assert home.is_halted()


def test_a_release_is_journalled_and_lets_runs_start(home):
    journal = MemoryJournal()
    halting.halt(home, journal, "anna", "", AT)
    assert halting.release(home, journal, "ben", "looked")
    assert words(journal)[1] == ("state", "ACTIVE", "ben", "looked")
    halting.require_released(home)
    assert halting.halted_by(home) == ""
    assert not halting.release(home, journal, "ben", "")


def test_a_run_governs_twice_and_changes_nothing_more(home):
    journal = MemoryJournal()
    for _ in range(2):
        answer = halting.govern(home, journal, "one", Govern("set", "halted", "no hedge"), AT)
        assert answer == {"state": "halted", "since": AT}
    assert words(journal) == [("state", "HALTED", "one", "no hedge")]
    halting.govern(home, journal, "one", Govern("set", "reducing", "no hedge"), AT)
    assert words(journal)[1] == ("state", "REDUCING", "one", "no hedge")


def test_a_playbook_is_released_by_name():
    journal = MemoryJournal()
    halting.release_playbook(journal, "calendar", "anna", "drill")
    record = next(iter(journal.read(HOME)))
    assert (record.kind, record.body["playbook"], record.body["by"]) == ("released", "calendar", "anna")
