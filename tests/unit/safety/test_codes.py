import re

from mesoflow.safety.codes import Code


def test_codes_are_unique_words_with_a_control_and_a_rule() -> None:
    codes = [code.code for code in Code]
    assert len(set(codes)) == len(codes)
    for code in Code:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code.code)
        assert re.fullmatch(r"C(0[1-9]|1\d|2[0-6])", code.control)
        assert len(code.rule) > 15


def test_the_codes_are_stable() -> None:
    """A code may be added. One that changes or goes breaks whoever reads verdicts."""
    assert [code.code for code in Code] == [
        "account_not_allowed", "live_not_listed", "live_not_acknowledged", "live_not_asked_for", "live_not_in_playbook",
        "live_refused", "symbol_not_allowed", "root_not_allowed", "strategy_not_allowed", "expiry_not_allowed",
        "order_incoherent", "contracts_per_order", "contracts_per_run", "contracts_per_day",
        "order_premium", "order_loss", "open_loss", "loss_unbounded", "stress_loss", "distance_from_mid",
        "reference_missing", "beyond_worst", "price_missing", "quote_unusable", "clock_backwards", "limit_sign",
        "credit_beyond_width", "legs_overlap", "legs_per_order", "duplicate_order", "duplicate_entry",
        "messages_per_minute", "messages_per_run", "messages_per_day", "runs_per_session", "open_orders",
        "open_orders_value", "session_window", "no_trade_date", "daily_loss",
        "day_pnl_unknown", "heartbeat", "halted", "reducing", "error_budget", "account_marked", "not_reconciled",
        "not_durable", "semantics_differ", "program_differs", "policy_looser", "rail_not_set",
        "fact_missing",
    ]  # fmt: skip
