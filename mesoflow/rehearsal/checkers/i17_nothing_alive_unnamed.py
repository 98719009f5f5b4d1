"""I17: whatever ended or parked a run, no order of it is alive that is not named, and what filled is reported."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation, calls_a_person, last, live_ids, outcomes, sent


def check(evidence: Evidence) -> list[Violation]:
    """A run that is over has none; one that is parked names each: as unknown, or by the hub's id."""
    alive = {order.key: order for order in evidence.orders if order.alive}
    found: list[Violation] = []
    for records in evidence.runs.values():
        end, settled, ids = last(records), outcomes(records), live_ids(records)
        for one in sent(records):
            order = alive.get(one.key)
            if order is None:
                continue
            unknown = one.path not in settled
            named = end is not None and calls_a_person(records) and str(ids.get(one.path)) in str(end.body)
            if not unknown and not named:
                found.append(Violation("I17", one.path, f"order {order.id} is alive, and nobody is told"))
    return found
