"""I7: no order leaves while the home is halted, exits included; withdrawals do.

The journal's order says what came first: an order that was intended after somebody halted, and before somebody released,
may be in the journal (HALT is looked at after the commit), and must not have been executed. What was resent meanwhile under
an older intent only the witness sees, at the call itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.rehearsal.evidence import Evidence, Violation, every_order


def check(evidence: Evidence) -> list[Violation]:
    """Over all runs of the home."""
    executed = {call.key for call in evidence.executed}
    spans = list(_halted(evidence))
    return [
        Violation("I7", one.path, f"it was executed, and the home had been halted by {owner}")
        for one in every_order(evidence)
        for begin, end, owner in spans
        if begin < one.home_seq and (end is None or one.home_seq < end) and one.key in executed
    ]


def _halted(evidence: Evidence) -> Iterator[tuple[int, int | None, str]]:
    """From which record to which one it was halted (None: it still is), and by whom."""
    begun: tuple[int, str] | None = None
    for record in evidence.home:
        if record.kind != "state":
            continue
        if record.body["state"] == "HALTED" and begun is None:
            begun = record.home_seq, str(record.body["owner"])
        elif record.body["state"] == "ACTIVE" and begun is not None:
            yield begun[0], record.home_seq, begun[1]
            begun = None
    if begun is not None:
        yield begun[0], None, begun[1]
