"""A playbook may only be stricter: whatever two texts say, what holds is at most what either of them allows."""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.ceilings import effective, looser, said
from mesoflow.safety.limits import JUDGED, Limits, Messages, StressLoss, Tightest, Window
from mesoflow.safety.unlimited import UNLIMITED
from mesoflow.trading.amounts import Amount

U = "unlimited"


def below(playbook: dict[str, Any], policy: dict[str, Any], name: str) -> object:
    limits = effective(Limits.parse({"accounts": ["A"], **playbook}), Limits.ceilings(policy))
    return getattr(limits, name)


@pytest.mark.parametrize(
    ("name", "playbook", "policy", "holds"),
    [
        ("max_contracts_per_order", 4, 10, D(4)),
        ("max_contracts_per_order", 40, 10, D(10)),
        ("max_contracts_per_order", U, 10, D(10)),
        ("max_contracts_per_order", 4, U, D(4)),
        ("max_contracts_per_order", U, U, UNLIMITED),
        ("max_contracts_per_order", U, None, UNLIMITED),
        ("max_contracts_per_order", None, 10, D(10)),
        ("max_contracts_per_order", None, None, None),
        ("max_open_orders", 9, None, D(2)),
        ("max_open_orders", U, None, D(2)),
        ("max_open_orders", 9, 5, D(5)),
        ("max_open_orders", 9, U, D(9)),
        ("max_open_orders", None, 5, D(5)),
        ("max_order_loss", 500, 900, Amount(D(500))),
        ("max_order_loss", 900, "1% of net_liquidation", Tightest((Amount(D(900)), Amount(D(1), "net_liquidation")))),
        ("max_stress_loss", None, {"move": "8%", "loss": 9}, StressLoss(D("0.08"), Amount(D(9)))),
        (
            "max_stress_loss", {"move": "5%", "loss": 3}, {"move": "8%", "loss": 9},
            (StressLoss(D("0.05"), Amount(D(3))), StressLoss(D("0.08"), Amount(D(9)))),
        ),
        ("max_distance_from_mid", D("0.50"), ["15% of mid"], (Amount(D("0.50")), Amount(D(15), "mid"))),
        ("symbols", ["SPX", "XSP"], ["SPX"], ("SPX",)),
        ("symbols", ["XSP"], ["SPX"], ()),
        ("symbols", None, ["SPX"], ("SPX",)),
        ("overlap", "same_side", None, "never"),
        ("overlap", "same_side", "same_side", "same_side"),
        ("max_messages", {"minute": 50}, {"minute": 40, "day": U}, Messages(D(40), D(120), D(400))),
        ("session_window", {"after_open": "5m"}, {"before_close": "10m"}, Window(timedelta(minutes=5), timedelta(minutes=10))),
        ("session_window", U, None, Window()),
        ("no_trade_dates", ["2025-03-19"], ["2025-05-07"], (date(2025, 3, 19), date(2025, 5, 7))),
        ("heartbeat", "1m", None, timedelta(seconds=15)),
        ("heartbeat", "1m", U, timedelta(minutes=1)),
    ],
)  # fmt: skip
def test_the_tightest_counts(name: str, playbook: object, policy: object, holds: object) -> None:
    written = [({name: value} if value is not None else {}) for value in (playbook, policy)]
    assert below(written[0], written[1], name) == holds


def test_every_rail_has_a_ceiling() -> None:
    """A new key that nobody could raise a ceiling over would be loose by default."""
    assert {name for name in JUDGED if f'"{name}"' in _source()} >= JUDGED - {"accounts", "live"}


def _source() -> str:
    from pathlib import Path

    from mesoflow.safety import ceilings

    return Path(ceilings.__file__).read_text(encoding="utf-8")


COUNT = st.one_of(st.none(), st.just(U), st.integers(1, 500))


def number(value: object) -> float:
    """How much a count lets through."""
    return float("inf") if value is UNLIMITED else float(str(value))


@given(COUNT, COUNT, st.sampled_from(["max_open_orders", "max_runs_per_session", "max_errors_per_day"]))
def test_no_playbook_raises_a_count(playbook: object, policy: object, name: str) -> None:
    written = [({name: value} if value is not None else {}) for value in (playbook, policy)]
    assert number(below(written[0], written[1], name)) <= number(below({}, written[1], name))


@given(COUNT, COUNT)
def test_looser_is_what_lets_more_through(before: object, now: object) -> None:
    name = "max_open_orders"
    old, new = (Limits.ceilings({name: value} if value is not None else {}) for value in (before, now))
    default = D(2)
    more = number(new.max_open_orders or default) > number(old.max_open_orders or default)
    assert looser(old, new) == ([name] if more else [])


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        ({}, {}, []),
        ({"symbols": ["SPX"]}, {}, ["symbols"]),
        ({}, {"symbols": ["SPX"]}, []),
        ({"max_order_loss": 500}, {"max_order_loss": "1% of net_liquidation"}, ["max_order_loss"]),
        ({"no_trade_dates": ["2025-03-19"]}, {"no_trade_dates": []}, ["no_trade_dates"]),
        ({"max_messages": {"minute": 10}}, {}, ["max_messages"]),
        ({"max_stress_loss": {"move": "8%", "loss": 9}}, {}, ["max_stress_loss"]),
        ({}, {"heartbeat": "1m", "reconcile_every": "30m"}, ["heartbeat"]),
    ],
)
def test_what_cannot_be_compared_counts_as_looser(
    before: dict[str, Any], now: dict[str, Any], names: list[str]
) -> None:
    assert looser(Limits.ceilings(before), Limits.ceilings(now)) == names


def test_a_ceiling_in_words() -> None:
    limits = Limits.ceilings({"max_order_loss": 500, "max_distance_from_mid": ["15% of mid", 2]})
    assert said(limits, "max_order_loss") == "500"
    assert said(limits, "max_distance_from_mid") == "15% of mid and 2"
    assert said(limits, "max_messages") == "minute 30, run 120, day 400"
    assert said(limits, "session_window") == "after_open 1m, before_close 5m"
    assert said(limits, "max_open_loss") == "not set"
