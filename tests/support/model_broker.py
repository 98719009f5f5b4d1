"""A model broker against the engine: a real walk of `orders.work`, run by the real runtime, step by step under a test's hand.

    play = Play()                        # three calendars to buy, from the mid, 0.20 worse every 15 s
    play.live()                          # a process begins, or resumes
    play.wait(5)                         # simulated time passes
    play.do(lambda: play.broker.fill(1))
    play.die()                           # and the process is gone
    assert play.violations() == []       # by the checkers of mesoflow/rehearsal

What the hub's reads answer, and what becomes of orders, is the desk's (desk.py); here it stands behind idempotency records,
a wire that loses things, and events that come once, twice or never. Journal, time and broker survive a process.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from mesoflow.actions.refresh import refreshed
from mesoflow.engine.control import Ended
from mesoflow.engine.program import Program, Step
from mesoflow.engine.semantics import SEMANTICS
from mesoflow.hubs.errors import CallRefused, NotSent, OutcomeUnknown
from mesoflow.journal.codec import decode, encode
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import Entry
from mesoflow.rehearsal.checkers.catalogue import CHECKERS
from mesoflow.rehearsal.evidence import Evidence, Violation
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.gate import Gate
from mesoflow.runtime.machine import machine_of
from mesoflow.runtime.programs import program_digest, program_value
from mesoflow.runtime.run import Parked, Run
from mesoflow.runtime.setting import HubFacts, Setting
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.simulator.ledger import Executed, Fill, Ordered
from mesoflow.trading.clearance import WITHDRAWALS
from tests.support.acting import NOW
from tests.support.desk import ACCOUNT, PROFILE, BrokerOrder, Desk
from tests.support.gates import RISK, practice_gate
from tests.support.rig import Crashed, Points, RigClock, VirtualLoop, _bury
from tests.support.walks import QUOTES, calendar

RUN = "model-2025-01-16"
LOTS = 3
PRICE = {
    "start": "mid",
    "step": Decimal("0.20"),
    "every": "15s",
    "worst": {"from_mid": Decimal("1.00")},
}
WORST = Decimal("43.25")
TRADES = frozenset({"SendOrder", "CancelOrder"})
# Once nothing is lost any more, so long a process may take, and so many may be begun.
CALM_S, LIVES_MAX = 1200, 8
ONE_WAY_S = 0.05


@dataclass
class Broker:
    """The desk behind idempotency records. `now` is the time of whoever lives, or of the last who did."""

    desk: Desk
    now: Any
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    executed: list[Executed] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    fills: list[tuple[datetime, int, int]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    listeners: list[Any] = field(default_factory=list)
    witness: Any = None
    # Dials.
    lose_request: set[str] = field(default_factory=set)
    lose_reply: set[str] = field(default_factory=set)
    arrive_late: set[str] = field(default_factory=set)
    # The hub tires of waiting for the next order's broker, which takes it after so many seconds all the same.
    tires: float | None = None
    away_until: datetime | None = None
    deaf: bool = False
    told_late: int = 0
    _told: dict[int, tuple[str, Decimal]] = field(default_factory=dict)

    # --- calls -----------------------------------------------------------------------------------------------------

    def call(self, method: str, args: Mapping[str, Any], request: bytes) -> Any:
        """One call as it is executed."""
        self.advance()
        if method == "GetIdempotencyRecord":
            return self._record(args["idempotency_key"])
        if method not in TRADES:
            return self._answer(method, args)
        key = args["idempotency_key"]
        known = self.records.get(key)
        if known is not None:
            same = known["request"] == request and known["operation"] == method
            raise CallRefused(method, "DuplicateRequest" if same else "Conflict", "seen before")
        if self.witness is not None:
            self.witness(method, args, request)
        if method == "SendOrder" and self.tires is not None:
            after, self.tires = self.tires, None
            self.records[key] = {
                "operation": method,
                "request": request,
                "status": "Failed",
                "live_order_ids": [],
            }
            self.desk.at(after, lambda: self._taken_late(args, key))
            raise CallRefused(method, "ProviderError", "the agent has not answered")
        answer = self._trade(method, args)
        self.executed.append(Executed(self.now(), method, key, ACCOUNT, args.get("exec_plan_id") or 0))
        named = [answer["live_order_id"]] if method == "SendOrder" else []
        self.records[key] = {
            "operation": method,
            "request": request,
            "status": "Completed",
            "live_order_ids": named,
        }
        for order_id in named:
            self.keys[order_id] = key
        self.tell()
        return answer

    def _taken_late(self, args: Mapping[str, Any], key: str) -> None:
        answer = self._trade("SendOrder", args)
        self.executed.append(Executed(self.now(), "SendOrder", key, ACCOUNT, args["exec_plan_id"]))
        self.keys[answer["live_order_id"]] = key

    def _trade(self, method: str, args: Mapping[str, Any]) -> Any:
        if method == "SendOrder":
            return self.desk._send(SimpleNamespace(args=args))  # type: ignore[arg-type]
        return self._answer(method, args)

    def _answer(self, method: str, args: Mapping[str, Any]) -> Any:
        outcome = self.desk._asked(method, args)
        if hasattr(outcome, "value"):
            return outcome.value
        raise CallRefused(method, str(outcome.details.get("status", "BadRequest")), outcome.summary)

    def _record(self, key: str) -> Any:
        found = self.records.get(key)
        if found is None:
            raise CallRefused("GetIdempotencyRecord", "NotFound", "no such key")
        kept = ("operation", "status", "live_order_ids")
        return {"record": {name: found[name] for name in kept}}

    # --- what happens ----------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Let everything happen that is due: fills that race a cancel, cancels, calls that arrive late."""
        self.desk.now = max(self.desk.now, self.now())
        while self.desk._events and self.desk._events[0][0] <= self.desk.now:
            heapq.heappop(self.desk._events)[2]()
        self.tell()

    def wind(self) -> None:
        """Timers of this life for what is due."""
        loop = asyncio.get_running_loop()
        for at, *_ in self.desk._events:
            loop.call_later(max((at - self.now()).total_seconds(), 0) + 1e-6, self.advance)

    @property
    def working(self) -> list[BrokerOrder]:
        return [order for order in self.desk.orders if not order.over]

    @property
    def filled(self) -> int:
        return sum(int(order.row["cum_qty"]) for order in self.desk.orders)

    def fill(self, packages: int) -> None:
        """Of the order that works."""
        self.advance()
        for order in self.working[:1]:
            self.desk._fill(order, packages)
        self.tell()

    def end(self, state: str) -> None:
        """The order that works is refused late, or a person cancels it."""
        self.advance()
        for order in self.working[:1]:
            self.desk._end(order, state)
        self.tell()

    def race(self, packages: int, takes: float) -> None:
        """When the order that works is cancelled, so much fills first, and the cancel takes so long."""
        for order in self.working[:1]:
            order.fate.race, order.fate.cancel_s = packages, takes

    def fill_late(self) -> None:
        """One package of the newest order had filled, and is told although the order was over."""
        self.advance()
        order = self.desk.orders[-1]
        if order.row["state"] != "Cancelled" or order.row["cum_qty"] >= abs(order.row["qty"]):
            return
        order.row["state"] = "Submitted"
        self.desk._fill(order, 1)
        order.row["state"] = "Cancelled"
        self.told_late += 1
        self.tell()

    def tell(self) -> None:
        """Events of what is new; and note each fill."""
        for order in self.desk.orders:
            row = order.row
            before = self._told.get(row["order_id"], ("", Decimal(0)))
            if before == (row["state"], row["cum_qty"]):
                continue
            self._told[row["order_id"]] = (row["state"], row["cum_qty"])
            if row["cum_qty"] > before[1]:
                self.fills.append((self.now(), row["order_id"], int(row["cum_qty"] - before[1])))
            self.send_event(self._event(row))

    def _event(self, row: Mapping[str, Any]) -> dict[str, Any]:
        names = ("order_id", "exec_plan_id", "leg_group_id", "broker_account_id", "state")
        return {
            "event_id": f"e{len(self.events) + 1}",
            "event_seq_id": len(self.events) + 1,
            "event_time": self.now(),
            "strategy_id": 201,
            "strategy_name": "model",
            **{name: row[name] for name in names},
            "filled_qty": row["cum_qty"],
            "remaining_qty": row["qty"] - row["cum_qty"],
            "fill_price": row.get("avg_fill_price"),
            "avg_fill_price": row.get("avg_fill_price"),
        }

    def send_event(self, event: Mapping[str, Any]) -> None:
        """Into the history, and to whoever listens."""
        self.events.append(dict(event))
        if not self.deaf:
            for heard in list(self.listeners):
                heard(event)

    def again(self, *, same_id: bool) -> None:
        """The newest event once more: under its id, or as a new one."""
        if not self.events:
            return
        event = dict(self.events[-1])
        if same_id:
            for heard in list(self.listeners):
                heard(event)
        else:
            number = len(self.events) + 1
            self.send_event({**event, "event_id": f"e{number}", "event_seq_id": number})


class Wire:
    """One connection: mesoflow.hubs.hub.Hub. What is lost is lost here."""

    encoding = "json"

    def __init__(self, broker: Broker, cursor: int) -> None:
        self.broker = broker
        self.cursor = self.since = cursor
        self.seen: set[str] = set()
        broker.listeners.clear()
        broker.wind()

    def encode(self, method: str, args: Mapping[str, Any]) -> bytes:
        return encode(dict(args)).encode()

    @property
    def away(self) -> bool:
        until = self.broker.away_until
        return until is not None and self.broker.now() < until

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:
        broker = self.broker
        if self.away:
            raise NotSent(method, "the hub is away")
        await asyncio.sleep(ONE_WAY_S)
        if self.away:
            raise OutcomeUnknown(method, "the connection was lost")
        args = decode(argument)
        if self._spent(broker.lose_request, method):
            raise OutcomeUnknown(method, "the connection was lost")
        if self._spent(broker.arrive_late, method):
            broker.desk.at(8, lambda: self._late(method, args, argument))
            broker.wind()
            raise OutcomeUnknown(method, "the connection was lost")
        answer = broker.call(method, args, argument)
        broker.wind()
        await asyncio.sleep(ONE_WAY_S)
        if self._spent(broker.lose_reply, method) or (self.away and method in TRADES):
            raise OutcomeUnknown(method, "no answer in time")
        return decode(encode(answer))

    def _late(self, method: str, args: Mapping[str, Any], argument: bytes) -> None:
        with suppress(CallRefused):  # sent again meanwhile: the key protects it
            self.broker.call(method, args, argument)

    @staticmethod
    def _spent(dial: set[str], method: str) -> bool:
        found = method in dial
        dial.discard(method)
        return found

    async def fresh(self) -> None:
        if self.away:
            raise NotSent("fresh", "the hub is away")

    def listen(self, heard: Any) -> None:
        """Replay what came after the cursor, then go on live; an id is told once."""

        def tell(event: Mapping[str, Any]) -> None:
            if event["event_id"] not in self.seen:
                self.seen.add(event["event_id"])
                heard("OnOrderUpdate", event)
                self.cursor = max(self.cursor, event["event_seq_id"])

        for event in self.broker.events[self.since :]:
            tell(event)
        self.broker.listeners.append(tell)

    async def close(self) -> None:
        return None


class Counted(Points):
    """Dies at the so many-th crash point from now on."""

    left: int | None = None

    def reach(self, name: str, state: str = "") -> None:
        super().reach(name, state)
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                self._crash()


def _gate() -> Gate:
    made = practice_gate(RUN)
    risk = {
        **RISK,
        "accounts": [ACCOUNT],
        "max_order_premium": 1_000_000,
        "max_order_loss": "unlimited",
        "max_daily_loss": 1_000_000,
        "max_distance_from_mid": 20,
    }
    return Gate(RUN, Limits.parse(risk), Ledger(), made.environment)


class Play:
    """One run, as often killed and resumed as a test likes."""

    def __init__(self, gate: Any = _gate) -> None:
        self.journal = MemoryJournal()
        self.time = NOW
        self.clock: RigClock | None = None
        self.loop: VirtualLoop | None = None
        self.broker = Broker(Desk(quotes=QUOTES), lambda: self.clock.now() if self.clock else self.time)
        self.broker.witness = self._witness
        self.halted = False
        self.conclusion: Any = None
        self.problems: list[str] = []
        self.lives = 0
        self._made_gate = gate
        plan = calendar(LOTS)
        self.broker.desk.plans[plan["exec_plan_id"]] = plan
        self.started = _started(plan)
        self.journal.commit([Entry(RUN, "started", self.started)])

    # --- lives -----------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self.loop is not None

    @property
    def over(self) -> bool:
        return isinstance(self.conclusion, Ended)

    def live(self) -> None:
        """A process begins."""
        assert not self.alive
        self.lives += 1
        self.loop = VirtualLoop()
        self.clock = RigClock(self.time, self.loop)
        self.conclusion, self.failures = None, list[BaseException]()
        self.points = Counted(None)
        self._steps(self._begin())

    async def _begin(self) -> None:
        records = list(self.journal.read(RUN))
        committer = Committer(self.journal, self.points, self.failures.append)
        committer.hold(RUN, self.journal.claim(RUN))
        cursor = max((record.body["cursor"] for record in records if "cursor" in record.body), default=0)
        assert self.clock is not None
        setting = Setting(
            hub=Wire(self.broker, cursor),
            clock=self.clock,
            committer=committer,
            crash=self.points,
            tell=self._tell,
            facts=HubFacts(simulator=True),
            refresh=refreshed,
            halted=lambda: self.halted,
        )
        machine = machine_of(self.started)
        self.run = Run(RUN, "0f" * 16, machine, setting, self._made_gate())
        self.task = asyncio.get_running_loop().create_task(self.run.go(records[1:], self.started["at"]))

    async def _tell(self, tell: Any) -> dict[str, Any]:
        return {"delivered": list(tell.to), "failed": []}

    def wait(self, seconds: float) -> None:
        """Time passes, for the dead too."""
        if self.alive:
            self._steps(asyncio.sleep(seconds))
        else:
            self.time += timedelta(seconds=seconds)
            self.broker.advance()

    def do(self, deed: Callable[[], object]) -> None:
        """Something happens at the broker, or is asked of the run; on the loop of whoever lives."""

        async def done() -> None:
            deed()

        if self.alive:
            self._steps(done())
        else:
            deed()

    def _steps(self, until: Any) -> None:
        """Let the process go on until `until` is done; it may end or die meanwhile."""
        loop = self.loop
        assert loop is not None
        try:
            loop.run_until_complete(until)
        except Crashed:
            self.die()
            return
        if self.failures:
            raise self.failures[0]
        if self.task.done():
            self.conclusion = self.task.result()
            self.die()

    def die(self) -> None:
        """Nothing of the process runs any more."""
        assert self.clock is not None and self.loop is not None
        self.time = self.clock.now()
        self.clock = None
        loop, self.loop = self.loop, None
        self.broker.listeners.clear()
        _bury(loop)

    def settle(self, fills: int = 0) -> None:
        """Nothing is lost any more: resumed until it is over, or a person is called. Of what works so much fills."""
        broker = self.broker
        broker.lose_request.clear()
        broker.lose_reply.clear()
        broker.arrive_late.clear()
        broker.away_until, broker.deaf, self.halted = None, False, False
        broker.tires = None
        for order in broker.working:
            order.fate.cancel_s = order.fate.cancel_s or 0.5
        for _ in range(LIVES_MAX):
            if not self.alive and (self.over or self._calls_a_person()):
                return
            if not self.alive:
                self.live()
            for _ in range(CALM_S // 10):
                if self.alive and fills:
                    self.do(lambda: broker.fill(fills))
                if self.alive:
                    self.wait(10)
            assert not self.alive, f"it goes on for ever: {list(self.run._working)}"
        raise AssertionError(f"resumed {LIVES_MAX} times: {self.conclusion}")

    def _calls_a_person(self) -> bool:
        return isinstance(self.conclusion, Parked) and self.conclusion.code in (
            "outcome_unknown",
            "legs_differ",
            "late_fill",
        )

    # --- what must hold ----------------------------------------------------------------------------------------------

    def _witness(self, method: str, args: Mapping[str, Any], request: bytes) -> None:
        """At the call itself, by the broker's own count."""
        key = args["idempotency_key"]
        intents = [r.body for r in self.journal.read(RUN) if r.kind == "intended" and r.body["key"] == key]
        if not intents or intents[0]["request"].encode() != request:
            self.problems.append(f"I2: {method} {key} has no intent with these bytes")
        if method in WITHDRAWALS:
            return
        working, desk = self.broker.working, self.broker.desk
        if working:
            self.problems.append(f"I3: sent beside order {working[0].row['order_id']}")
        plan = next(iter(desk.plans.values()))
        packages = desk._packages(plan, plan["groups"][0], args["qty_multiplier"])
        if not self.broker.told_late and self.broker.filled + packages > LOTS:
            self.problems.append(f"I1: {self.broker.filled} filled and {packages} more are over {LOTS}")
        if args["leg_group_order"]["limit_price"] > WORST:
            self.problems.append(f"I6: {args['leg_group_order']['limit_price']} is past {WORST}")

    def records(self) -> list[Any]:
        """The run's, so far."""
        return list(self.journal.read(RUN))

    def evidence(self) -> Evidence:
        """Both sides."""
        orders, fills = [], []
        for order in self.broker.desk.orders:
            row = order.row
            phase = row["state"].lower() if order.over else "working"
            key = self.broker.keys[row["order_id"]]
            whole, filled = int(abs(row["qty"])), int(row["cum_qty"])
            orders.append(
                Ordered(row["order_id"], key, ACCOUNT, row["exec_plan_id"], 1, whole, filled, row["limit_price"], phase)
            )  # fmt: skip
            for name, ratio in order.legs.items():
                if filled:
                    fills.append(
                        Fill(self.broker.now(), "Fill", key, ACCOUNT, row["exec_plan_id"], order.position or 0, name, name,
                             Decimal(ratio) * filled, row["limit_price"], Decimal(0))
                    )  # fmt: skip
        runs = {RUN: tuple(self.journal.read(RUN))}
        return Evidence(runs, tuple(self.broker.executed), tuple(orders), tuple(fills))

    def violations(self, *invariants: str) -> list[Violation]:
        """What the checkers find; of these only, if any are named."""
        evidence = self.evidence()
        return [found for name in invariants or CHECKERS for found in CHECKERS[name](evidence)]


def _started(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The first record of a run that works one exec plan."""
    work = {"exec_plan": "{{ inputs.plan }}", "price": PRICE, "within": "4m", "if_incomplete": "keep"}
    program = Program("model", (Step("buy", "orders.work", work),), outputs={"lots": "{{ steps.buy.lots }}"})
    return {
        "run_id": RUN,
        "playbook": "model",
        "program": program_value(program),
        "digest": program_digest(program),
        "semantics": SEMANTICS,
        "files": {},
        "inputs": {"plan": dict(plan)},
        "risk": {"accounts": [ACCOUNT]},
        "accounts": [ACCOUNT],
        "session_date": NOW.date(),
        "first_net_liquidation": {},
        "ledger": {},
        "hub": {"kind": "embedded"},
        "habits": {**PROFILE, "provider": None},
        "policy": {"value": {}},
        "at": NOW,
    }
