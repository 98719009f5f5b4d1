from dataclasses import replace
from datetime import timedelta

from mesoflow.safety.ledger import Ledger
from tests.unit.safety.making import HERE, NOW, closing, judged, order, refused


def failed(*ago: timedelta) -> Ledger:
    ledger = Ledger()
    for each in ago:
        ledger.failed(NOW - each)
    return ledger


def test_the_twentieth_run_of_a_session_is_the_last() -> None:
    assert judged(order(), here=replace(HERE, run_number=20)).passed
    assert refused(judged(order(), here=replace(HERE, run_number=21))) == ["runs_per_session"]
    assert judged(order(), here=replace(HERE, run_number=21), max_runs_per_session="unlimited").passed
    assert refused(judged(order(), here=replace(HERE, run_number=2), max_runs_per_session=1)) == [
        "runs_per_session"
    ]


def test_a_run_that_does_not_know_its_number_opens_nothing() -> None:
    assert refused(judged(order(), here=replace(HERE, run_number=None))) == ["fact_missing"]


def test_five_failed_runs_in_a_session_are_the_last() -> None:
    hour = timedelta(hours=1)
    assert judged(order(), ledger=failed(*[hour] * 4)).passed
    assert refused(judged(order(), ledger=failed(*[hour] * 5))) == ["error_budget"]
    assert judged(order(), ledger=failed(*[24 * hour] * 5)).passed
    assert refused(judged(order(), ledger=failed(hour), max_errors_per_day=1)) == ["error_budget"]


def test_an_exit_goes_on() -> None:
    assert judged(closing(), ledger=failed(*[timedelta(0)] * 9), here=replace(HERE, run_number=99)).passed
