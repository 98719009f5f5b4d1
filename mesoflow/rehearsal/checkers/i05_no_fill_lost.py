"""I5: no fill is lost and none counted twice: what an ended run has seen to fill is what filled."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import (
    Evidence,
    Violation,
    calls_a_person,
    filled_by_belief,
    last,
    live_ids,
)


def check(evidence: Evidence) -> list[Violation]:
    """More than the ledger says is wrong at any time; less than MesoLive has heard only once the run is over."""
    truth = {order.id: order for order in evidence.orders}
    found: list[Violation] = []
    for run_id, records in evidence.runs.items():
        known, over = filled_by_belief(records), last(records) is not None and not calls_a_person(records)
        for path, order_id in live_ids(records).items():
            believed, order = known.get(order_id, 0), truth.get(order_id)
            filled, told = (order.filled, order.told) if order is not None else (0, 0)
            if believed > filled or (over and believed < told):
                found.append(Violation("I5", f"{run_id} {path}", f"{believed} believed, {filled} filled"))
    return found
