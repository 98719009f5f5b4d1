"""The report of a run, folded from its records alone; every renderer on the same sample."""

from decimal import Decimal as D

import pytest

from mesoflow.review.building import Stand, build_report
from mesoflow.review.render.json import report_json
from mesoflow.review.render.text import ending_text, report_text
from mesoflow.review.report import Report
from tests.support.calendar_story import RUN, bought, machine, prepared
from tests.support.snapshots import matches


def report(story, state="done", reason="", words="", path=""):
    return build_report(list(story.journal.read(RUN)), machine(), Stand(state, reason, words, path))


def unknown():
    story = prepared().intend(RUN, "buy/send", at=1503, exec_plan_id=501)
    story.park(
        RUN,
        "outcome_unknown",
        "what became of buy/send (ApplyPaperFills): the record is gone",
        "buy/send",
        at=1600,
    )
    return report(
        story,
        "parked",
        "outcome_unknown",
        "what became of buy/send (ApplyPaperFills): the record is gone",
        "buy/send",
    )


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("done", lambda: report(bought())),
        ("unknown", unknown),
        ("running", lambda: report(prepared().intend(RUN, "buy/send", at=1503, exec_plan_id=501), "running")),
        ("died", lambda: report(prepared(), "parked", "died")),
    ],
)
def test_the_report_as_text_and_as_json(name, made):
    matches(__file__, f"report-{name}.txt", report_text(made()))
    matches(__file__, f"report-{name}.json", report_json(made()))
    matches(__file__, f"ending-{name}.txt", ending_text(made()))


def test_json_is_the_canonical_form_and_reads_back():
    made = report(bought())
    assert Report.model_validate_json(made.model_dump_json()) == made


def test_what_was_conceded_is_the_price_against_the_mid_of_the_plan():
    execution = report(bought()).executions[0]
    assert (execution.price, execution.mid, execution.conceded, execution.cash) == (
        D("42.55"),
        D("42.25"),
        D("0.30"),
        D(-4255),
    )


def test_steps_know_when_they_began_and_ended_and_local_ones_too():
    lines = {
        line.id: (
            line.state,
            line.depth,
            line.ended and int((line.ended - report(bought()).started).total_seconds()),
        )
        for line in report(bought()).steps
    }
    assert lines == {
        "account": ("done", 0, 2),
        "enter": ("done", 0, 1503),
        "entry": ("done", 1, 1503),
        "sane": ("done", 1, 1503),
        "buy": ("done", 0, 1510),
        "again": ("skipped", 0, 1510),
    }


def test_a_journal_that_the_program_does_not_ask_for_is_said_and_what_stands_above_still_holds():
    story = prepared().settle(RUN, "buy/other", 1)
    made = report(story, "parked", "died")
    assert "buy/other" in made.differs
    assert [line.id for line in made.steps if line.state == "done"] == ["account", "enter", "entry", "sane"]
