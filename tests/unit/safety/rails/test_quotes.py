from datetime import timedelta

from tests.unit.safety.making import (
    CALENDAR,
    NOW,
    closing,
    contract,
    judged,
    order,
    quote,
    with_facts,
    with_quotes,
)


def test_age_counts_from_when_the_market_quoted_until_now() -> None:
    made = order()  # its quotes were 200 ms old when they were read
    assert judged(with_facts(made, as_of=NOW - timedelta(milliseconds=4800))).passed
    assert not judged(with_facts(made, as_of=NOW - timedelta(milliseconds=4801))).passed


def test_each_faulty_leg_is_named_with_its_quote() -> None:
    legs = [CALENDAR[0], ("far_put", contract(), 2, quote("0.05", "10.00"))]
    verdict = judged(order(legs, limit="-50.00"), max_distance_from_mid="unlimited")
    (line,) = [line for line in verdict.refusals if line.control == "C07"]
    assert (line.numbers["leg"], line.numbers["fault"]) == (
        "far_put",
        "is a stub: the ask is more than ten times the bid",
    )


def test_an_exit_waits_for_a_better_market() -> None:
    made = with_facts(closing(), as_of=NOW - timedelta(seconds=6))
    verdict = judged(made)
    assert (verdict.passed, verdict.pauses) == (False, True)
    assert not judged(with_facts(with_quotes(closing(), quote("0", "0")), is_paper=False)).pauses
