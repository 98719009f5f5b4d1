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
