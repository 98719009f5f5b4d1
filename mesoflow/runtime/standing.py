"""How the runs of a state home stand: a fold over the few records that say so, and over one run's intents.

States: running, parked (with its reason), done, skipped, failed, cancelled, superseded. A run that is neither over nor
held by a runner is parked; where its runner said no word before it went, the reason is `died`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mesoflow.engine.effects import Value
from mesoflow.journal.records import Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.bodies import Intent, read_intent

DIED = "died"

# The methods by which orders leave: a start counts as spent once one of them was intended.
TRADES = frozenset({"SendOrder", "ApplyPaperFills"})


@dataclass(slots=True)
class Standing:
    """One run. `started` is its first record's body; `reason` is a code for a parked run, words for one that is over."""

    run_id: str
    started: Mapping[str, Value]
    state: str = "parked"
    reason: str = DIED
    words: str = ""
    path: str = ""
    at: datetime | None = None
    last: Mapping[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing can be resumed."""
        return self.state not in ("running", "parked")


def standings(journal: Journal, held: Callable[[str], bool]) -> list[Standing]:
    """All runs, newest first. `held(run_id)`: whether a living runner has the run."""
    found: dict[str, Standing] = {}
    newest = {row.run_id: row.last for row in journal.runs()}
    for record in journal.home(kinds=("started", "parked", "ended")):
        if record.kind == "started":
            found[record.run_id] = Standing(record.run_id, record.body, at=record.body["at"])
        elif record.run_id in found:
            _apply(found[record.run_id], record, is_newest=newest[record.run_id] == record.home_seq)
    for standing in found.values():
        if not standing.over and held(standing.run_id):
            standing.state, standing.reason, standing.words = "running", "", ""
    return list(reversed(found.values()))


def standing_of(journal: Journal, run_id: str, held: Callable[[str], bool]) -> Standing | None:
    """One run, None where there is none of this name."""
    first = next(iter(journal.read(run_id)), None)
    if first is None or first.kind != "started":
        return None
    standing = Standing(run_id, first.body, at=first.body["at"])
    newest = journal.last(run_id)
    said = journal.last(run_id, ("parked", "ended"))
    if said is not None and newest is not None:
        _apply(standing, said, is_newest=newest.run_seq == said.run_seq)
    if not standing.over and held(run_id):
        standing.state, standing.reason, standing.words = "running", "", ""
    return standing


def _apply(standing: Standing, record: Record, *, is_newest: bool) -> None:
    """A park that something was recorded after has been resumed since: then the runner died without a word."""
    body = record.body
    standing.at, standing.last = body["at"], body
    if record.kind == "ended":
        standing.state, standing.reason, standing.words = body["state"], "", body["reason"]
    elif is_newest:
        standing.reason, standing.words, standing.path = body["code"], body["reason"], body.get("path", "")


def open_intents(journal: Journal, run_id: str) -> list[Intent]:
    """What is intended and not settled: in flight while a runner has the run, unknown otherwise."""
    found: dict[str, Intent] = {}
    for record in journal.read(run_id):
        if record.kind == "intended":
            found[record.body["path"]] = read_intent(record.body)
        elif record.kind == "settled":
            found.pop(record.body["path"], None)
    return list(found.values())


def has_traded(journal: Journal, run_id: str) -> bool:
    """Whether an order of this run was ever intended."""
    return any(
        record.kind == "intended" and record.body["method"] in TRADES for record in journal.read(run_id)
    )
