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
ANSWER_S = {"ApplyPaperFills": 0.2, "StartPreparePositionEntry": 0.1}


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
        found = {"operation": record.operation, "status": status, "live_order_ids": []}
        if isinstance(record.answer, dict) and "job_id" in record.answer:
            found["job_id"] = record.answer["job_id"]
        return {"record": found}

    def _ListPositions(self, args: Mapping[str, Any], _: bytes) -> Any:
        plan = args.get("live_exec_plan_id")
        return {"positions": [p for p in self.positions.values() if plan is None or p["plan"] == plan]}

    def _ListOrders(self, args: Mapping[str, Any], _: bytes) -> Any:
        return {"orders": []}

    def _ListExecutions(self, args: Mapping[str, Any], _: bytes) -> Any:
        plan = args.get("exec_plan_id")
        return {"executions": [{"id": p["id"]} for p in self.positions.values() if p["plan"] == plan]}

    def _ListStrategies(self, args: Mapping[str, Any], _: bytes) -> Any:
        return {"strategies": self.strategies, "continuation_token": None}

    def _CreateStrategy(self, args: Mapping[str, Any], _: bytes) -> Any:
        strategy = {"id": 900 + len(self.strategies), "name": args["name"]}
        self.strategies.append(strategy)
        self.executed.append(("CreateStrategy", args["name"]))
        return {"strategy_id": strategy["id"]}


class MemoryHub:
    """One connection: mesoflow.hubs.hub.Hub."""

    encoding = "json"
    cursor = 0

    def __init__(self, world: MemoryWorld) -> None:
        self._world = world

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
        return None

    async def close(self) -> None:
        return None
