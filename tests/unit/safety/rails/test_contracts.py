"""Lesson TradeStation #107: quantity is a multiplier of the ratio. What counts is contracts."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal as D

from mesoflow.safety.ledger import Ledger
from mesoflow.trading.orders import Order
from tests.unit.safety.making import NOW, RUN, STRANGLE, closing, judged, order, refused


def traded(ledger: Ledger, run_id: str, made: Order, at: datetime = NOW - timedelta(minutes=9)) -> None:
    """One that filled whole."""
    ledger.apply_intent(run_id, made, at)
    ledger.settle(run_id, made, at)


NAKED = {
    "max_order_loss": "unlimited",
    "max_open_loss": "unlimited",
    "max_stress_loss": {"move": "8%", "loss": 25000},
}


def test_an_order_is_what_goes_to_a_broker_at_once() -> None:
    """P2: one paper fill of two groups of one contract each, under a limit of one contract an order."""
    made = order(STRANGLE)
    groups = [
        replace(made.groups[0], id=number, legs=(leg.name,), limit=-leg.price, worst=-leg.price)
        for number, leg in enumerate(made.legs, 1)
        if leg.price is not None
    ]
    legs = [replace(leg, group=number) for number, leg in enumerate(made.legs, 1)]
    apart = replace(made, groups=tuple(groups), legs=tuple(legs))
    assert judged(apart, max_contracts_per_order=1, **NAKED).passed
    assert refused(judged(made, max_contracts_per_order=1, **NAKED)) == ["contracts_per_order"]


def test_a_run_may_trade_ten_times_an_order() -> None:
    ledger = Ledger()
    for number in range(9):
        traded(ledger, RUN, closing(exec_plan_id=number))
    assert judged(order(), ledger=ledger, max_contracts_per_order=4).passed
    traded(ledger, RUN, closing())
    verdict = judged(order(), ledger=ledger, max_contracts_per_order=4, max_contracts_per_day=100)
    assert [(line.code, dict(line.numbers)) for line in verdict.refusals] == [
        ("contracts_per_run", {"value": D(44), "limit": D(40)})
    ]


def test_a_day_counts_every_run_of_the_account() -> None:
    ledger = Ledger()
    for number in range(10):
        traded(ledger, f"run-{number}", closing(exec_plan_id=number))
    verdict = judged(order(), ledger=ledger, max_contracts_per_order=4)
    assert [(line.code, dict(line.numbers)) for line in verdict.refusals] == [
        ("contracts_per_day", {"value": D(44), "limit": D(40)})
    ]
    assert judged(order(), ledger=ledger, max_contracts_per_order=4, max_contracts_per_day=44).passed
    elsewhere = Ledger()
    traded(elsewhere, "run-1", closing(account="PAPER-2"))
    assert judged(order(), ledger=elsewhere, max_contracts_per_order=4, max_contracts_per_day=4).passed


def test_yesterday_is_another_day() -> None:
    ledger = Ledger()
    traded(ledger, "run-1", closing(), NOW - timedelta(days=1))
    assert judged(order(), ledger=ledger, max_contracts_per_order=4, max_contracts_per_day=4).passed


def test_unlimited_is_recorded() -> None:
    lines = judged(order(), max_contracts_per_order="unlimited").lines
    assert [line.numbers["limit"] for line in lines if line.control == "C03"] == ["unlimited"] * 3
