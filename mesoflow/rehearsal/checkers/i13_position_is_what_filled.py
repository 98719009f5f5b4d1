"""I13: a position is what it was and what filled since, or the run is parked."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from mesoflow.journal.records import Record
from mesoflow.rehearsal.evidence import (
    ORDERS,
    Evidence,
    Violation,
    calls_a_person,
    filled_by_belief,
    live_ids,
    outcomes,
    sent,
)

# What the ledger calls the fills of an order at a broker.
_FILL = "Fill"


def check(evidence: Evidence) -> list[Violation]:
    """By exec plan and leg: what our fills add up to against what was traded. A person's own trades are no fills of ours."""
    believed: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for records in evidence.runs.values():
        _add_fills(believed, records)
    real = _traded(evidence)
    if any(calls_a_person(records) for records in evidence.runs.values()):
        return []
    return [
        Violation(
            "I13", f"plan {plan}, leg {leg}", f"{believed[plan, leg]} by our fills, {real[plan, leg]} traded"
        )
        for plan, leg in sorted({*believed, *real})
        if believed[plan, leg] != real[plan, leg]
    ]


def _traded(evidence: Evidence) -> dict[tuple[int, str], Decimal]:
    """By the ledger; what MesoLive has not heard to be filled is in no position that it shows."""
    orders = {order.key: order for order in evidence.orders if order.filled}
    by_order: dict[tuple[int, str, str], Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        if fill.operation in ORDERS or fill.operation == _FILL:
            by_order[fill.plan, fill.leg, fill.key] += fill.qty
    real: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for (plan, leg, key), quantity in by_order.items():
        order = orders.get(key)
        real[plan, leg] += quantity if order is None else quantity * order.told / order.filled
    return real


def _add_fills(believed: dict[tuple[int, str], Decimal], records: tuple[Record, ...]) -> None:
    ids, known, settled = live_ids(records), filled_by_belief(records), outcomes(records)
    for one in sent(records):
        packages = sum(group["packages"] for group in one.order["groups"])
        if one.path in ids:
            filled = known.get(ids[one.path], 0)
        else:
            done = one.path in settled and "done" in settled[one.path].body["outcome"]
            filled = packages if done else 0
        for leg in one.order["legs"]:
            if leg["quantity"] and filled:
                believed[one.order["exec_plan_id"], leg["name"]] += leg["quantity"] * filled / packages
