"""I15: the journal alone rebuilds the final state."""

from __future__ import annotations

from mesoflow.engine.control import Ended
from mesoflow.engine.errors import Cancelled
from mesoflow.journal.codec import encode
from mesoflow.journal.records import Record
from mesoflow.rehearsal.evidence import Evidence, Violation, last
from mesoflow.review.replay import replay
from mesoflow.runtime.bodies import ended_value
from mesoflow.runtime.machine import machine_of


def check(evidence: Evidence) -> list[Violation]:
    """Each run's inputs, told again to a fresh interpreter, end as the run ended."""
    found: list[Violation] = []
    for run_id, records in evidence.runs.items():
        end = last(records)
        if end is None or end.kind != "ended":
            continue
        words = _differs(records, end)
        if words:
            found.append(Violation("I15", run_id, words))
    return found


def _differs(records: tuple[Record, ...], end: Record) -> str:
    first = records[0].body
    inputs = [record for record in records[1:] if record.kind in ("settled", "input")]
    told = replay(machine_of(first), inputs, first["at"])
    if told.differs:
        return told.differs
    over = told.over
    if over is None:
        return "told again, it is not over"
    ended = over.error.partial if isinstance(over.error, Cancelled) else over.value
    assert isinstance(ended, Ended)
    again = ended_value(ended, end.body["at"])
    return "" if encode(again) == encode(dict(end.body)) else f"told again, it ends as {ended.state!r}"
