"""I6: no price beyond the frozen worst, as intended and as the broker has it."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation, every_order


def check(evidence: Evidence) -> list[Violation]:
    """A higher signed price is worse: more paid, or less received."""
    at_broker = {order.key: order.limit for order in evidence.orders}
    found: list[Violation] = []
    for one in every_order(evidence):
        groups = one.order.get("groups", ())
        for group in groups:
            limits = [group["limit"]]
            if len(groups) == 1 and at_broker.get(one.key) is not None:
                limits.append(at_broker[one.key])
            for limit in limits:
                if limit > group["worst"]:
                    found.append(Violation("I6", one.path, f"{limit} is past {group['worst']}"))
    return found
