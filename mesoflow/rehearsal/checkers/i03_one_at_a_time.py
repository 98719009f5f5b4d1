"""I3: no send in a group whose last order has no outcome yet."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation, outcomes, sent


def check(evidence: Evidence) -> list[Violation]:
    """In the journal's order: the outcome before the next intent of the same walk."""
    found: list[Violation] = []
    for records in evidence.runs.values():
        settled = outcomes(records)
        before: dict[str, str] = {}
        for one in sent(records):
            walk = one.order.get("walk")
            if not walk:
                continue
            earlier = before.get(walk)
            if earlier and (earlier not in settled or settled[earlier].run_seq > one.seq):
                found.append(Violation("I3", one.path, f"{earlier} had no outcome"))
            before[walk] = one.path
    return found
