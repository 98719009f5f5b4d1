"""I11: recovery twice is recovery once: a run that was over, or had called a person, is not moved by one more resume.

Its account in the journal may say once more that a person is wanted; nothing is sent, and no outcome is another one.
"""

from __future__ import annotations

from mesoflow.journal.records import Record
from mesoflow.rehearsal.evidence import ORDERS, Evidence, Violation, last

# What recovery writes of its own: looks at records, the page, the park.
_WORDS = frozenset({"engine", "parked"})


def check(evidence: Evidence) -> list[Violation]:
    """The home before, against the home after."""
    before = evidence.earlier
    if before is None:
        return []
    found: list[Violation] = []
    for run_id, records in evidence.runs.items():
        known = before.runs.get(run_id, ())
        end = last(known)
        if end is None:
            continue
        if end.kind == "ended" and records != known:
            found.append(
                Violation("I11", run_id, f"it was over, and {len(records) - len(known)} records came")
            )
        elif records[: len(known)] != known:
            found.append(Violation("I11", run_id, "its records are other ones"))
        else:
            new = [record for record in records[len(known) :] if _is_news(record)]
            found += [Violation("I11", run_id, f"resumed once more it has {_words(each)}") for each in new]
    times = len(evidence.executed) - len(before.executed)
    if times:
        found.append(Violation("I11", "the hub", f"{times} more trading calls were executed"))
    return found


def _is_news(record: Record) -> bool:
    """An order, or a word on what became of one."""
    body = record.body
    return record.kind not in _WORDS and (
        record.kind in ("ended", "decided")
        or (record.kind == "intended" and body["method"] in ORDERS)
        or "withdrawn" in body
        or "late_fill" in body
    )


def _words(record: Record) -> str:
    return f"a record {record.kind!r} {record.body.get('path', '')}".strip()
