"""What our journals know of positions: which are ours, what their legs should be, which exec plans made them.

The state home's ledger comes in with the context (`Context.ledger`, a fold over the home's journal up to the start of the
run); what this run trades is folded in here, by the action that traded it, so that it too is a function of the journal's
inputs. Shape, a Value:

    positions   position id as text → {account, legs: {name: signed quantity}, plans: [exec plan ids]}
    unknowns    instants at which calls left whose outcome is unknown, of every run of the home
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value


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
    plans = positions.get(str(position_id), {"plans": []})["plans"]
    positions[str(position_id)] = {"account": account_id, "legs": dict(legs), "plans": [*plans, plan_id]}


def _ledger(ctx: Context) -> dict[str, Value]:
    ledger: dict[str, Value] | None = getattr(ctx, "ledger", None)
    return {} if ledger is None else ledger
