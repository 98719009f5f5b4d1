"""What the hub answers in tests of actions: small, whole, and true to the contract's models."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.acting import NOW

DEFINITION = {
    "MesoSimVersion": "3.0",
    "StrategyName": "SPX put calendar 30/60",
    "Description": "sells the near put",
    "Symbol": "SPX",
    "Structure": {"Legs": []},
    "Entry": {"QtyMultiplier": "1"},
    "Exit": {},
}


def account(**changes: Any) -> dict[str, Any]:
    """GetAccount of the simulator's paper account."""
    fields: dict[str, Any] = {
        "broker_account_id": "PAPER-1",
        "broker_type": "Paper",
        "account_type": "Individual",
        "currency": "USD",
        "is_paper_account": True,
        "net_liquidation_value": Decimal("250000.00"),
        "maintenance_margin_req": Decimal("0.00"),
        "cash": Decimal("250000.00"),
        "last_updated": NOW,
        "active_positions": 0,
    }
    return {"account": fields | changes}


def agent(provider: str = "IBKR", *, connected: bool = True, age_s: int | None = 1) -> dict[str, Any]:
    """One row of ListAgents."""
    return {
        "provider": provider,
        "connector": provider,
        "is_connected": connected,
        "last_snapshot_at": None if age_s is None else NOW - timedelta(seconds=age_s),
    }


def agents(*rows: dict[str, Any]) -> dict[str, Any]:
    """ListAgents."""
    return {"agents": list(rows)}


def strategy(id: int = 101, name: str = "SPX put calendar 30/60", **changes: Any) -> dict[str, Any]:
    """One strategy, with its definition."""
    fields: dict[str, Any] = {
        "id": id,
        "name": name,
        "active_on_accounts": [],
        "strategy_definition": DEFINITION,
    }
    return fields | changes


def strategies(*rows: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    """One page of ListStrategies."""
    return {"strategies": list(rows), "continuation_token": token}


def prices(
    bid: str | None, ask: str | None, *, mark: str | None = None, age_ms: int = 200, at: datetime = NOW
) -> dict[str, Any]:
    """A block of prices; without a mark it is half way."""
    if mark is None and bid is not None and ask is not None:
        mark = str((Decimal(bid) + Decimal(ask)) / 2)
    values = {"bid": bid, "ask": ask, "mark": mark, "last": None}
    block: dict[str, Any] = {"snapshot_time": at}
    for basis, value in values.items():
        block[basis] = None if value is None else Decimal(value)
        block[f"{basis}_age_ms"] = None if value is None else age_ms
    return block


def underlying(bid: str | None = "5999.80", ask: str | None = "6000.40", **changes: Any) -> dict[str, Any]:
    """GetUnderlyingSnapshot."""
    return {"prices": prices(bid, ask, **changes)}


def listed(rows: str, *items: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    """One page of a list."""
    return {rows: list(items), "continuation_token": token}


def position(id: int = 7, *, state: str = "Open", **changes: Any) -> dict[str, Any]:
    """One row of ListPositions."""
    fields: dict[str, Any] = {
        "id": id,
        "state": state,
        "created_at": NOW,
        "closed_at": None,
        "name": f"position {id}",
        "broker_account_id": "PAPER-1",
        "live_strategy_id": 201,
        "strategy_name": "campaign",
        "qty_multiplier": Decimal(1),
    }
    return fields | changes


def contract(
    strike: int = 6000, *, days: int = 28, option_type: str = "Put", symbol: str = "SPX"
) -> dict[str, Any]:
    """A listed option on SPX, by its days to expiration."""
    expiration = NOW.replace(hour=0) + timedelta(days=days)
    return {
        "contract_type": "Options",
        "underlying": {"symbol": symbol},
        "root": "SPXW",
        "option_type": option_type,
        "expiration": expiration,
        "strike": Decimal(strike),
        "multiplier": Decimal(100),
    }


def leg(
    id: int,
    name: str,
    qty: int,
    *,
    position: int = 7,
    closed: bool = False,
    price: str = "1",
    **of_contract: Any,
) -> dict[str, Any]:
    """One row of ListLegs."""
    return {
        "id": id,
        "name": name,
        "live_contract": contract(**of_contract),
        "leg_group_id": 1,
        "created_at": NOW,
        "closed_at": NOW if closed else None,
        "live_position_id": position,
        "account_id": "PAPER-1",
        "underlying": "SPX",
        "qty": Decimal(qty),
        "avg_entry_price": Decimal(price),
    }


def order(id: int, plan: int, state: str) -> dict[str, Any]:
    """One row of ListOrders."""
    return {
        "order_id": id,
        "created_at": NOW,
        "exec_plan_id": plan,
        "broker_account_id": "PAPER-1",
        "leg_group_id": 1,
        "state": state,
        "side": "B",
        "qty": 1,
        "cum_qty": 0,
        "order_type": "Limit",
        "time_in_force": "DAY",
        "last_updated": NOW,
    }


def execution(leg: int | None, name: str | None, qty: int, price: str = "1") -> dict[str, Any]:
    """One row of ListExecutions."""
    return {
        "id": None,
        "live_leg_id": leg,
        "leg_name": name,
        "price": Decimal(price),
        "qty": Decimal(qty),
        "commission": Decimal(0),
        "executed_at": NOW,
    }


# --- a put calendar, bought and closed ---------------------------------------------------------------------------------

# near 40.60, mid 42.25, natural 43.90 to buy; the other way round to sell.
SHORT, LONG = ("97.70", "99.10"), ("139.70", "141.60")
DAYS = {"short_put": 28, "long_put": 60}


def greeks(delta: str = "-40", theta: str = "57", **others: str) -> dict[str, Any]:
    """A block of greeks at the mark, of a whole leg."""
    values = {
        "delta": delta,
        "gamma": "1",
        "theta": theta,
        "vega": "300",
        "rho": "2",
        "wvega": "250",
        "iv": "0.16",
    }
    return {"snapshot_time": NOW, "mark": {name: Decimal(value) for name, value in (values | others).items()}}


def job(
    result: dict[str, Any] | None = None, status: str = "Completed", error: str | None = None
) -> dict[str, Any]:
    """The status of a prepare job."""
    return {
        "job_id": "job-1",
        "status": status,
        "result": result,
        "error": error,
        "created_at": NOW,
        "updated_at": NOW,
    }


def _plan(
    plan_id: int, legs: dict[str, dict[str, Any]], quantities: dict[str, int], **changes: Any
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "exec_plan_id": plan_id,
        "position_name": "campaign 2025-01-16 run-1",
        "strategy_id": 201,
        "strategy_name": "campaign",
        "broker_account_id": "PAPER-1",
        "leg_groups": {"1": list(legs)},
        "leg_group_qtys": {"1": {"leg_qtys": {name: Decimal(qty) for name, qty in quantities.items()}}},
        "vars": {"initial_delta": Decimal("0.5")},
        "leg_greeks": {"short_put": greeks("40", "60"), "long_put": greeks("-40", "-3")},
        "leg_prices": {"short_put": prices(*SHORT), "long_put": prices(*LONG)},
        "leg_group_greeks": {},
        "leg_group_prices": {},
        "position_greeks": {},
        "position_price": {},
        "underlying_price": prices("5999.80", "6000.40"),
    }
    return fields | changes


def entry_plan(multiplier: int = 1, **changes: Any) -> dict[str, Any]:
    """What an entry job of the put calendar gives: sell the near put, buy the far one."""
    quantities = {"short_put": -multiplier, "long_put": multiplier}
    legs = {name: leg(0, name, qty, position=0, days=DAYS[name]) for name, qty in quantities.items()}
    entry = {
        "selected_legs": legs,
        "abort_conditions": [{"condition": "underlying_vix > 40", "result": False}],
        "entry_conditions": [{"condition": "pos_theta > 0", "result": True}],
        "entry_allowed": True,
        "qty_multiplier": Decimal(multiplier),
    }
    return _plan(9001, legs, quantities, **(entry | changes))


def held_legs(lots: int = 1) -> dict[str, dict[str, Any]]:
    """The put calendar's open legs."""
    return {
        "short_put": leg(11, "short_put", -lots, price="98.30", days=DAYS["short_put"]),
        "long_put": leg(12, "long_put", lots, price="140.80", days=DAYS["long_put"]),
    }


def exit_plan(lots: int = 1, **changes: Any) -> dict[str, Any]:
    """What an exit job of it gives: the quantities that close."""
    exit_ = {"position_id": 7, "position_legs": held_legs(lots)}
    return _plan(9002, exit_["position_legs"], {"short_put": lots, "long_put": -lots}, **(exit_ | changes))


def legs_snapshot(**changes: Any) -> dict[str, Any]:
    """GetLegsSnapshot of the put calendar."""
    return {"leg_prices": {"11": prices(*SHORT, **changes), "12": prices(*LONG, **changes)}}
