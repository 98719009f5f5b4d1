from datetime import timedelta

import pytest

from mesoflow.safety.ledger import Ledger
from tests.unit.safety.making import NOW, RUN, closing, judged, order, refused

SECOND = timedelta(seconds=1)


def told(*ago: int, run_id: str = RUN) -> Ledger:
    """Messages so many seconds ago."""
    ledger = Ledger()
    for seconds in ago:
        ledger.message(run_id, NOW - seconds * SECOND)
    return ledger


def test_above_the_minutes_number_an_order_waits_until_there_is_room() -> None:
    ledger = told(59, 40, 20)
    assert judged(order(), ledger=ledger, max_messages={"minute": 4}).passed
    (line,) = judged(order(), ledger=ledger, max_messages={"minute": 3}).refusals
    assert (line.code, line.numbers["wait_until"]) == ("messages_per_minute", NOW + SECOND)
    (line,) = judged(order(), ledger=ledger, max_messages={"minute": 1}).refusals
    assert line.numbers["wait_until"] == NOW + 40 * SECOND


def test_when_it_has_waited_it_holds() -> None:
    ledger = told(59, 40, 20)
    made = order()
    waited = judged(made, ledger=ledger, max_messages={"minute": 3}, now=NOW + SECOND)
    assert "messages_per_minute" not in refused(waited)


@pytest.mark.parametrize("run_id", [RUN, "other"])
def test_the_minute_and_the_day_count_every_run(run_id: str) -> None:
    assert refused(judged(order(), ledger=told(*[30] * 30, run_id=run_id))) == ["messages_per_minute"]
    assert refused(judged(order(), ledger=told(*[90] * 400, run_id="other"))) == ["messages_per_day"]


def test_a_run_counts_its_own() -> None:
    assert judged(order(), ledger=told(*[90] * 119)).passed
    assert refused(judged(order(), ledger=told(*[90] * 120))) == ["messages_per_run"]
    assert judged(order(), ledger=told(*[90] * 120, run_id="other")).passed
    assert judged(order(), ledger=told(*[90] * 120), max_messages={"run": "unlimited"}).passed


def test_exits_and_yesterday_do_not_count() -> None:
    assert judged(closing(), ledger=told(*[1] * 500)).passed
    assert judged(order(), ledger=told(*[86_400] * 500, run_id="other")).passed
