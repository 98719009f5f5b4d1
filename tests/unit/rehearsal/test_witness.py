"""The witness: it passes what is covered by a durable intent, and each way of not being covered is caught."""

import json

import pytest

from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.rehearsal.witness import Missing, Witness, covering_path
from mesoflow.runtime.bodies import Intent
from tests.support.stories import T0, Story, started

ARGS = {"ExecPlanId": 501, "IdempotencyKey": "mf-1", "Fills": [{"LegName": "a", "Price": "42.50"}]}
INTENT = Intent("buy/fill", "ApplyPaperFills", json.dumps(ARGS).encode(), "mf-1", 0, "d" * 16, T0)
PASSED = {"passed": True, "lines": []}


def story(body):
    return Story().begin("one").end("one").begin("two").write("two", "intended", body)


def test_a_covered_call_is_seen_under_its_path():
    assert (
        covering_path(story(INTENT.body("json", verdict=PASSED)).journal, "ApplyPaperFills", ARGS)
        == "buy/fill"
    )


@pytest.mark.parametrize(
    ("journal", "method", "args", "reason"),
    [
        (Story().begin("two"), "ApplyPaperFills", ARGS, "the journal holds no durable intent"),
        (story(INTENT.body("json", verdict=PASSED)), "ApplyPaperFills", {"ExecPlanId": 501}, "it carries no idempotency key"),
        (story(INTENT.body("json", verdict=PASSED)), "SendOrder", ARGS, "the intent is for ApplyPaperFills"),
        (
            story(INTENT.body("json", verdict=PASSED)), "ApplyPaperFills", ARGS | {"ExecPlanId": 502},
            "the bytes that arrived are not those of the intent",
        ),
        (story(INTENT.body("json")), "ApplyPaperFills", ARGS, "the intent has no verdict that passed"),
        (
            story(INTENT.body("json", verdict={"passed": False})), "ApplyPaperFills", ARGS,
            "the intent has no verdict that passed",
        ),
        (story(INTENT.body("json", verdict=PASSED)).end("two"), "ApplyPaperFills", ARGS, "the journal holds no durable intent"),
    ],
)  # fmt: skip
def test_each_mutant_is_caught(journal, method, args, reason):
    with pytest.raises(Missing) as missing:
        covering_path(journal.journal, method, args)
    assert missing.value.reason == reason


def test_it_looks_through_a_connection_of_its_own_and_ends_the_process_where_something_is_missing(
    tmp_path, capsys
):
    path, lines, died = tmp_path / "journal.db", tmp_path / "lines", []
    journal = SqliteJournal.open(path)
    journal.commit(
        [
            Entry("two", "started", started("two")),
            Entry("two", "intended", INTENT.body("json", verdict=PASSED)),
        ]
    )
    witness = Witness(path, lines, lambda: died.append(True))
    witness.look("ApplyPaperFills", ARGS)
    with pytest.raises(Missing):
        witness.look("ApplyPaperFills", ARGS | {"IdempotencyKey": "mf-2"})
    journal.close()
    assert died == [True]
    assert lines.read_text().splitlines() == [
        "seen\tApplyPaperFills\tmf-1\tbuy/fill",
        "MISSING\tApplyPaperFills with key mf-2: the journal holds no durable intent",
    ]
    assert capsys.readouterr().err.startswith("this is a bug in mesoflow: ")
