"""I1: at every send what is known to have filled, what may be alive and this order are no more than the walk wanted.

A fill that is reported after its order was said to be over could not be known; it ends the walk and parks the run.
"""

from __future__ import annotations

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.journal.records import Record
from mesoflow.rehearsal.evidence import Evidence, Sent, Violation, live_ids, outcomes, seen, sent


def check(evidence: Evidence) -> list[Violation]:
    """Walk by walk, in the journal's order."""
    found: list[Violation] = []
    for records in evidence.runs.values():
        orders = [one for one in sent(records) if one.order.get("walk")]
        for index, one in enumerate(orders):
            earlier = [other for other in orders[:index] if other.order["walk"] == one.order["walk"]]
            before = sum(_counts(other, one.seq, records) for other in earlier)
            if before + _packages(one) > one.order["target"]:
                words = f"{before} filled or alive and {_packages(one)} more are over {one.order['target']}"
                found.append(Violation("I1", one.path, words))
    return found


def _counts(one: Sent, seq: int, records: tuple[Record, ...]) -> int:
    """What an order counts at `seq`: what it has filled, once its end was seen; nothing, if it never left; else all of it."""
    settled = outcomes(records).get(one.path)
    if settled is None or settled.run_seq > seq:
        return _packages(one)
    order_id = live_ids(records).get(one.path)
    if order_id is None:
        return 0
    told = [view for record in records if record.run_seq < seq for view in seen(record)]
    mine = [view for view in told if view.order_id == order_id]
    over = any(view.state in ORDER_ENDS for view in mine)
    return max((view.filled for view in mine), default=0) if over else _packages(one)


def _packages(one: Sent) -> int:
    return sum(int(group["packages"]) for group in one.order["groups"])
