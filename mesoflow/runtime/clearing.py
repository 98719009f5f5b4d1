"""The seam between a run and the rails: one Protocol, its real form runtime/gate.py, its twin in tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from mesoflow.engine.effects import Effect, Outcome, Refused, Value
from mesoflow.journal.records import Record
from mesoflow.trading.clearance import Cleared
from mesoflow.trading.orders import Order


class Clearing(Protocol):
    """Judges the orders of one run and keeps the ledger, a fold of what it is told, in the journal's order."""

    def judge(self, path: str, order: Order, now: datetime) -> Refused | None:
        """Judge an order with today's rails; None when they hold. The verdict is kept for `intend` and `clear`."""

    def intend(self, path: str, order: Order, at: datetime) -> tuple[Value, Value]:
        """The order is about to be intended: (verdict, order) for the record; the ledger counts it."""

    def clear(self, path: str) -> Cleared[Order]:
        """Leave to send the order that was judged last at `path`, if its verdict passed."""

    def forbids(self, path: str, order: Order, now: datetime) -> str:
        """Why today's rails refuse to send this again, or ""."""

    def replayed(self, path: str, order: Order, at: datetime) -> None:
        """The journal holds this intent."""

    def settled(self, path: str, order: Order, outcome: Outcome, at: datetime) -> None:
        """What became of an order."""

    def observed(self, order: Mapping[str, Value], at: datetime) -> None:
        """How an order of ours stands, as GetOrder shows it: read, heard of, or withdrawn."""

    def withdrawing(self, path: str, method: str, at: datetime) -> None:
        """A cancel is on its way: it counts as a message (C10) and is never refused."""

    def catch_up(self, records: Iterable[Record]) -> None:
        """What other runs have traded on an account meanwhile, in the journal's order: the ledger counts it."""

    def proves_refusal(self, method: str, status: str) -> bool:
        """Whether this status is checked before acceptance, so that it proves that nothing happened."""

    def mark(self, effect: Effect, path: str, summary: str, now: datetime) -> Mapping[str, Value]:
        """The body of a mark: legs differ from fills, entries on the account are refused until `clear` (C21)."""

    def marked(self, account: str, position_id: int | None) -> bool:
        """Whether a mark still stands: when not, a person has looked, and comparisons start from what the hub shows."""
