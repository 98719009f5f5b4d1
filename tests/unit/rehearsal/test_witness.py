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


# --- orders at a broker --------------------------------------------------------------------------------------------------

SENT = {"ExecPlanId": 501, "LegGroupId": 1, "IdempotencyKey": "mf-2"}
SENDING = Intent("buy/rung-2/send", "SendOrder", json.dumps(SENT).encode(), "mf-2", 0, "d" * 16, T0)
EARLIER = Intent("buy/rung-1/send", "SendOrder", b"{}", "mf-0", 0, "d" * 16, T0)
CANCEL = {"LiveOrderId": 77, "IdempotencyKey": "mf-3"}
CANCELLING = Intent(
    "engine/halt-1/order-77/cancel", "CancelOrder", json.dumps(CANCEL).encode(), "mf-3", 0, "d" * 16, T0
)


def order(group=1):
    return {"exec_plan_id": 501, "groups": [{"id": group}]}


def test_a_withdrawal_needs_an_intent_and_no_verdict():
    assert covering_path(story(CANCELLING.body("json")).journal, "CancelOrder", CANCEL) == CANCELLING.path
    with pytest.raises(Missing, match="not those of the intent"):
        covering_path(story(CANCELLING.body("json")).journal, "CancelOrder", CANCEL | {"LiveOrderId": 78})


def test_a_sending_in_a_group_with_an_unknown_is_caught():
    """I3."""
    told = Story().begin("two").write("two", "intended", EARLIER.body("json", verdict=PASSED, order=order()))
    told.write("two", "intended", SENDING.body("json", verdict=PASSED, order=order()))
    with pytest.raises(Missing, match="what became of buy/rung-1/send, in the same leg group, is not known"):
        covering_path(told.journal, "SendOrder", SENT)
    told.settle("two", "buy/rung-1/send", {"live_order_id": 76})
    assert covering_path(told.journal, "SendOrder", SENT) == "buy/rung-2/send"


def test_another_group_of_the_plan_stands_in_nobodys_way():
    told = Story().begin("two").write("two", "intended", EARLIER.body("json", verdict=PASSED, order=order(2)))
    told.write("two", "intended", SENDING.body("json", verdict=PASSED, order=order()))
    assert covering_path(told.journal, "SendOrder", SENT) == "buy/rung-2/send"


def test_an_order_while_halted_is_caught_and_a_withdrawal_passes(tmp_path, capsys):
    """I7."""
    path, died = tmp_path / "journal.db", []
    journal = SqliteJournal.open(path)
    journal.commit(
        [
            Entry("two", "started", started("two")),
            Entry("two", "intended", SENDING.body("json", verdict=PASSED, order=order())),
            Entry("two", "intended", CANCELLING.body("json")),
        ]
    )
    witness = Witness(path, tmp_path / "lines", lambda: died.append(True))
    witness.look("SendOrder", SENT)
    (tmp_path / "HALT").touch()
    witness.look("CancelOrder", CANCEL)
    with pytest.raises(Missing, match="the state home is halted"):
        witness.look("SendOrder", SENT)
    journal.close()
    assert died == [True]


def test_an_order_that_left_before_the_halt_may_arrive_after_it_and_may_not_leave_again(tmp_path, capsys):
    path, died = tmp_path / "journal.db", []
    journal = SqliteJournal.open(path)
    journal.commit(
        [
            Entry("two", "started", started("two")),
            Entry("two", "intended", SENDING.body("json", verdict=PASSED, order=order())),
        ]
    )
    witness = Witness(path, tmp_path / "lines", lambda: died.append(True))
    witness.leaves("mf-2")
    (tmp_path / "HALT").touch()
    witness.look("SendOrder", SENT)
    assert died == []
    witness.leaves("mf-2")
    with pytest.raises(Missing, match="the state home is halted"):
        witness.look("SendOrder", SENT)
    journal.close()
    assert died == [True]
