"""position.list and position.get: figures of our own arithmetic."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.acting import NOW, Acted, Script, act, context
from tests.support.answers import (
    LONG,
    SHORT,
    greeks,
    held_legs,
    leg,
    listed,
    position,
    prices,
    strategies,
    strategy,
)

D = Decimal
OLDER = position(6, created_at=NOW - timedelta(days=2, hours=12), live_strategy_id=101, name="other")
NEWER = position(7, created_at=NOW - timedelta(days=1))
CLOSED = position(5, state="Closed", created_at=NOW - timedelta(days=9), closed_at=NOW - timedelta(days=8))


def lists(*rows: dict[str, Any], legs: Any = None) -> Script:
    script = Script().answers("ListPositions", listed("positions", *(rows or (OLDER, NEWER, CLOSED))))
    return script.answers("ListLegs", listed("legs", *(held_legs().values() if legs is None else legs)))


def ids(acted: Acted) -> list[int]:
    return [row["position_id"] for row in acted.outputs["positions"]]


def test_open_positions_of_the_account_the_newest_first() -> None:
    acted = act("position.list", {}, lists())
    assert acted.asked == ["positions: ListPositions", "legs: ListLegs"]
    assert (ids(acted), acted.outputs["count"], acted.outputs["sessions_since_newest"]) == ([7, 6], 2, 1)
    assert acted.outputs["positions"][0] == {
        "position_id": 7,
        "name": "position 7",
        "state": "open",
        "strategy_id": 201,
        "strategy_name": "campaign",
        "opened_at": NOW - timedelta(days=1),
        "days_open": D("1.00"),
        "dte": 28,
        "lots": D(1),
        "max_loss": D("4250.00"),
        "ours": False,
    }


def test_what_is_ours_is_said() -> None:
    known = {"positions": {"7": {"account": "PAPER-1", "legs": {}, "plans": [1]}}}
    acted = act("position.list", {}, lists(), context(ledger=known))
    assert [row["ours"] for row in acted.outputs["positions"]] == [True, False]


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ({"state": "any"}, [7, 6, 5]),
        ({"state": "closed"}, [5]),
        ({"strategies": [101]}, [6]),
        ({"strategies": []}, []),
        ({"name_starts": "oth"}, [6]),
        ({"strategies": [201], "name_starts": "oth"}, []),
    ],
)
def test_filters(inputs: dict[str, Any], found: list[int]) -> None:
    assert ids(act("position.list", inputs, lists())) == found


def test_strategies_by_name_are_looked_up() -> None:
    script = lists().answers(
        "ListStrategies", strategies(strategy(101, "calendar"), strategy(201, "campaign"))
    )
    acted = act("position.list", {"strategies": ["campaign", 101]}, script)
    assert (acted.asked[0], ids(acted)) == ("strategies: ListStrategies", [7, 6])
    assert act("position.list", {"strategies": ["nobody"]}, script).code == "strategy_not_found"


def test_no_position_has_no_newest() -> None:
    acted = act("position.list", {}, Script().answers("ListPositions", listed("positions")))
    assert acted.asked == ["positions: ListPositions"]
    assert acted.outputs == {"count": 0, "positions": [], "sessions_since_newest": None}


def test_a_closed_position_lasted_until_it_was_closed() -> None:
    row = act("position.list", {"state": "closed"}, lists()).outputs["positions"][0]
    assert (row["days_open"], row["dte"], row["max_loss"]) == (D("1.00"), None, D(0))


def test_a_naked_call_has_no_worst_loss_and_shares_are_not_judged() -> None:
    call = leg(21, "call", -1, option_type="Call")
    row = act("position.list", {}, lists(NEWER, legs=[call])).outputs["positions"][0]
    assert row["max_loss"] is None
    shares = leg(22, "shares", 100)
    shares["live_contract"] = {"contract_type": "Stock", "underlying": {"symbol": "SPY"}}
    row = act("position.list", {}, lists(NEWER, legs=[shares, *held_legs().values()])).outputs["positions"][0]
    assert (row["max_loss"], row["dte"]) == (None, 28)


def test_lots_without_the_hubs_figure() -> None:
    row = position(7, qty_multiplier=None)
    assert act("position.list", {}, lists(row, legs=held_legs(3).values())).outputs["positions"][0][
        "lots"
    ] == D(3)


# --- one position ------------------------------------------------------------------------------------------------------


def hub(snapshot: dict[str, Any] | None = None, *, lots: int = 1, **of_position: Any) -> Script:
    row = position(7, created_at=NOW - timedelta(days=1), qty_multiplier=D(lots), **of_position)
    found = {"position": row, "legs": list(held_legs(lots).values()), "vars": {"initial_delta": D("0.5")}}
    seen = {
        "leg_prices": {"11": prices(*SHORT), "12": prices(*LONG)},
        "leg_greeks": {"11": greeks("40", "60"), "12": greeks("-40", "-3")},
        "position_pnls": {"realized": D("12.50")},
    }
    return Script().answers("GetPosition", found).answers("GetPositionSnapshot", seen | (snapshot or {}))


def get(script: Script | None = None, ctx: Any = None, **inputs: Any) -> Acted:
    return act("position.get", {"position_id": 7} | inputs, script or hub(), ctx)


def test_a_position_is_shown_whole() -> None:
    known = {"positions": {"7": {"account": "PAPER-1", "legs": {}, "plans": [1, 2]}}}
    acted = get(ctx=context(ledger=known))
    assert acted.asked == ["position: GetPosition", "snapshot: GetPositionSnapshot"]
    outputs = acted.outputs
    legs = outputs.pop("legs")
    assert {name: (one["leg_id"], one["quantity"], one["expiration"]) for name, one in legs.items()} == {
        "short_put": (11, D(-1), date(2025, 2, 13)),
        "long_put": (12, D(1), date(2025, 3, 17)),
    }
    assert outputs == {
        "position_id": 7,
        "name": "position 7",
        "state": "open",
        "strategy_id": 201,
        "strategy_name": "campaign",
        "opened_at": NOW - timedelta(days=1),
        "days_open": D("1.00"),
        "dte": 28,
        "lots": D(1),
        "max_loss": D("4250.00"),
        "ours": True,
        "quote": {
            "near": {"debit": D("-43.90"), "credit": D("43.90")},
            "mid": {"debit": D("-42.25"), "credit": D("42.25")},
            "natural": {"debit": D("-40.60"), "credit": D("40.60")},
            "width": D("3.30"),
            "age": D("0.2"),
        },
        "greeks": {
            "delta": D(0),
            "gamma": D(2),
            "theta": D(57),
            "vega": D(600),
            "wvega": D(500),
            "rho": D(4),
        },
        "pnl": {"realized": D("12.50"), "running": D("-25.00"), "total": D("-12.50")},
        "entry_cash": D("-4250.00"),
        "vars": {"initial_delta": D("0.5")},
        "adjustments": 1,
        "as_of": NOW,
    }


@pytest.mark.parametrize(
    ("basis", "running"), [("mark", "-25.00"), ("mid", "-25.00"), ("natural", "-190.00")]
)
def test_running_profit_is_measured_on_the_basis(basis: str, running: str) -> None:
    assert get(basis=basis).outputs["pnl"]["running"] == D(running)


def test_the_mark_is_the_hubs() -> None:
    marked = {"leg_prices": {"11": prices(*SHORT, mark="98.00"), "12": prices(*LONG, mark="141.00")}}
    assert get(hub(marked)).outputs["pnl"]["running"] == D("50.00")
    assert get(hub(marked), basis="mid").outputs["pnl"]["running"] == D("-25.00")


def test_prices_of_a_position_are_for_one_lot() -> None:
    two, one = get(hub(lots=2)).outputs, get().outputs
    assert two["quote"] == one["quote"]
    assert (two["entry_cash"], two["pnl"]["running"]) == (D("-8500.00"), D("-50.00"))


def test_realized_profit_that_the_hub_does_not_add_up() -> None:
    script = hub({"position_pnls": None})
    script.table["GetPosition"][0]["legs"][0]["tracked_realized_pnl"] = D(30)
    script.table["GetPosition"][0]["legs"][1] |= {
        "tracked_realized_pnl": D(1),
        "user_set_realized_pnl": D("-5"),
    }
    assert get(script).outputs["pnl"]["realized"] == D(25)


def test_quotes_are_waited_for_and_then_it_is_an_error() -> None:
    stale = {"leg_prices": {"11": prices(*SHORT, age_ms=15_001), "12": prices(*LONG)}}
    acted = get(hub(stale))
    assert str(acted.error) == "no_quote: position 7 has no two-sided quotes of the last 15 s"
    assert get(hub(stale), max_age="16s").error is None


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script().refuses("GetPosition", "NotFound"), "position_not_found"),
        (hub(state="Closed"), "position_closed"),
        (hub(broker_account_id="IB-1"), "account_not_allowed"),
    ],
)
def test_positions_that_cannot_be_shown(script: Script, code: str) -> None:
    assert get(script).code == code


def test_a_position_without_open_legs_counts_as_closed() -> None:
    script = hub()
    for row in script.table["GetPosition"][0]["legs"]:
        row["closed_at"] = NOW
    assert get(script).code == "position_closed"
