"""Requests of other processes: taken up once, answered once."""

from mesoflow.runtime.inbox import Inbox, ask_cancel
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
