"""The rails of one run, kept between judging and sending: the real form of clearing.py.

The order of things for one order (EXECUTION.md §2): `judge` between the last settle and the commit, `intend` in that commit,
`clear` when it leaves. The ledger is a fold of what the journal holds, told here in the journal's order, live or replayed;
what other runs do comes in by `catch_up` (ledgers.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mesoflow.engine.effects import Effect, Outcome, Refused, Value
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.inferred import status_proves_refusal
from mesoflow.journal.records import Record
from mesoflow.runtime.ledgers import HomeFold, daily_loss_state, end_order, home_ledger, observe_positions
from mesoflow.safety.clearance import clear
from mesoflow.safety.codes import Code
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
    """One run's. `limits` are the playbook's below the policy's ceilings. `verdicts` are those of the orders on their way,
    `open` the orders that have no outcome yet."""

    run_id: str
    limits: Limits
    ledger: Ledger
    environment: Environment
    fold: HomeFold | None = None
    news: Callable[[str], Sequence[Record]] | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    open: dict[str, Order] = field(default_factory=dict)
    last: dict[str, Order] = field(default_factory=dict)

    def judge(self, path: str, order: Order, now: datetime) -> Refused | None:
        """Judge an order with today's rails; None when they hold."""
        verdict = self._judge(path, order, now)
        if not verdict.passed and self._caught_up(order.account):
            verdict = self._judge(path, order, now)
        if verdict.passed:
            self.verdicts[path] = verdict
            return None
        return self._refused(verdict, now)

    def intend(self, path: str, order: Order, at: datetime) -> tuple[Value, Value]:
        """The order is about to be intended: (verdict, order) for the record; the ledger counts it."""
        self._count(path, order, at)
        verdict = self.verdicts[path]
        if _compared(verdict):
            assert order.facts.as_of is not None
            self.ledger.positions.agreed(order.account, order.facts.as_of)
        return verdict.to_record(), order_to_value(order)

    def clear(self, path: str) -> Cleared[Order]:
        """Leave to send what was judged last. Raises NotCleared for an order whose verdict did not pass."""
        verdict = self.verdicts[path]
        return clear(verdict.order, verdict)

    def forbids(self, path: str, order: Order, now: datetime) -> str:
        """Why today's rails refuse to send this again, or ""."""
        self._caught_up(order.account)
        verdict = self.verdicts[path] = self._judge(path, order, now)
        return "" if verdict.passed else f"the rails refuse it now: {verdict.summary}"

    def replayed(self, path: str, order: Order, at: datetime) -> None:
        """The journal holds this intent."""
        self._count(path, order, at)

    def settled(self, path: str, order: Order, outcome: Outcome, at: datetime) -> None:
        """What became of an order; one that a rail refused was never counted. An order at a broker lives on."""
        self.verdicts.pop(path, None)
        if self.open.pop(path, None) is not None:
            end_order(self.ledger, self.run_id, path, order, outcome, at)
        elif isinstance(outcome, Refused) and (state := daily_loss_state(outcome.details)) is not None:
            self.ledger.states.set(state)

    def observed(self, order: Mapping[str, Value], at: datetime) -> None:
        """How an order of ours stands, as GetOrder shows it: read, heard of, or withdrawn."""
        sent = self.ledger.observe(order, at)
        if sent is not None and not sent.is_open:
            observe_positions(self.ledger, sent, at)

    def withdrawing(self, path: str, method: str, at: datetime) -> None:
        """A cancel is on its way: it counts as a message (C10) and is never refused."""
        if method == "CancelOrder":
            self.ledger.message(self.run_id, at)

    def catch_up(self, records: Iterable[Record]) -> None:
        """What other runs have traded meanwhile, in the journal's order."""
        if self.fold is not None:
            for record in records:
                self.fold.take(record)

    def proves_refusal(self, method: str, status: str) -> bool:
        """Whether this status is checked before acceptance (hubs/inferred.py)."""
        return status_proves_refusal(METHODS[method].klass, status)

    def mark(self, effect: Effect, path: str, summary: str, now: datetime) -> Mapping[str, Value]:
        """Legs differ from fills (C21): entries on the account of the step's last order are refused until `clear`."""
        step = path.rpartition("/compare/")[0]
        args = getattr(effect, "args", {})
        # A step that waits for another one's orders has none below its own path: then it is the newest of their plan.
        below = (order for place, order in reversed(self.last.items()) if place.startswith(step + "/"))
        plan = args.get("exec_plan_id") or args.get("live_exec_plan_id")
        of_plan = (order for order in reversed(self.last.values()) if plan in (None, order.exec_plan_id))
        order = next(below, None) or next(of_plan)
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

    # --- inside ----------------------------------------------------------------------------------------------------

    def _judge(self, path: str, order: Order, now: datetime) -> Verdict:
        return judge(order, self.limits, self.ledger, now, self.environment, path=path)

    def _caught_up(self, account: str) -> bool:
        """Whether there was news. What passes on an old ledger is caught by the commit (commits.py); what would be refused
        on one is judged again on today's."""
        news = self.news(account) if self.news is not None else ()
        self.catch_up(news)
        return bool(news)

    def _count(self, path: str, order: Order, at: datetime) -> None:
        self.ledger.apply_intent(self.run_id, order, at, path)
        self.open[path] = self.last[path] = order

    def _refused(self, verdict: Verdict, now: datetime) -> Refused:
        """The refusal, with what its reader may act on: when there is room for a message again (C10), which orders stand in
        the way of an exit (C09). The day's loss (C14) is a state from here on. Once the errors of a day are spent (C20) the
        run parks, for that may pass: tomorrow."""
        controls = rules(verdict)
        details: dict[str, Value] = {"rules": controls, "verdict": verdict.to_value()}
        if controls == ["C10"] and (wait := _wait_until(verdict)) is not None:
            details["wait_until"] = wait
        in_the_way = [line.numbers["order"] for line in verdict.refusals if "order" in line.numbers]
        if in_the_way and "C09" in controls:
            details["in_the_way"] = in_the_way
        if any(line.rule is Code.DAILY_LOSS for line in verdict.refusals):
            session = self.ledger.days.of(now).session
            details["reducing"] = {
                "account": verdict.order.account,
                "reason": verdict.summary,
                "at": now,
                "session": session,
            }
        if controls == ["C20"]:
            return Refused("error_budget", verdict.summary, details, retryable=True)
        return Refused("rail_refused", verdict.summary, details)


def rules(verdict: Verdict) -> list[str]:
    """The controls that refused, each once, in order."""
    return list(dict.fromkeys(line.control for line in verdict.refusals))


def _compared(verdict: Verdict) -> bool:
    """Whether C22 has made its comparison anew for this order. Its line is one of the last."""
    for line in reversed(verdict.lines):
        if line.rule is Code.NOT_RECONCILED:
            return bool(line.numbers)
    return False


def _wait_until(verdict: Verdict) -> datetime | None:
    """Only where nothing but the minute's number refuses."""
    if any(line.rule is not Code.MESSAGES_PER_MINUTE for line in verdict.refusals):
        return None
    until: datetime = verdict.refusals[0].numbers["wait_until"]
    return until


__all__ = ["Gate", "home_ledger", "rules"]
