from datetime import timedelta
from decimal import Decimal as D

from mesoflow.safety.ledger import Ledger
from mesoflow.trading.orders import Order
from tests.unit.safety.making import CONDOR, NOW, STRANGLE, closing, judged, order, refused


def alive(*orders: Order, run_id: str = "other") -> Ledger:
    ledger = Ledger()
    for number, made in enumerate(orders):
        ledger.apply_intent(run_id, made, NOW - timedelta(minutes=1), f"step-{number}")
    return ledger


CONDOR_ORDER = order(CONDOR, limit="-4.00")


def test_two_are_enough_and_unknown_counts_as_alive() -> None:
    assert judged(order(), ledger=alive(CONDOR_ORDER)).passed
    both = alive(CONDOR_ORDER, order(STRANGLE, exec_plan_id=7010))
    assert "open_orders" in refused(judged(order(), ledger=both))
    assert "open_orders" not in refused(judged(order(), ledger=both, max_open_orders=3))


def test_one_that_is_over_is_not_open() -> None:
    ledger = alive(CONDOR_ORDER)
    ledger.settle("other", CONDOR_ORDER, NOW, path="step-0", traded=D(0))
    assert judged(order(), ledger=ledger, max_open_orders=1).passed


def test_another_account_has_its_own() -> None:
    elsewhere = order(CONDOR, limit="-4.00", account="PAPER-2")
    assert judged(order(), ledger=alive(elsewhere), max_open_orders=1).passed


def test_what_they_come_to_has_a_limit() -> None:
    """The calendar pays 42.65 twice, the condor brings 4.00 twice."""
    (line,) = judged(order(), ledger=alive(CONDOR_ORDER), max_open_orders_value=9000).refusals
    assert (line.code, line.numbers["value"]) == ("open_orders_value", D(9330))
    assert judged(order(), ledger=alive(CONDOR_ORDER), max_open_orders_value=9330).passed
    assert judged(order(), ledger=alive(CONDOR_ORDER), max_open_orders_value="unlimited").passed


def test_without_one_it_is_the_premium_of_so_many_orders() -> None:
    ledger = alive(CONDOR_ORDER)
    (line,) = [
        line
        for line in judged(order(), ledger=ledger, max_order_premium=8530).lines
        if line.code == "open_orders_value"
    ]
    assert (line.held, dict(line.numbers)) == ("held", {"value": D(9330), "limit": D(17060)})


def test_exits_are_not_held_back() -> None:
    assert judged(closing(), ledger=alive(*[CONDOR_ORDER] * 9), path="", max_open_orders=1).passed
