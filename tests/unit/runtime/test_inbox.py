"""Requests of other processes: taken up once, answered once."""

from mesoflow.runtime.inbox import Inbox, ask_cancel, ask_kill
from tests.support.stories import Story


def inbox(story):
    heard = []
    return Inbox(story.journal, "one", heard.append), heard


def test_a_cancel_is_taken_up_once_and_answered_when_the_run_is_over():
    story = Story().begin("one")
    box, heard = inbox(story)
    row = ask_cancel(story.journal, "one", "anna", "wrong day")
    box.look()
    box.look()
    assert heard == ["cancelled by anna: wrong day"]
    assert story.journal.answer_of(row) is None
    box.over("cancelled", "")
    assert story.journal.answer_of(row) == {"state": "cancelled", "reason": ""}
    assert story.journal.open_requests("one") == []


def test_requests_to_other_runs_are_not_ours():
    story = Story().begin("one").begin("two")
    box, heard = inbox(story)
    ask_cancel(story.journal, "two", "anna", "")
    box.look()
    assert heard == []


def test_what_this_version_does_not_know_is_answered_and_not_left_hanging():
    story = Story().begin("one")
    box, heard = inbox(story)
    row = story.journal.post("one", "approve", {})
    box.look()
    assert story.journal.answer_of(row) == {"refused": "this runner knows no approve"}
    assert heard == []


def test_a_kill_is_answered_with_how_the_run_stands_once_it_has_parked():
    story, killed = Story().begin("one"), []
    box = Inbox(story.journal, "one", lambda reason: None, lambda: killed.append(1))
    row = ask_kill(story.journal, "one", "anna", "")
    box.look()
    box.look()
    assert (killed, story.journal.answer_of(row)) == ([1], None)
    box.over("parked", "halted")
    assert story.journal.answer_of(row) == {"state": "parked", "reason": "halted"}


def test_a_kill_that_comes_at_the_very_end_has_what_it_wants_and_a_cancel_is_left_to_the_next_runner():
    story = Story().begin("one")
    box, heard = inbox(story)
    killed, cancelled = (
        ask_kill(story.journal, "one", "anna", ""),
        ask_cancel(story.journal, "one", "anna", ""),
    )
    box.over("parked", "halted")
    assert story.journal.answer_of(killed) == {"state": "parked", "reason": "halted"}
    assert (story.journal.answer_of(cancelled), heard) == (None, [])
