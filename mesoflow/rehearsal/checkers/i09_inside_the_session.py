"""I9: no entry leaves outside the session."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation, every_order
from mesoflow.trading.sessions import Calendar


def check(evidence: Evidence) -> list[Violation]:
    """By the calendar of each run's playbook, early closes included."""
    found: list[Violation] = []
    for one in every_order(evidence):
        started = evidence.runs[one.run_id][0].body
        calendar = Calendar.load(started["program"]["session"])
        if one.order.get("kind") == "entry" and not calendar.is_open(one.at):
            found.append(Violation("I9", one.path, f"an entry at {one.at:%a %H:%M:%S} UTC"))
    return found
