"""The witness: at each trading call the simulator lets it look, read-only, whether the journal holds what must be there.

That is a durable intent with this key, the bytes that arrived say what it says, and its verdict passed (I2, I4, I10); no
other sending of the leg group is without an outcome (I3), and nothing was halted when it left (I7). A withdrawal needs no
verdict, and passes while halted.
Without a witness an engine that writes no intent at all passes every kill: each request can be derived again.

`MESOFLOW_WITNESS=FILE` makes the real command run it (so does `mesoflow soak`): one line a trading call goes to FILE. Where something is missing
nothing is executed: the line says what, and the process ends with exit 3, for this is a bug in mesoflow.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from mesoflow.journal.records import Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.journal.store import Journal
from mesoflow.rehearsal.evidence import Evidence
from mesoflow.trading.clearance import WITHDRAWALS

# The variable that names its file.
WITNESS = "MESOFLOW_WITNESS"
# Exit.BUG, which lives above this layer.
BUG = 3
_MISSING, _SEEN = "MISSING\t", "seen\t"
KEY = "IdempotencyKey"
HALT = "HALT"


@dataclass(frozen=True, slots=True)
class Missing(Exception):
    """What the journal should hold and does not."""

    method: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.method} with key {self.key or 'none'}: {self.reason}"


def covering_path(journal: Journal, method: str, args: Mapping[str, Any]) -> str:
    """The path of the intent that covers this call. `args` are as they arrived. Raises Missing."""
    key = str(args.get(KEY) or "")
    if not key:
        raise Missing(method, key, "it carries no idempotency key")
    intended = _intent(journal, key)
    if intended is None:
        raise Missing(method, key, "the journal holds no durable intent")
    body = intended.body
    if body["method"] != method:
        raise Missing(method, key, f"the intent is for {body['method']}")
    if body["encoding"] == "json" and _read(body["request"]) != _plain(args):
        raise Missing(method, key, "the bytes that arrived are not those of the intent")
    if method in WITHDRAWALS:
        return str(body["path"])
    verdict = body.get("verdict")
    if not isinstance(verdict, Mapping) or verdict.get("passed") is not True:
        raise Missing(method, key, "the intent has no verdict that passed")
    unknown = _open_in_group(journal, intended)
    if unknown:
        raise Missing(method, key, f"what became of {unknown}, in the same leg group, is not known")
    return str(body["path"])


def _open_in_group(journal: Journal, intended: Record) -> str:
    """The path of another sending of this exec plan's leg group that has no outcome yet, "" without one."""
    open_: dict[str, tuple[Any, ...]] = {}
    for record in journal.read(intended.run_id):
        if record.kind == "settled":
            open_.pop(record.body["path"], None)
        elif record.kind == "intended" and record.body.get("order"):
            open_[record.body["path"]] = _group(record)
    mine = _group(intended)
    return next(
        (path for path, group in open_.items() if group == mine and path != intended.body["path"]), ""
    )


def _group(intended: Record) -> tuple[Any, ...]:
    order = intended.body.get("order") or {"exec_plan_id": None, "groups": []}
    return order["exec_plan_id"], *(group["id"] for group in order["groups"])


def _intent(journal: Journal, key: str) -> Record | None:
    """The newest intent with this key. Only runs that are not over can be sending."""
    for row in reversed(journal.runs()):
        if row.last_kind == "ended":
            continue
        for record in journal.read(row.run_id):
            if record.kind == "intended" and record.body["key"] == key:
                return record
    return None


def _read(request: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(request, parse_float=Decimal)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what the server's decoder made of the bytes
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def abort() -> None:
    """End the process where it stands: nothing of this call may happen."""
    os._exit(BUG)


def unwitnessed(lines: Path, evidence: Evidence) -> list[str]:
    """What it found missing, and the trading calls that were executed without its having seen them."""
    told = lines.read_text(encoding="utf-8").splitlines() if lines.exists() else []
    missing = [line.removeprefix(_MISSING) for line in told if line.startswith(_MISSING)]
    keys = {line.split("\t")[2] for line in told if line.startswith(_SEEN)}
    return [f"the witness: {words}" for words in missing] + [
        f"the witness has not seen {call.operation} with key {call.key}"
        for call in evidence.executed
        if call.key not in keys
    ]


class Witness:
    """Looks through a connection of its own, opened for each call: what it sees is what is durable for others."""

    def __init__(self, journal: Path, lines: Path, die: Callable[[], None] = abort) -> None:
        self._journal = journal
        self._lines = lines
        self._die = die
        self._on_the_way: set[str] = set()

    def leaves(self, key: str) -> None:
        """An order is about to leave. One that left before anybody halted may arrive after it; one that leaves again
        afterwards may not."""
        if self._is_halted:
            self._on_the_way.discard(key)
        else:
            self._on_the_way.add(key)

    def look(self, method: str, args: Mapping[str, Any]) -> None:
        """The simulator's hook before a trading call is executed."""
        journal = SqliteJournal.open(self._journal, read_only=True)
        try:
            key = str(args.get(KEY) or "")
            if method not in WITHDRAWALS and self._is_halted and key not in self._on_the_way:
                raise Missing(method, key, "the state home is halted")
            path = covering_path(journal, method, args)
        except Missing as missing:
            self._write(f"{_MISSING}{missing}")
            print(f"this is a bug in mesoflow: {missing}", file=sys.stderr, flush=True)
            self._die()
            raise
        finally:
            journal.close()
        self._write(f"{_SEEN}{method}\t{args[KEY]}\t{path}")

    @property
    def _is_halted(self) -> bool:
        return (self._journal.parent / HALT).exists()

    def _write(self, line: str) -> None:
        with self._lines.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
