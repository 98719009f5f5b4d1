"""A person's decision: two records in one commit, and what can be adopted by hand."""

import pytest

from mesoflow.engine.effects import Done, Refused
from mesoflow.runtime.bodies import read_outcome
from mesoflow.runtime.decide import adopted, commit, did_not_happen, unknown_at
from mesoflow.runtime.refusal import Refusal
from mesoflow.runtime.standing import open_intents
from tests.support.stories import Story, after

RUN, PATH = "one", "buy/fill"


def unknown(method="ApplyPaperFills"):
    return (
        Story()
        .begin(RUN)
        .intend(RUN, PATH, method, exec_plan_id=501)
        .park(RUN, "outcome_unknown", "nobody knows", PATH)
    )


def decide(story, decision):
    intent, _ = unknown_at(story.journal, RUN, PATH)
    commit(story.journal, RUN, intent, decision, after(400), story.journal.claim(RUN))
    return list(story.journal.read(RUN))[-2:]


def test_it_did_not_happen_is_a_refusal_for_good():
    story = unknown()
    intent, _ = unknown_at(story.journal, RUN, PATH)
    decided, settled = decide(story, did_not_happen(intent, "anna", "the broker shows nothing"))
    assert (decided.kind, decided.body["happened"], decided.body["by"]) == ("decided", False, "anna")
    outcome = read_outcome(settled.body)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.summary, outcome.retryable) == (
        "rejected", "anna says that it did not happen: the broker shows nothing", False,
    )  # fmt: skip
    assert open_intents(story.journal, RUN) == []
    assert settled.home_seq == decided.home_seq + 1


@pytest.mark.parametrize(
    ("method", "ids", "answer"),
    [
        ("ApplyPaperFills", [901], {"exec_plan_id": 501, "position_id": 901, "live_order_ids": []}),
        ("SendOrder", [77], {"live_order_id": 77}),
        ("CreateStrategy", [201], {"strategy_id": 201}),
    ],
)
def test_it_happened_gives_the_answer_that_the_hub_would_have_given(method, ids, answer):
    story = unknown(method)
    intent, record = unknown_at(story.journal, RUN, PATH)
    decision = adopted(intent, record, ids, {"position_id": 901}, "anna", "seen at the hub")
    decided, settled = decide(story, decision)
    assert read_outcome(settled.body) == Done(answer)
    assert decided.body["evidence"] == {"happened": True, "ids": ids, "found": {"position_id": 901}}


@pytest.mark.parametrize("method", ["StartPreparePositionEntry", "CancelOrder"])
def test_what_is_not_in_the_table_is_not_adopted_by_hand(method):
    story = unknown(method)
    intent, record = unknown_at(story.journal, RUN, PATH)
    with pytest.raises(Refusal, match=f"{method} is not decided by hand"):
        adopted(intent, record, [1], {}, "anna", "why")


def test_a_path_without_an_unknown_is_refused_and_those_that_there_are_named():
    with pytest.raises(Refusal) as refused:
        unknown_at(unknown().journal, RUN, "sell/fill")
    assert refused.value.rows == (("unknown", "buy/fill  (ApplyPaperFills)"),)
