"""What our journals know of positions: which are ours, what their legs should be, which exec plans made them.

The state home's ledger comes in with the context (`Context.ledger`, a fold over the home's journal up to the start of the
run); what this run trades is folded in here, by the action that traded it, so that it too is a function of the journal's
inputs. Shape, a Value:

    positions   position id as text → {account, legs: {name: signed quantity}, plans: [exec plan ids], expires: {leg name:
                when it settles}, held: why, where a part of a plan is on hold}
    orders      live order id as text → {account, playbook, kind, exec_plan_id}; what the home sent, working or over
    unknowns    instants at which calls left whose outcome is unknown, of every run of the home
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.trading.orders import Order


def positions_of(ctx: Context, account_id: str) -> dict[int, Mapping[str, Any]]:
    """Our positions on an account."""
    positions = _ledger(ctx).get("positions", {})
    return {int(key): entry for key, entry in positions.items() if entry["account"] == account_id}


def is_ours(ctx: Context, position_id: int) -> bool:
    """Whether this state home has traded the position."""
    return str(position_id) in _ledger(ctx).get("positions", {})


def adjustments_of(ctx: Context, position_id: int) -> int:
    """Exec plans of ours since the entry."""
    entry = _ledger(ctx).get("positions", {}).get(str(position_id))
    return max(0, len(entry["plans"]) - 1) if entry else 0


def unknowns_of(ctx: Context) -> list[datetime]:
    """When the calls left whose outcome is unknown."""
    return list(_ledger(ctx).get("unknowns", []))


def remember(
    ctx: Context, account_id: str, position_id: int, plan_id: int, legs: Mapping[str, Decimal]
) -> None:
    """A plan was executed; `legs` are the position's open legs after it."""
    positions = _ledger(ctx).setdefault("positions", {})
    before = positions.get(str(position_id), {"plans": []})
    entry = {**before, "account": account_id, "legs": dict(legs), "plans": [*before["plans"], plan_id]}
    entry.pop("held", None)
    if legs and "held" in before:  # a hold ends when the position is flat
        entry["held"] = before["held"]
    positions[str(position_id)] = entry


def put_on_hold(ctx: Context, position_id: int, why: str) -> None:
    """Nothing but exits touches the position from now on, until it is flat or a person has cleared it."""
    entry = _ledger(ctx).get("positions", {}).get(str(position_id))
    if entry is not None:
        entry["held"] = why


def require_not_held(ctx: Context, position_id: int | None) -> None:
    """What would open risk in a position that is on hold is refused."""
    entry = _ledger(ctx).get("positions", {}).get(str(position_id), {})
    if "held" in entry:
        raise StepError(
            "rail_refused",
            f"position {position_id} is on hold ({entry['held']}); exits are possible, and `mesoflow clear` ends it",
            {"rule": "hold", "position_id": position_id},
        )


def remember_order(ctx: Context, order: Order, order_id: int) -> None:
    """An order of ours is at the broker."""
    orders = _ledger(ctx).setdefault("orders", {})
    orders[str(order_id)] = {
        "account": order.account,
        "playbook": ctx.playbook,
        "kind": order.kind,
        "exec_plan_id": order.exec_plan_id,
    }


def orders_of(ctx: Context, account_id: str) -> dict[int, Mapping[str, Any]]:
    """Orders that we sent to an account, those that are over included."""
    orders = _ledger(ctx).get("orders", {})
    return {int(key): entry for key, entry in orders.items() if entry["account"] == account_id}


def _ledger(ctx: Context) -> dict[str, Value]:
    ledger: dict[str, Value] | None = getattr(ctx, "ledger", None)
    return {} if ledger is None else ledger
