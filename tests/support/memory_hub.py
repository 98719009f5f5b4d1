"""A hub in memory: the twin of hubs/client.py for tests of the engine and the runtime.

`MemoryWorld` is the hub's own state and survives a crash of the runner; `MemoryHub` is one connection to it. Answers take
time on the loop's clock. Everything is deterministic: job ids come from keys, plan and position ids count up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.hubs.errors import CallRefused, NotSent, OutcomeUnknown
from mesoflow.journal.codec import decode, encode

JOB_TAKES = timedelta(seconds=1)
ANSWER_S = {"ApplyPaperFills": 0.2, "StartPreparePositionEntry": 0.1, "SendOrder": 0.2, "CancelOrder": 0.1}
OVER = ("Filled", "Cancelled", "Rejected")


@dataclass
class Record:
    """An idempotency record."""

    operation: str
    request: bytes
    status: str
    answer: Any
    at: datetime


@dataclass
class MemoryWorld:
    """What the hub knows. `executed` is the ledger: every call that changed something, in order."""

    now: Callable[[], datetime]
    executed: list[tuple[str, str]] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    jobs: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    positions: dict[int, dict[str, Any]] = field(default_factory=dict)
    strategies: list[dict[str, Any]] = field(default_factory=list)
    flaky: dict[str, int] = field(default_factory=dict)
    # Dials.
    lose_replies: set[str] = field(default_factory=set)
    processing_until: datetime | None = None
    records_gone: bool = False
    away_until: datetime | None = None
    lose_requests: set[str] = field(default_factory=set)
    fail_records: set[str] = field(default_factory=set)
    # Hooks.
    on_trading_call: Callable[[str, bytes, str], None] = lambda *_: None
    on_executed: Callable[[str, str], None] = lambda *_: None
    # Orders at the broker. `fills`: by number of the order, from 1: (seconds after its sending, packages) of each fill.
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    fills: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    due: list[tuple[datetime, int, str, int]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    listeners: list[Callable[[str, Mapping[str, Any]], None]] = field(default_factory=list)
    cancel_takes: timedelta = timedelta(seconds=0.5)
    deaf_to_cancels: bool = False
    silent_events: bool = False
    leg_ratio: dict[str, Decimal] = field(default_factory=dict)

    def ledger(self) -> dict[str, Any]:
        """What must be equal after a crash: positions, and how often each operation was executed."""
        counts: dict[str, int] = {}
        for method, _ in self.executed:
            counts[method] = counts.get(method, 0) + 1
        return {"positions": self.positions, "counts": counts}

    def keyed(self, method: str, request: bytes, key: str, execute: Callable[[], Any]) -> Any:
        """The idempotency store."""
        record = self.records.get(key)
        if record is not None and not self.records_gone:
            same = record.operation == method and record.request == request
            raise CallRefused(method, "DuplicateRequest" if same else "Conflict", "seen before")
        answer = execute()
        self.executed.append((method, key))
        status = "Failed" if method in self.fail_records else "Completed"
        self.records[key] = Record(method, request, status, answer, self.now())
        return answer

    def call(self, method: str, args: Mapping[str, Any], request: bytes) -> Any:
        return getattr(self, f"_{method}")(args, request)

    def _GetAccount(self, args: Mapping[str, Any], _: bytes) -> Any:
        left = self.flaky.get(args["broker_account_id"], 0)
        if left:
            self.flaky[args["broker_account_id"]] = left - 1
            raise CallRefused("GetAccount", "ValidationError", "not today")
        return {"account": {"broker_account_id": args["broker_account_id"], "cash": Decimal("250000.00")}}

    def _StartPreparePositionEntry(self, args: Mapping[str, Any], request: bytes) -> Any:
        key = args["idempotency_key"]

        def execute() -> Any:
            job = f"job-{key[-12:]}"
            self.jobs[job] = (self.now() + JOB_TAKES, 500 + len(self.jobs))
            return {"job_id": job}

        return self.keyed("StartPreparePositionEntry", request, key, execute)

    def _GetPreparePositionEntryStatus(self, args: Mapping[str, Any], _: bytes) -> Any:
        due, plan = self.jobs[args["job_id"]]
        if self.now() < due:
            return {"job_id": args["job_id"], "status": "Running"}
        return {"job_id": args["job_id"], "status": "Completed", "result": {"exec_plan_id": plan}}

    def _ApplyPaperFills(self, args: Mapping[str, Any], request: bytes) -> Any:
        key, plan = args["idempotency_key"], args["exec_plan_id"]
        self.on_trading_call("ApplyPaperFills", request, key)

        def execute() -> Any:
            position = 4700 + len(self.positions)
            self.positions[position] = {"id": position, "plan": plan, "fills": dict(args["paper_leg_fills"])}
            return {"position_id": position, "exec_plan_id": plan, "live_order_ids": []}

        return self.keyed("ApplyPaperFills", request, key, execute)

    def _GetIdempotencyRecord(self, args: Mapping[str, Any], _: bytes) -> Any:
        record = self.records.get(args["idempotency_key"])
        if record is None or self.records_gone:
            raise CallRefused("GetIdempotencyRecord", "NotFound", "no such key")
        status = record.status
        if self.processing_until is not None and self.now() < self.processing_until:
            status = "Processing"
        named = record.answer.get("live_order_id") if isinstance(record.answer, dict) else None
        found = {"operation": record.operation, "status": status, "live_order_ids": [named] if named else []}
        if isinstance(record.answer, dict) and "job_id" in record.answer:
            found["job_id"] = record.answer["job_id"]
        return {"record": found}

    def _ListPositions(self, args: Mapping[str, Any], _: bytes) -> Any:
        plan = args.get("live_exec_plan_id")
        return {"positions": [p for p in self.positions.values() if plan is None or p["plan"] == plan]}

    def _ListExecutions(self, args: Mapping[str, Any], _: bytes) -> Any:
        plan = args.get("exec_plan_id")
        booked = [{"id": p["id"]} for p in self.positions.values() if p["plan"] == plan and "fills" in p]
        filled = [
            {"id": 10 * order["order_id"], "live_order_id": order["order_id"]}
            for order in self.orders.values()
            if order["exec_plan_id"] == plan and order["cum_qty"]
        ]
        return {"executions": booked + filled}

    # --- orders at the broker ----------------------------------------------------------------------------------------

    def _SendOrder(self, args: Mapping[str, Any], request: bytes) -> Any:
        key = args["idempotency_key"]
        self.on_trading_call("SendOrder", request, key)

        def execute() -> Any:
            number = len(self.orders) + 1
            group = args["leg_group_order"]
            self.orders[600 + number] = {
                "order_id": 600 + number,
                "exec_plan_id": args["exec_plan_id"],
                "leg_group_id": args["leg_group_id"],
                "broker_account_id": args["broker_account_id"],
                "state": "Submitted",
                "qty": Decimal(args["packages"]),
                "cum_qty": Decimal(0),
                "limit_price": group["limit_price"],
                "avg_fill_price": None,
                "last_fill_price": None,
            }
            for seconds, packages in self.fills.get(number, []):
                self.later(timedelta(seconds=seconds), 600 + number, "fill", packages)
            return {"live_order_id": 600 + number}

        return self.keyed("SendOrder", request, key, execute)

    def _CancelOrder(self, args: Mapping[str, Any], request: bytes) -> Any:
        order_id = args["live_order_id"]

        def execute() -> Any:
            if self.orders[order_id]["state"] == "Filled":
                raise CallRefused("CancelOrder", "OrderRejected", "already filled")
            if not self.deaf_to_cancels:
                self.later(self.cancel_takes, order_id, "cancel", 0)
            return {"live_order_id": order_id}

        return self.keyed("CancelOrder", request, args["idempotency_key"], execute)

    def _GetOrder(self, args: Mapping[str, Any], _: bytes) -> Any:
        return {"order": dict(self.orders[args["live_order_id"]])}

    def _ListOrders(self, args: Mapping[str, Any], _: bytes) -> Any:
        return {"orders": [o for o in self.orders.values() if o["exec_plan_id"] == args["exec_plan_id"]]}

    def _ListLegs(self, args: Mapping[str, Any], _: bytes) -> Any:
        position = self.positions[args["live_position_id"]]
        legs = [
            {"name": name, "qty": quantity, "closed_at": None}
            for name, quantity in position.get("legs", {}).items()
        ]
        return {"legs": legs, "continuation_token": None}

    def later(self, after: timedelta, order_id: int, what: str, packages: int) -> None:
        """Something will happen to an order."""
        self.due.append((self.now() + after, order_id, what, packages))
        self.due.sort()
        self.wind()

    def wind(self) -> None:
        """Timers of this life for what is due; without a loop the world stands still."""
        loop = asyncio.get_running_loop()
        for at, *_ in self.due:
            loop.call_later(max((at - self.now()).total_seconds(), 0), self.advance)

    def advance(self) -> None:
        """Let everything happen that is due."""
        while self.due and self.due[0][0] <= self.now():
            _, order_id, what, packages = self.due.pop(0)
            self.happens(order_id, what, packages)

    def happens(self, order_id: int, what: str, packages: int = 0, *, even_if_over: bool = False) -> None:
        """A fill or a cancel, now; `even_if_over`: a fill that is reported after the order was."""
        order = self.orders[order_id]
        if order["state"] in OVER and not even_if_over:
            return
        if what == "cancel":
            order["state"] = "Cancelled"
        else:
            order["cum_qty"] += packages
            order["avg_fill_price"] = order["last_fill_price"] = order["limit_price"]
            if order["state"] not in OVER:
                order["state"] = "Filled" if order["cum_qty"] >= order["qty"] else "PartiallyFilled"
            self._hold(order, packages)
        event = {
            "event_id": f"e{len(self.events) + 1}",
            "event_seq_id": len(self.events) + 1,
            "event_time": self.now(),
            "strategy_id": 101,
            "strategy_name": "toys",
            **{
                name: order[name]
                for name in ("order_id", "exec_plan_id", "leg_group_id", "broker_account_id", "state")
            },
            "filled_qty": order["cum_qty"],
            "remaining_qty": order["qty"] - order["cum_qty"],
            "fill_price": order["last_fill_price"],
            "avg_fill_price": order["avg_fill_price"],
        }
        self.events.append(event)
        if not self.silent_events:
            for heard in list(self.listeners):
                heard("OnOrderUpdate", event)

    def _hold(self, order: dict[str, Any], packages: int) -> None:
        plan = order["exec_plan_id"]
        found = next((p for p in self.positions.values() if p["plan"] == plan), None)
        if found is None:
            position = 4700 + len(self.positions)
            found = self.positions[position] = {"id": position, "plan": plan, "legs": {}}
        for name, ratio in self.leg_ratio.items():
            found["legs"][name] = found["legs"].get(name, Decimal(0)) + ratio * packages

    def _ListStrategies(self, args: Mapping[str, Any], _: bytes) -> Any:
        return {"strategies": self.strategies, "continuation_token": None}

    def _GetStrategy(self, args: Mapping[str, Any], _: bytes) -> Any:
        found = [strategy for strategy in self.strategies if strategy["id"] == args["strategy_id"]]
        if not found:
            raise CallRefused("GetStrategy", "NotFound", "no such strategy")
        return {"strategy": found[0]}

    def _CreateStrategy(self, args: Mapping[str, Any], _: bytes) -> Any:
        strategy = {
            "id": 900 + len(self.strategies),
            "name": args["name"],
            "strategy_definition": args.get("strategy_definition"),
        }
        self.strategies.append(strategy)
        self.executed.append(("CreateStrategy", args["name"]))
        return {"strategy_id": strategy["id"]}


class MemoryHub:
    """One connection: mesoflow.hubs.hub.Hub."""

    encoding = "json"

    def __init__(self, world: MemoryWorld, cursor: int = 0) -> None:
        self._world = world
        self._since = cursor
        self.cursor = cursor
        world.listeners.clear()
        world.wind()

    def encode(self, method: str, args: Mapping[str, Any]) -> bytes:
        return encode(dict(args)).encode()

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:
        world = self._world
        if world.away_until is not None and world.now() < world.away_until:
            raise NotSent(method, "the hub is away")
        await asyncio.sleep(ANSWER_S.get(method, 0.02))
        if method in world.lose_requests:
            world.lose_requests.discard(method)
            raise OutcomeUnknown(method, "the connection was lost")
        args = decode(argument)
        world.advance()
        answer = world.call(method, args, argument)
        world.on_executed(method, args.get("idempotency_key"))
        await asyncio.sleep(ANSWER_S.get(method, 0.02))
        if method in world.lose_replies:
            world.lose_replies.discard(method)
            raise OutcomeUnknown(method, "no answer in time")
        return decode(encode(answer))

    async def fresh(self) -> None:
        if self._world.away_until is not None and self._world.now() < self._world.away_until:
            raise NotSent("fresh", "the hub is away")

    def listen(self, heard: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Replay what came after the cursor, then go on live."""

        def tell(name: str, event: Mapping[str, Any]) -> None:
            heard(name, event)
            self.cursor = max(self.cursor, event["event_seq_id"])

        for event in self._world.events[self._since :]:
            if not self._world.silent_events:
                tell("OnOrderUpdate", event)
        self._world.listeners.append(tell)

    async def close(self) -> None:
        return None
