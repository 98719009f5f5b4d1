"""I12: every run ends in a named state, or can be resumed."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation, last

ENDS = frozenset({"done", "skipped", "failed", "cancelled", "superseded"})


def check(evidence: Evidence) -> list[Violation]:
    """Nothing comes after an end; a park has its reason."""
    found: list[Violation] = []
    for run_id, records in evidence.runs.items():
        record = last(records)
        if record is None:
            found.append(Violation("I12", run_id, "it neither ended nor parked"))
        elif record.kind == "ended" and record.body["state"] not in ENDS:
            found.append(Violation("I12", run_id, f"it ended as {record.body['state']!r}"))
        elif record.kind == "ended" and records[-1] is not record:
            found.append(Violation("I12", run_id, f"a record {records[-1].kind!r} after the end"))
        elif record.kind == "parked" and not record.body["code"]:
            found.append(Violation("I12", run_id, "it parked without a reason"))
    return found
