"""I4: the same key means the same bytes, and no order's key is executed twice.

A cancel may be: where the hub has lost its record the same bytes go again, and cancel what is cancelled.
"""

from __future__ import annotations

from collections import Counter

from mesoflow.rehearsal.evidence import ORDERS, Evidence, Violation, every_order


def check(evidence: Evidence) -> list[Violation]:
    """Over all runs of the home."""
    requests: dict[str, set[str]] = {}
    for one in every_order(evidence):
        requests.setdefault(one.key, set()).add(one.request)
    found = [Violation("I4", key, "two requests") for key, bytes_ in requests.items() if len(bytes_) > 1]
    times = Counter(call.key for call in evidence.executed if call.operation in ORDERS)
    return found + [Violation("I4", key, f"executed {n} times") for key, n in times.items() if n > 1]
