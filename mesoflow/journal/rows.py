"""A record as a store keeps it, its check against the chain, and how it becomes a Record. Shared by the stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mesoflow.engine.effects import Value
from mesoflow.journal import blobs
from mesoflow.journal.chain import record_hash
from mesoflow.journal.codec import decode
from mesoflow.journal.errors import JournalDamaged
from mesoflow.journal.records import Record

# The format in which bodies are written today. Records are never rewritten; older ones are upcast as they are read.
FORMAT = 1

# From the format that a body was written in to the next one, until FORMAT is reached.
UPCASTS: Mapping[int, Callable[[str, dict[str, Value]], dict[str, Value]]] = {}


class Row(NamedTuple):
    """As stored: `text` are the exact bytes of the body that `hash` covers."""

    home_seq: int
    run_id: str
    run_seq: int
    kind: Any
    format: int
    text: bytes
    hash: bytes


def require_chained(row: Row, before: bytes, expected: int, path: str) -> None:
    """Raise JournalDamaged unless `row` is number `expected` of its run and fits the record hashed as `before`."""
    home_seq, run_id, run_seq, kind, format, text, hash = row
    try:
        if run_seq == expected and record_hash(before, home_seq, run_id, run_seq, kind, format, text) == hash:
            return
    except (AttributeError, TypeError):
        pass  # damage has made a text out of a number, or nothing out of a text
    reason = (
        "it is missing"
        if run_seq != expected
        else "its hash does not fit what it holds or what stands before it"
    )
    raise JournalDamaged(path, f"{named(run_id, expected)} (number {home_seq} of the home)", reason)


def named(run_id: str, run_seq: int) -> str:
    """A record as a person is told of it."""
    return f"record {run_seq} of run {run_id}" if run_id else f"record {run_seq} of the state home itself"


def record_of(row: Row, blob: Callable[[str], bytes | None], path: str) -> Record:
    """The record of a row. `blob` answers a large value's bytes by digest, or None."""
    home_seq, run_id, run_seq, kind, format, text, hash = row
    body = _joined(row, blob, path) if blobs.refers(text) else decode(text)
    return Record(
        home_seq, run_id, run_seq, kind, body if format == FORMAT else upcast(format, kind, body), hash.hex()
    )


def _joined(row: Row, blob: Callable[[str], bytes | None], path: str) -> dict[str, Value]:
    def fetch(name: str) -> bytes:
        value = blob(name)
        if value is None or not blobs.matches(name, value):
            raise JournalDamaged(
                path, named(row.run_id, row.run_seq), f"its large value {name} is missing or changed"
            )
        return value

    return blobs.join(row.text, fetch)


def upcast(format: int, kind: str, body: dict[str, Value]) -> dict[str, Value]:
    """A body of an older format as today's readers expect it."""
    while format < FORMAT:
        body = UPCASTS[format](kind, body)
        format += 1
    return body
