"""Stored journals (tests/corpus/*.jsonl) and their replay by today's engine: `what_differs` is empty as long as it does the same.

One line a record, its body in the journal's own stored form. What differs from machine to machine and what no replay reads
(the playbook's place and text) is left out when a journal is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mesoflow.engine.control import Ended
from mesoflow.engine.errors import Cancelled
from mesoflow.engine.paths import is_engine
from mesoflow.engine.tasks import Ending
from mesoflow.journal.codec import decode, encode
from mesoflow.journal.records import Record
from mesoflow.review.replay import Replayed, replay
from mesoflow.runtime.bodies import effect_digest, ended_value
from mesoflow.runtime.machine import machine_of

FOLDER = Path(__file__).parents[1] / "corpus"
MAKE = "python -m tests.support.make_corpus"
ADVICE = (
    "A run that an older mesoflow has begun would be replayed otherwise by this engine. Either that was not meant; or bump "
    "SEMANTICS in mesoflow/engine/semantics.py, say in CHANGELOG.md which version resumes the older runs, and store the "
    f"corpus anew: {MAKE}"
)


def stored(records: Sequence[Record]) -> str:
    """A run's journal as the corpus holds it."""
    first, *rest = records
    started = {**first.body, "sources": {}, "options": {}}
    bodies = [(first.kind, started), *((record.kind, record.body) for record in rest)]
    return "".join(encode({"kind": kind, "body": dict(body)}) + "\n" for kind, body in bodies)


def read(file: Path) -> list[Record]:
    """A stored journal."""
    rows = [decode(line) for line in file.read_text(encoding="utf-8").splitlines()]
    run_id = rows[0]["body"]["run_id"]
    return [
        Record(number, run_id, number, row["kind"], row["body"], "") for number, row in enumerate(rows, 1)
    ]


def what_differs(records: Sequence[Record]) -> list[str]:
    """Replay by today's engine: paths and digests of all that was asked for, and the end. A line for each that differs."""
    first, *rest = records
    told = replay(machine_of(first.body), rest, first.body["at"])
    if told.differs:
        return [told.differs]
    return [*_effects(told, rest), *_end(told, rest)]


def _effects(told: Replayed, records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        path = record.body.get("path", "")
        if record.kind not in ("intended", "settled") or is_engine(path):
            continue
        if path not in told.asked:
            yield f"{path}: the journal holds it, and nothing asks for it now"
        elif (now := effect_digest(told.asked[path][0])) != record.body["digest"]:
            yield f"{path}: it asked for {record.body['digest']}, and asks for {now} now"
    yield from (f"{path}: it is waited for after the end" for path in told.waiting)


def _end(told: Replayed, records: Sequence[Record]) -> Iterator[str]:
    was = records[-1]
    if was.kind != "ended":
        yield f"the journal ends with {was.kind}: only runs that are over are stored"
        return
    now = _ended(told.over)
    if now is None:
        yield f"it ended {was.body['state']}, and goes on now"
        return
    body = decode(encode(ended_value(now, was.body["at"])))
    if body != was.body:
        yield f"it ended {dict(was.body)}, and ends {body} now"


def _ended(over: Ending | None) -> Ended | None:
    if over is None:
        return None
    ended: Any = over.error.partial if isinstance(over.error, Cancelled) else over.value
    return ended if isinstance(ended, Ended) else None
