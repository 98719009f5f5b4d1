from dataclasses import replace
from datetime import timedelta

import pytest

from mesoflow.trading.orders import Order
from tests.unit.safety.making import NOW, closing, judged, order, with_facts


def sent(made: Order, age: int | None) -> Order:
    return replace(with_facts(made, agent_age_ms=age), method="SendOrder")


def codes(made: Order, **risk: object) -> list[str]:
    return [line.code for line in judged(made, **risk).refusals if line.control == "C15"]


@pytest.mark.parametrize(
    ("age", "wrong"),
    [(0, []), (14_700, []), (14_701, ["heartbeat"]), (-301, ["heartbeat"]), (None, ["fact_missing"])],
)
def test_an_order_at_a_broker_needs_an_agent_that_was_heard_of(age: int | None, wrong: list[str]) -> None:
    """300 ms have passed since the agent was asked."""
    assert codes(sent(order(), age)) == wrong
    assert codes(sent(closing(), age)) == wrong


def test_an_exit_only_pauses() -> None:
    assert judged(sent(closing(), 60_000)).pauses
    assert not judged(sent(order(), 60_000)).pauses


def test_a_booking_goes_through_no_agent() -> None:
    assert codes(order()) == []
    assert codes(with_facts(order(), agent_age_ms=60_000)) == ["heartbeat"]


def test_quotes_are_heard_of_too() -> None:
    assert codes(with_facts(order(), as_of=NOW - timedelta(seconds=14))) == []
    assert codes(with_facts(order(), as_of=NOW - timedelta(seconds=15))) == ["heartbeat"]


def test_how_long_is_said_in_risk() -> None:
    assert codes(sent(order(), 4_000), heartbeat="4s") == ["heartbeat"]
    assert codes(sent(order(), None), heartbeat="unlimited") == []
