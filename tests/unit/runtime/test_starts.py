"""What a second start with the same key comes to, and the ids of runs."""

from datetime import date

import pytest

from mesoflow.cli.views.refused import refusal_text
from mesoflow.runtime.refusal import Refusal
from mesoflow.runtime.standing import standings
from mesoflow.runtime.starts import NewRun, Skipped, StartKey, Wish, decide_start, key_of, run_of
from tests.support.stories import THURSDAY, Story, nobody

FIRST = "calendar-2025-01-16"
KEY = StartKey("calendar", ("PAPER-1",), "session", THURSDAY)


def wish(**changes):
    return Wish(
        **{"playbook": "calendar", "accounts": ("PAPER-1",), "once_per": "session", "session_date": THURSDAY}
        | changes
    )


def start(story, held=nobody, **changes):
    return decide_start(wish(**changes), story.journal, standings(story.journal, held))


def test_the_first_start_of_a_session_runs():
    assert start(Story()) == NewRun(FIRST, KEY)


def test_another_session_account_or_playbook_is_another_key():
    story = Story().begin(FIRST)
    assert start(story, session_date=date(2025, 1, 17)).run_id == "calendar-2025-01-17"
    assert start(story, accounts=("IB-1",)).run_id == "calendar-2025-01-16-2"
    assert start(story, playbook="strangle").run_id == "strangle-2025-01-16"


def test_accounts_are_a_set():
    assert key_of(wish(accounts=("B", "A"))) == key_of(wish(accounts=("A", "B")))


def test_a_week_counts_from_its_monday():
    assert start(Story(), once_per="week").run_id == "calendar-2025-01-13"
    assert key_of(wish(once_per="week", session_date=date(2025, 1, 17))).period == date(2025, 1, 13)


def test_never_has_no_key_and_numbers_its_runs():
    story = Story().begin("calendar-2025-01-16").begin("calendar-2025-01-16-2")
    assert start(story, once_per="never") == NewRun("calendar-2025-01-16-3", None)


def test_one_that_ended_without_an_order_is_followed_by_another():
    story = Story().begin(FIRST).end(FIRST, "skipped", "VIX is 30")
    assert start(story) == NewRun(f"{FIRST}-2", KEY)


def test_one_that_ended_after_an_order_was_intended_makes_the_next_skip():
    story = (
        Story()
        .begin(FIRST)
        .intend(FIRST, "buy/send")
        .settle(FIRST, "buy/send", 1)
        .end(FIRST, "failed", "not_filled")
    )
    found = start(story)
    assert isinstance(found, Skipped)
    assert found.text == "calendar-2025-01-16 has traded in this session and is failed; nothing is started"


def test_one_that_can_be_resumed_refuses_the_next_and_says_how_to_go_on():
    story = (
        Story()
        .begin(FIRST)
        .intend(FIRST, "buy/send")
        .park(FIRST, "outcome_unknown", "nobody knows", "buy/send", at=399)
    )
    with pytest.raises(Refusal) as refused:
        start(story)
    assert refusal_text(refused.value) == (
        "refused[MF501]: calendar has already run in this session\n"
        "  key     calendar · PAPER-1 · Thu 16 Jan 2025        (start: {once_per: session})\n"
        '  run     calendar-2025-01-16, since 10:00:00 ET, stopped at 10:06:39 in step "buy": one order, outcome unknown\n'
        "  help    mesoflow resume calendar-2025-01-16         settles what is open first, then goes on\n"
        '          (`--again --reason "…"` starts a second run on purpose; not while an outcome is unknown)'
    )


def test_one_that_runs_refuses_the_next():
    story = Story().begin(FIRST)
    with pytest.raises(Refusal) as refused:
        start(story, held=lambda run: True)
    assert refused.value.summary == "calendar is running in this session"


def test_again_starts_a_second_one_on_purpose():
    story = Story().begin(FIRST).park(FIRST, "interrupted", "Ctrl-C")
    assert start(story, again=True) == NewRun(f"{FIRST}-2", KEY)


def test_but_not_while_an_outcome_is_unknown():
    story = Story().begin(FIRST).intend(FIRST, "buy/send").park(FIRST, "outcome_unknown", "nobody knows")
    with pytest.raises(Refusal):
        start(story, again=True)


def test_a_run_id_replaces_the_id_and_never_the_key():
    story = Story().begin("mine")
    assert start(Story(), run_id="mine") == NewRun("mine", KEY)
    with pytest.raises(Refusal, match="MF501"):
        start(story, run_id="other")


def test_a_taken_run_id_is_refused():
    story = Story().begin("mine", start_key=None).end("mine")
    with pytest.raises(Refusal, match="MF502: there is a run mine already"):
        start(story, run_id="mine")


def test_or_resume_finds_the_run_of_the_id_else_of_the_key():
    story = Story().begin(FIRST).end(FIRST).begin("mine", start_key=None)
    runs = standings(story.journal, nobody)
    assert run_of(wish(run_id="mine"), runs).run_id == "mine"
    assert run_of(wish(), runs).run_id == FIRST
    assert run_of(wish(once_per="never"), runs) is None
    assert run_of(wish(run_id="third"), runs) is None
