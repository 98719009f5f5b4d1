"""The rails of one run, kept between judging and sending: the real form of clearing.py.

The order of things for one order (EXECUTION.md §2): `judge` between the last settle and the commit, `intend` in that commit,
`clear` when it leaves. The ledger is a fold of what the journal holds, told here in the journal's order, live or replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from mesoflow.engine.effects import Effect, Outcome, Refused, Value
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.inferred import status_proves_refusal
from mesoflow.journal.records import Record
from mesoflow.safety.clearance import clear
from mesoflow.safety.environment import Environment
from mesoflow.safety.judge import judge
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.safety.verdicts import Verdict
from mesoflow.trading.clearance import Cleared
from mesoflow.trading.order_values import order_to_value
from mesoflow.trading.orders import Order


@dataclass(slots=True)
class Gate:
    """One run's. `verdicts` are those of the orders on their way, `open` the orders that count in the ledger."""

    run_id: str
    limits: Limits
    ledger: Ledger
    environment: Environment
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    open: dict[str, Order] = field(default_factory=dict)
    last: dict[str, Order] = field(default_factory=dict)

    def judge(self, path: str, order: Order, now: datetime) -> Refused | None:
        """Judge an order with today's rails; None when they hold."""
        verdict = self._judge(order, now)
        if verdict.passed:
            self.verdicts[path] = verdict
            return None
        return Refused(
            "rail_refused", verdict.summary, {"rules": rules(verdict), "verdict": verdict.to_value()}
        )

    def intend(self, path: str, order: Order, at: datetime) -> tuple[Value, Value]:
        """The order is about to be intended: (verdict, order) for the record; the ledger counts it."""
        self._count(path, order, at)
        return self.verdicts[path].to_value(), order_to_value(order)

    def clear(self, path: str) -> Cleared[Order]:
        """Leave to send what was judged last. Raises NotCleared for an order whose verdict did not pass."""
        verdict = self.verdicts[path]
        return clear(verdict.order, verdict)

    def forbids(self, path: str, order: Order, now: datetime) -> str:
        """Why today's rails refuse to send this again, or ""."""
        verdict = self.verdicts[path] = self._judge(order, now)
        return "" if verdict.passed else f"the rails refuse it now: {verdict.summary}"

    def replayed(self, path: str, order: Order, at: datetime) -> None:
        """The journal holds this intent."""
        self._count(path, order, at)

    def settled(self, path: str, order: Order, outcome: Outcome, at: datetime) -> None:
        """What became of an order; one that a rail refused was never counted."""
        self.verdicts.pop(path, None)
        if self.open.pop(path, None) is not None:
            self.ledger.settle(
                self.run_id, order, at, traded=Decimal(0) if isinstance(outcome, Refused) else None
            )

    def proves_refusal(self, method: str, status: str) -> bool:
        """Whether this status is checked before acceptance (hubs/inferred.py)."""
        return status_proves_refusal(METHODS[method].klass, status)

    def mark(self, effect: Effect, path: str, summary: str, now: datetime) -> Mapping[str, Value]:
        """Legs differ from fills (C21): entries on the account of the step's last order are refused until `clear`."""
        step = path.rpartition("/compare/")[0]
        order = next(order for place, order in reversed(self.last.items()) if place.startswith(step + "/"))
        args = getattr(effect, "args", {})
        position = args.get("live_position_id") or args.get("position_id") or order.position_id
        self.ledger.mark(order.account, summary, position_id=position, run_id=self.run_id)
        return {
            "path": path,
            "account": order.account,
            "position_id": position,
            "summary": summary,
            "at": now,
        }

    def marked(self, account: str, position_id: int | None) -> bool:
        """Whether a mark still stands."""
        return any(mark.position_id == position_id for mark in self.ledger.marks(account))

    def _judge(self, order: Order, now: datetime) -> Verdict:
        return judge(order, self.limits, self.ledger, now, self.environment)

    def _count(self, path: str, order: Order, at: datetime) -> None:
        self.ledger.apply_intent(self.run_id, order, at)
        self.open[path] = self.last[path] = order


def rules(verdict: Verdict) -> list[str]:
    """The controls that refused, each once, in order."""
    return list(dict.fromkeys(line.control for line in verdict.refusals))


def home_ledger(records: Iterable[Record]) -> Ledger:
    """The ledger with the home's marks: a fold of its `mark` and `cleared` records."""
    ledger = Ledger()
    for record in records:
        body = record.body
        if record.kind == "mark":
            position = body["position_id"]
            ledger.mark(body["account"], body["summary"], position_id=position, run_id=record.run_id)
        elif record.kind == "cleared":
            ledger.clear(body["account"], body["position_id"])
    return ledger
