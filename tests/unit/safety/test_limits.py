from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from mesoflow.safety.limits import JUDGED, Limits, Messages, StressLoss, Window
from mesoflow.safety.unlimited import UNLIMITED
from mesoflow.trading.amounts import Amount


def test_the_risk_of_the_friday_put_calendar() -> None:
    limits = Limits.parse(
        {
            "accounts": ["PAPER-1"],
            "max_contracts_per_order": 10,
            "max_order_premium": 25000,
            "max_order_loss": 25000,
            "max_open_loss": "unlimited",
            "max_stress_loss": {"move": "8%", "loss": 25000},
            "max_daily_loss": "1% of net_liquidation",
            "max_distance_from_mid": ["15% of mid", D("2.00")],
            "live": "allowed",
        }
    )
    assert limits == Limits(
        accounts=("PAPER-1",),
        live="allowed",
        max_contracts_per_order=D(10),
        max_order_premium=Amount(D(25000)),
        max_order_loss=Amount(D(25000)),
        max_open_loss=UNLIMITED,
        max_stress_loss=StressLoss(D("0.08"), Amount(D(25000))),
        max_daily_loss=Amount(D(1), "net_liquidation"),
        max_distance_from_mid=(Amount(D(15), "mid"), Amount(D("2.00"))),
    )
    assert (limits.contracts_per_run, limits.contracts_per_day) == (D(100), D(100))


def test_every_key_of_risk() -> None:
    limits = Limits.parse(
        {
            "accounts": ["PAPER-1"],
            "symbols": ["SPX"],
            "roots": ["SPXW"],
            "strategies": [101],
            "max_days_to_expiry": 90,
            "max_contracts_per_order": 4,
            "max_contracts_per_run": 8,
            "max_contracts_per_day": "unlimited",
            "max_legs_per_order": 2,
            "overlap": "same_side",
            "max_messages": {"minute": 10, "day": "unlimited"},
            "max_runs_per_session": 3,
            "max_open_orders": 1,
            "max_open_orders_value": 5000,
            "session_window": {"after_open": "5m"},
            "no_trade_dates": ["2025-03-19"],
            "heartbeat": "10s",
            "max_errors_per_day": 2,
            "reconcile_every": "unlimited",
        }
    )
    assert limits == Limits(
        accounts=("PAPER-1",),
        symbols=("SPX",),
        roots=("SPXW",),
        strategies=(101,),
        max_days_to_expiry=D(90),
        max_contracts_per_order=D(4),
        max_contracts_per_run=D(8),
        max_contracts_per_day=UNLIMITED,
        max_legs_per_order=D(2),
        overlap="same_side",
        max_messages=Messages(minute=D(10), run=D(120), day=UNLIMITED),
        max_runs_per_session=D(3),
        max_open_orders=D(1),
        max_open_orders_value=Amount(D(5000)),
        session_window=Window(after_open=timedelta(minutes=5), before_close=timedelta(minutes=5)),
        no_trade_dates=(date(2025, 3, 19),),
        heartbeat=timedelta(seconds=10),
        max_errors_per_day=D(2),
        reconcile_every=UNLIMITED,
    )
    assert (limits.contracts_per_run, limits.contracts_per_day) == (D(8), UNLIMITED)


def test_what_is_not_written_is_not_unlimited() -> None:
    limits = Limits.parse({"accounts": ["PAPER-1"]})
    assert limits.live == "never"
    assert {getattr(limits, key) for key in JUDGED - {"accounts", "live"}} == {None, ()}
    assert limits.contracts_per_run is None


def test_one_distance_needs_no_list() -> None:
    assert Limits.parse({"accounts": ["A"], "max_distance_from_mid": D("0.50")}).max_distance_from_mid == (
        Amount(D("0.50")),
    )
    assert (
        Limits.parse({"accounts": ["A"], "max_distance_from_mid": "unlimited"}).max_distance_from_mid
        is UNLIMITED
    )
    assert (
        Limits.parse({"accounts": ["A"], "max_contracts_per_order": "unlimited"}).contracts_per_run
        is UNLIMITED
    )


@pytest.mark.parametrize(
    ("risk", "said"),
    [
        ({"accounts": []}, "risk.accounts is a list of account names"),
        ({"accounts": "PAPER-1"}, "risk.accounts is a list of account names"),
        ({"max_runs_per_day": 3}, "risk.max_runs_per_day is not judged by this version"),
        ({"live": "yes"}, "risk.live is never or allowed, not 'yes'"),
        ({"max_contracts_per_order": 0}, "a whole number from 1 on"),
        ({"max_contracts_per_order": True}, "a whole number from 1 on"),
        ({"max_contracts_per_order": D("1.5")}, "a whole number from 1 on"),
        ({"max_order_loss": -1}, "risk.max_order_loss is money, never negative"),
        ({"max_order_loss": "2 ticks"}, "risk.max_order_loss is money, never negative"),
        ({"max_daily_loss": "1%"}, "risk.max_daily_loss: '1%' does not say of what"),
        ({"max_distance_from_mid": []}, "names one distance at least"),
        ({"max_distance_from_mid": "1% of net_liquidation"}, "is a distance of prices"),
        ({"max_distance_from_mid": "15%"}, "risk.max_distance_from_mid: '15%' does not say of what"),
        ({"max_stress_loss": 25000}, "risk.max_stress_loss is {move: 8%, loss: 25000}"),
        ({"max_stress_loss": {"move": "8%"}}, "risk.max_stress_loss is {move: 8%, loss: 25000}"),
        ({"max_stress_loss": {"move": 8, "loss": 1}}, "risk.max_stress_loss.move is a percentage"),
        ({"max_stress_loss": {"move": "0%", "loss": 1}}, "risk.max_stress_loss.move is a percentage"),
        ({"symbols": []}, "risk.symbols is a list of names"),
        ({"strategies": ["x"]}, "risk.strategies is a list of strategies' ids"),
        ({"strategies": [True]}, "risk.strategies is a list of strategies' ids"),
        ({"no_trade_dates": ["19 March"]}, "risk.no_trade_dates: '19 March' is no date"),
        ({"no_trade_dates": "2025-03-19"}, "risk.no_trade_dates is a list of dates"),
        ({"overlap": "yes"}, "risk.overlap is never or same_side"),
        ({"heartbeat": 15}, "risk.heartbeat: 15 is no duration"),
        ({"max_messages": 30}, "risk.max_messages is a map of minute, run, day"),
        ({"max_messages": {}}, "risk.max_messages is a map of minute, run, day"),
        ({"max_messages": {"hour": 3}}, "risk.max_messages is a map of minute, run, day"),
        ({"max_messages": {"minute": 0}}, "risk.max_messages.minute is a whole number"),
        ({"session_window": {"after_open": "soon"}}, "risk.session_window.after_open: 'soon' is no duration"),
    ],
)
def test_a_limit_that_cannot_be_read_is_named(risk: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        Limits.parse({"accounts": ["PAPER-1"], **risk})
    assert said in str(refused.value)
