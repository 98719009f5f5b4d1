"""Lesson TradeStation #107: quantity is a multiplier of the ratio. What counts is contracts."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

from mesoflow.safety.ledger import Ledger
from tests.unit.safety.making import NOW, RUN, STRANGLE, closing, judged, order, refused

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
        each = closing(exec_plan_id=number)
        ledger.apply_intent(RUN, each, NOW - timedelta(minutes=9))
        ledger.settle(RUN, each, NOW - timedelta(minutes=9))
    assert judged(order(), ledger=ledger, max_contracts_per_order=4).passed
    ledger.apply_intent(RUN, closing(), NOW - timedelta(minutes=8))
    verdict = judged(order(), ledger=ledger, max_contracts_per_order=4)
    assert [dict(line.numbers) for line in verdict.refusals] == [{"value": D(44), "limit": D(40)}]


def test_unlimited_is_recorded() -> None:
    lines = judged(order(), max_contracts_per_order="unlimited").lines
    assert [line.numbers["limit"] for line in lines if line.control == "C03"] == ["unlimited", "unlimited"]
