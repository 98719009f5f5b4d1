"""What the twin does beyond the conformance tests: fail when it is told to."""

from __future__ import annotations

import pytest

from mesoflow.journal.errors import JournalUnusable
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import Entry

SOME = Entry("a-1", "settled", {"path": "x"})


def test_a_commit_fails_when_it_is_told_to_and_nothing_is_written_then() -> None:
    journal = MemoryJournal()
    journal.fail_commit(after=2)
    journal.commit([SOME])
    journal.claim("a-1")
    with pytest.raises(JournalUnusable, match="the disk is full"):
        journal.commit([SOME, SOME])
    for _ in range(2):
        with pytest.raises(JournalUnusable, match="closed to writes"):
            journal.commit([SOME])
    assert len(list(journal.home())) == 1


def test_it_fails_with_the_error_that_it_is_given() -> None:
    journal = MemoryJournal()
    journal.fail_commit(error=JournalUnusable("j", "the disk failed"))
    with pytest.raises(JournalUnusable, match="the disk failed"):
        journal.post(None, "kill", {})
    assert journal.open_requests(None) == []
