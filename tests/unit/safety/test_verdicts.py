from decimal import Decimal as D

from mesoflow.journal.codec import decode, encode
from mesoflow.safety.codes import Code
from mesoflow.safety.verdicts import RailLine, Verdict
from tests.unit.safety.making import CONDOR, closing, judged, order

HELD = RailLine(Code.NOT_DURABLE, "held", {"durable": True})
SKIPPED = RailLine(Code.DAILY_LOSS, "skipped", {"kind": "exit"})
REFUSED = RailLine(Code.ORDER_LOSS, "refused", {"value": D(2600), "limit": D(2500)})
QUOTE = RailLine(Code.QUOTE_UNUSABLE, "refused", {"leg": "near_put", "fault": "is too old"})
COLLAR = RailLine(Code.FACT_MISSING, "refused", {"fact": "as_of"}, "C05")


def test_a_verdict_passes_when_nothing_refused_and_something_was_judged() -> None:
    assert Verdict(order(), (HELD, SKIPPED)).passed
    assert not Verdict(order(), (HELD, REFUSED)).passed
    assert not Verdict(order(), ()).passed


def test_a_refusal_has_its_code_its_rule_and_the_numbers() -> None:
    assert Verdict(order(), (HELD, REFUSED)).summary == (
        "C04 order_loss: the loss at expiry that the order adds is at most max_order_loss (value 2600, limit 2500)"
    )
    assert Verdict(order(), (HELD, REFUSED)).to_value() == {
        "passed": False,
        "only_reduces": False,
        "policy": "",
        "lines": [
            {"control": "C23", "code": "not_durable", "held": "held", "numbers": {"durable": True}},
            {
                "control": "C04",
                "code": "order_loss",
                "held": "refused",
                "rule": "the loss at expiry that the order adds is at most max_order_loss",
                "numbers": {"value": D(2600), "limit": D(2500)},
            },
        ],
    }


def test_an_intent_holds_every_line_with_the_numbers_in_one_text() -> None:
    lines = (HELD, SKIPPED, REFUSED, COLLAR, RailLine(Code.DAY_PNL_UNKNOWN, "refused", {"day_pnl": None}))
    assert Verdict(order(), lines).to_record()["lines"] == (
        "not_durable durable True; "
        "skipped daily_loss kind exit; "
        "refused order_loss value 2600 limit 2500; "
        "refused C05 fact_missing fact as_of; "
        "refused day_pnl_unknown day_pnl None"
    )


def test_a_rule_that_serves_several_controls_says_which() -> None:
    assert str(COLLAR) == "C05 fact_missing: what a rail needs to know is known (fact as_of)"


def test_only_an_exit_that_waits_for_a_market_pauses() -> None:
    exit_, entry = closing(), order()
    assert Verdict(exit_, (HELD, QUOTE)).pauses
    assert Verdict(exit_, (QUOTE, COLLAR), only_reduces=True).pauses
    assert not Verdict(exit_, (QUOTE, REFUSED)).pauses
    assert not Verdict(entry, (HELD, QUOTE)).pauses
    assert not Verdict(exit_, (HELD,)).pauses


def test_verdicts_go_through_the_journals_codec() -> None:
    for made in (order(), closing(CONDOR), order(limit="60.00")):
        for value in (judged(made).to_value(), judged(made).to_record()):
            assert decode(encode(value)) == value
