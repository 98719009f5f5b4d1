"""account.select: figures, the day's profit, what is required."""

from datetime import timedelta
from decimal import Decimal

from tests.support.acting import NOW, Script, act, context
from tests.support.answers import account


def test_an_account_is_read_and_given_whole() -> None:
    acted = act("account.select", {}, Script().answers("GetAccount", account()))
    assert acted.asked == ["account: GetAccount"]
    assert acted.outputs == {
        "broker_account_id": "PAPER-1",
        "broker": "Paper",
        "is_paper": True,
        "currency": "USD",
        "net_liquidation": Decimal("250000.00"),
        "cash": Decimal("250000.00"),
        "maintenance_margin": Decimal("0.00"),
        "day_pnl": Decimal("0.00"),
        "day_pnl_percent": Decimal("0.00"),
        "open_positions": 0,
        "as_of": NOW,
    }


def test_the_days_profit_counts_from_the_sessions_first_read() -> None:
    ctx = context(first_net_liquidation={"PAPER-1": Decimal("250000.00")})
    later = account(net_liquidation_value=Decimal("248750.00"))
    outputs = act("account.select", {}, Script().answers("GetAccount", later), ctx).outputs
    assert (outputs["day_pnl"], outputs["day_pnl_percent"]) == (Decimal("-1250.00"), Decimal("-0.50"))


def test_a_second_read_of_the_run_counts_from_the_first() -> None:
    ctx = context()
    act("account.select", {}, Script().answers("GetAccount", account()), ctx)
    later = account(net_liquidation_value=Decimal("250100.00"))
    outputs = act("account.select", {}, Script().answers("GetAccount", later), ctx).outputs
    assert outputs["day_pnl"] == Decimal("100.00")


def test_a_run_that_lasts_into_another_session_begins_its_day_anew() -> None:
    ctx = context(first_net_liquidation={"PAPER-1": Decimal("250000.00")}, now=NOW + timedelta(days=1))
    poorer = account(net_liquidation_value=Decimal("248000.00"))
    outputs = act("account.select", {}, Script().answers("GetAccount", poorer), ctx).outputs
    assert (outputs["day_pnl"], outputs["day_pnl_percent"]) == (Decimal("0.00"), Decimal("0.00"))
    later = account(net_liquidation_value=Decimal("247000.00"))
    outputs = act("account.select", {}, Script().answers("GetAccount", later), ctx).outputs
    assert outputs["day_pnl"] == Decimal("-1000.00")


def test_without_a_net_liquidation_there_is_no_days_profit() -> None:
    outputs = act(
        "account.select", {}, Script().answers("GetAccount", account(net_liquidation_value=None))
    ).outputs
    assert (outputs["day_pnl"], outputs["day_pnl_percent"]) == (None, None)


def test_open_positions_are_counted_where_the_hub_does_not_tell() -> None:
    rows = [position(1, "Open"), position(2, "Closed"), position(3, "Open")]
    script = Script().answers("GetAccount", account(active_positions=None))
    script.answers(
        "ListPositions",
        {"positions": rows[:2], "continuation_token": "more"},
        {"positions": rows[2:], "continuation_token": None},
    )
    acted = act("account.select", {}, script)
    assert acted.asked == [
        "account: GetAccount",
        "positions: ListPositions",
        "positions/page-2: ListPositions",
    ]
    assert acted.outputs["open_positions"] == 2


def position(id: int, state: str) -> dict[str, object]:
    return {
        "id": id,
        "state": state,
        "created_at": NOW,
        "name": f"position {id}",
        "broker_account_id": "PAPER-1",
        "live_strategy_id": 101,
        "strategy_name": "calendar",
    }


def test_an_account_outside_the_playbooks_risk_is_refused_before_anything_is_asked() -> None:
    acted = act("account.select", {"broker_account_id": "IB-1"})
    assert (acted.asked, acted.code) == ([], "account_not_allowed")
    assert str(acted.error) == "account_not_allowed: account IB-1 is not among risk.accounts (PAPER-1)"


def test_several_accounts_and_none_named() -> None:
    assert act("account.select", {}, None, context(account=None)).code == "bad_value"


def test_an_account_that_the_hub_does_not_have() -> None:
    acted = act("account.select", {}, Script().refuses("GetAccount", "NotFound"))
    assert str(acted.error) == "account_not_found: the hub has no account PAPER-1"


def test_another_refusal_stays_a_refusal() -> None:
    assert act("account.select", {}, Script().refuses("GetAccount", "Forbidden")).code == "hub_refused"


def test_every_requirement_that_does_not_hold_is_named() -> None:
    require = {
        "paper": False,
        "broker": "IBKR",
        "currency": "EUR",
        "min_net_liquidation": 300_000,
        "min_cash": 1,
        "max_age": "30s",
    }
    answer = account(cash=None, last_updated=NOW.replace(minute=0, hour=14))
    acted = act("account.select", {"require": require}, Script().answers("GetAccount", answer))
    assert str(acted.error) == (
        "requirement_not_met: account PAPER-1: paper is true; broker is Paper; currency is USD; "
        "net liquidation is 250000.00, less than 300000; cash is unknown, less than 1; its figures are 3600 s old"
    )


def test_requirements_that_hold_change_nothing() -> None:
    require = {"paper": True, "broker": "Paper", "currency": "USD", "min_net_liquidation": 1, "max_age": "1m"}
    assert (
        act("account.select", {"require": require}, Script().answers("GetAccount", account())).error is None
    )
