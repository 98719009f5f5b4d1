"""What checkers judge: the journal's records of a home's runs, and the simulator's own account of the same.

The simulator's ledger is the truth; the journal is what mesoflow believes. A checker holds one against the other and names
each place where an invariant of EXECUTION.md §5 is broken. Everything here is values: a mutant is doctored evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesoflow.journal.records import HOME, Record
from mesoflow.journal.store import Journal
from mesoflow.simulator.ledger import Executed, Fill, Ordered
from mesoflow.simulator.ledger import Ledger as WorldLedger

ORDERS = frozenset({"SendOrder", "ApplyPaperFills"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant: its id, where, and what is wrong there."""

    invariant: str
    place: str
    words: str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.place}: {self.words}"


@dataclass(frozen=True, slots=True)
class Calm:
    """From `since` on no fault was left, and the runs were begun or resumed `lives` times."""

    since: datetime
    lives: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Runs by id, with their records in order; what was executed, what became of each order, and each leg's fill.

    `home`: the records of no run (who halted and released, and when). `calm`: where faults were played, when they were over.
    `earlier`: the same home before each of its runs was resumed once more than it needed.
    """

    runs: Mapping[str, tuple[Record, ...]]
    executed: tuple[Executed, ...]
    orders: tuple[Ordered, ...]
    fills: tuple[Fill, ...]
    home: tuple[Record, ...] = ()
    calm: Calm | None = None
    earlier: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One order as it was intended. `request` are its bytes as text; `verdict` is what the rails said; `seq` counts in its run,
    `home_seq` in the home."""

    run_id: str
    path: str
    key: str
    method: str
    request: str
    order: Mapping[str, Any]
    verdict: Mapping[str, Any]
    at: datetime
    seq: int
    home_seq: int


def gather(journal: Journal, ledger: WorldLedger) -> Evidence:
    """Read both sides."""
    runs = {row.run_id: tuple(journal.read(row.run_id)) for row in journal.runs()}
    home = tuple(record for record in journal.home() if record.run_id == HOME)
    return Evidence(runs, tuple(ledger.executed()), tuple(ledger.orders()), tuple(ledger.fills()), home)


def sent(records: tuple[Record, ...]) -> Iterator[Sent]:
    """The orders that a run intended, in their order."""
    for record in records:
        body = record.body
        if record.kind == "intended" and body["method"] in ORDERS:
            yield Sent(
                record.run_id,
                body["path"],
                body["key"],
                body["method"],
                str(body["request"]),
                body.get("order") or {},
                body.get("verdict") or {},
                body["at"],
                record.run_seq,
                record.home_seq,
            )


def every_order(evidence: Evidence) -> Iterator[Sent]:
    """Those of all runs."""
    for records in evidence.runs.values():
        yield from sent(records)


def outcomes(records: tuple[Record, ...]) -> dict[str, Record]:
    """What was settled, by path."""
    return {record.body["path"]: record for record in records if record.kind == "settled"}


def live_ids(records: tuple[Record, ...]) -> dict[str, int]:
    """The hub's id of each order that was accepted, by the path of its sending."""
    settled = outcomes(records)
    found: dict[str, int] = {}
    for one in sent(records):
        answer = settled[one.path].body["outcome"].get("done") if one.path in settled else None
        if isinstance(answer, Mapping) and answer.get("live_order_id") is not None:
            found[one.path] = int(answer["live_order_id"])
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What one record has told of an order: packages filled in all, and the hub's word for its state."""

    order_id: int
    filled: int
    state: str


def seen(record: Record) -> Iterator[Seen]:
    """By an answer, an event, or what was withdrawn or filled late."""
    body = record.body
    if record.kind == "settled":
        answer = body["outcome"].get("done")
        shown = answer.get("order") if isinstance(answer, Mapping) else None
    else:
        shown = body.get("order") if record.kind == "event" else None
    if isinstance(shown, Mapping):
        yield Seen(int(shown["order_id"]), int(abs(shown["cum_qty"])), str(shown["state"]))
    if record.kind == "input":
        for name in ("withdrawn", "late_fill"):
            if name in body:
                told = body[name]
                yield Seen(int(told["order"]), int(told["filled"]), str(told.get("state", "")))


def filled_by_belief(records: tuple[Record, ...]) -> dict[int, int]:
    """Packages that the run has seen to fill, by order: the greatest that anything has told."""
    known: dict[int, int] = {}
    for record in records:
        for one in seen(record):
            known[one.order_id] = max(known.get(one.order_id, 0), one.filled)
    return known


def known_filled(evidence: Evidence, one: Sent, home_seq: int) -> int:
    """Packages of an order that were known to have filled at that point of the home's journal."""
    records = tuple(record for record in evidence.runs[one.run_id] if record.home_seq < home_seq)
    settled = outcomes(records).get(one.path)
    answer = settled.body["outcome"].get("done") if settled is not None else None
    if answer is None:
        return 0
    if one.method != "SendOrder":
        return packages_of(one)
    return filled_by_belief(records).get(int(answer.get("live_order_id") or 0), 0)


def packages_of(one: Sent) -> int:
    """Packages that an order was to trade."""
    return sum(int(group["packages"]) for group in one.order["groups"])


def plans_of_positions(evidence: Evidence) -> dict[int, frozenset[int]]:
    """The exec plans that have traded each position, by the ledger."""
    found: dict[int, frozenset[int]] = {}
    for fill in evidence.fills:
        found[fill.position] = found.get(fill.position, frozenset()) | {fill.plan}
    return found


def last(records: tuple[Record, ...]) -> Record | None:
    """How the run stands: its newest record of an end or a park."""
    return next((record for record in reversed(records) if record.kind in ("ended", "parked")), None)


def calls_a_person(records: tuple[Record, ...]) -> bool:
    """Whether the run is parked."""
    record = last(records)
    return record is not None and record.kind == "parked"
