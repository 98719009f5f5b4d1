"""I16: with faults switched off every run ends within a bound, or has called a person who did not come."""

from __future__ import annotations

from datetime import timedelta

from mesoflow.journal.records import Record
from mesoflow.rehearsal.evidence import Evidence, Violation, last

# Of simulated time. The playbooks of seeded worlds work their orders for minutes each, with a few tries.
WITHIN = timedelta(hours=2)
# One to settle what the faults have left, one after each word of a person, and one to spare.
LIVES_MAX = 6
# Parks that only a person ends (CLI.md: exits 4, 5 and 7). An interruption and a hub that is away are none in calm weather.
PERSON = frozenset({"outcome_unknown", "legs_differ", "late_fill", "approval", "question", "halted"})


def check(evidence: Evidence) -> list[Violation]:
    """Nothing without a phase of calm."""
    calm = evidence.calm
    if calm is None:
        return []
    found: list[Violation] = []
    for run_id, records in evidence.runs.items():
        end = last(records)
        if end is None or (end.kind == "parked" and end.body["code"] not in PERSON):
            found.append(Violation("I16", run_id, f"in calm weather it is {_state(end)}"))
        elif end.body["at"] - calm.since > WITHIN:
            found.append(Violation("I16", run_id, f"it took {end.body['at'] - calm.since} of calm weather"))
    if calm.lives > LIVES_MAX:
        found.append(Violation("I16", "the home", f"it was resumed {calm.lives} times in calm weather"))
    return found


def _state(end: Record | None) -> str:
    return "neither over nor parked" if end is None else f"parked ({end.body['code']})"
