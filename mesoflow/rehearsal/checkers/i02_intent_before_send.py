"""I2: no send without a durable intent: every key that was executed stands in the journal, for that method."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation


def check(evidence: Evidence) -> list[Violation]:
    """Withdrawals too."""
    intended = {
        record.body["key"]: record.body["method"]
        for records in evidence.runs.values()
        for record in records
        if record.kind == "intended"
    }
    return [
        Violation(
            "I2", call.key, f"{call.operation} was executed, the journal intends {intended.get(call.key)}"
        )
        for call in evidence.executed
        if intended.get(call.key) != call.operation
    ]
