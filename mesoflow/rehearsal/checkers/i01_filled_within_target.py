"""I1: at every send what is known to have filled, what may be alive and this order are no more than the walk wanted.

A fill that is reported after its order was said to be over could not be known; it ends the walk and parks the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.journal.records import Record
from mesoflow.rehearsal.evidence import Evidence, Sent, Violation, live_ids, outcomes, packages_of, seen, sent


def check(evidence: Evidence) -> list[Violation]:
    """Walk by walk, in the journal's order."""
    found: list[Violation] = []
    ids = {order.key: order.id for order in evidence.orders}
    for records in evidence.runs.values():
        orders = [one for one in sent(records) if one.order.get("walk")]
        for index, one in enumerate(orders):
            earlier = [other for other in orders[:index] if other.order["walk"] == one.order["walk"]]
            before = sum(_counts(other, one.seq, records, ids) for other in earlier)
            if before + packages_of(one) > one.order["target"]:
                words = f"{before} filled or alive and {packages_of(one)} more are over {one.order['target']}"
                found.append(Violation("I1", one.path, words))
        found += _too_much(evidence, records, orders)
    return found


def _too_much(evidence: Evidence, records: tuple[Record, ...], orders: list[Sent]) -> Iterator[Violation]:
    """More than a walk wanted has really filled: only a fill that was told late explains it, and it must have been counted.
    What MesoLive itself has not heard, nobody can count."""
    filled = {order.key: order.told for order in evidence.orders}
    late = any("late_fill" in record.body for record in records if record.kind == "input")
    for walk, target in {one.order["walk"]: one.order["target"] for one in orders}.items():
        total = sum(filled.get(one.key, 0) for one in orders if one.order["walk"] == walk)
        if total > target and not late:
            yield Violation(
                "I1", walk, f"{total} have filled of {target}, and nobody was told of a late fill"
            )


def _counts(one: Sent, seq: int, records: tuple[Record, ...], ids: Mapping[str, int]) -> int:
    """What an order counts at `seq`: what it has filled, once its end was seen; nothing, if it never left; else all of it."""
    settled = outcomes(records).get(one.path)
    if settled is None or settled.run_seq > seq:
        return packages_of(one)
    if "refused" in settled.body["outcome"]:
        return 0
    # Accepted without an id: the ledger has it, under its key.
    order_id = live_ids(records).get(one.path, ids.get(one.key))
    told = [view for record in records if record.run_seq < seq for view in seen(record)]
    mine = [view for view in told if view.order_id == order_id]
    over = any(view.state in ORDER_ENDS for view in mine)
    return max((view.filled for view in mine), default=0) if over else packages_of(one)
