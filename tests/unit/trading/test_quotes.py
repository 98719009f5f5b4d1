"""Lesson tradeblocks #300: a stub (0.05 × 10.00) gives a phantom mid."""

from datetime import date
from decimal import Decimal as D

import pytest

from mesoflow.trading.orders import Contract, OrderLeg, Quote
from mesoflow.trading.quotes import leg_faults, quote_fault


def quote(bid: str | None, ask: str | None, age_ms: int | None = 200) -> Quote:
    return Quote(None if bid is None else D(bid), None if ask is None else D(ask), None, age_ms, age_ms)


@pytest.mark.parametrize(
    ("market", "sold", "fault"),
    [
        (quote("97.60", "98.90"), True, None),
        (quote("1.00", "1.00"), True, None),  # locked is not crossed
        (quote("0", "0.10"), False, None),  # nobody bids for what is bought
        (quote("0", "0.10"), True, "no_bid"),
        (quote("0.05", "10.00"), False, "stub"),
        (quote("0.05", "1.90"), False, None),  # a wide market of a cheap option has a mid below one point
        (quote("1.01", "1.00"), False, "crossed"),
        (quote(None, "1.00"), False, "not_two_sided"),
        (quote("1.00", None), False, "not_two_sided"),
        (quote("0", "0"), False, "not_two_sided"),
        (quote("-0.05", "1.00"), False, "not_two_sided"),
        (quote("NaN", "1.00"), False, "not_finite"),
        (quote("1.00", "Infinity"), False, "not_finite"),
        (quote("1.00", "1.10", 5000), False, None),
        (quote("1.00", "1.10", 5001), False, "stale"),
        (quote("1.00", "1.10", None), False, "age_unknown"),
        (quote("5.00", "12.00"), False, "too_wide"),
        (quote("480.00", "492.00"), False, None),  # deep in the money, wide in points only
    ],
)
def test_the_quote_gate(market: Quote, sold: bool, fault: str | None) -> None:
    assert quote_fault(market, sold=sold) == fault


def test_age_counts_up_to_now() -> None:
    assert quote_fault(quote("1.00", "1.10", 3000), sold=False, later_ms=2001) == "stale"


def test_the_older_side_counts() -> None:
    assert quote_fault(Quote(D(1), D("1.1"), None, 100, 6000), sold=False) == "stale"


def test_every_faulty_leg_is_named_and_markers_are_not_looked_at() -> None:
    contract = Contract("SPX", "SPXW", "put", date(2025, 2, 21), D(6000))
    legs = [
        OrderLeg("good", contract, D(1), 1, quote("1.00", "1.10")),
        OrderLeg("sold", contract, D(-1), 1, quote("0", "0.10")),
        OrderLeg("marker", contract, D(0), 1, quote(None, None)),
    ]
    assert [str(fault) for fault in leg_faults(legs)] == [
        "the quote of sold (0 × 0.10) has no bidder for what is to be sold"
    ]
