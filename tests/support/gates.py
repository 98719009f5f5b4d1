"""The real gate, with limits that a small calendar passes."""

from __future__ import annotations

from mesoflow.runtime.gate import Gate
from mesoflow.safety.environment import Environment
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits

RISK = {
    "accounts": ["PAPER-1"],
    "max_contracts_per_order": 100_000,
    "max_order_premium": 25_000,
    "max_order_loss": 25_000,
    "max_open_loss": "unlimited",
    "max_daily_loss": 2_000,
    "max_distance_from_mid": 2,
    # Hundreds of orders, on the same legs, at any hour: what these tests are about is not how many.
    "max_contracts_per_run": "unlimited",
    "max_contracts_per_day": "unlimited",
    "max_messages": {"minute": "unlimited", "run": "unlimited", "day": "unlimited"},
    "max_open_orders": "unlimited",
    "max_open_orders_value": "unlimited",
    "session_window": "unlimited",
    "reconcile_every": "unlimited",
}


def practice_gate(run_id: str) -> Gate:
    """A gate on a simulator, before a durable journal."""
    environment = Environment(run_id, simulator=True, durable=True, semantics=1, pinned_semantics=1, program="p", pinned_program="p", run_number=1, policy_accepted=True)  # fmt: skip
    return Gate(run_id, Limits.parse(RISK), Ledger(), environment)
