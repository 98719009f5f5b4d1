"""Journals with a story: a few runs written record by record, for tests of what is read from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Done, Place, Refused
from mesoflow.engine.program import Program, Step
from mesoflow.engine.semantics import SEMANTICS
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import Entry
from mesoflow.runtime.bodies import Intent, settled
from mesoflow.runtime.programs import program_digest, program_value
from mesoflow.trading.orders import Order, OrderFacts, OrderGroup

T0 = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
THURSDAY = date(2025, 1, 16)
PROGRAM = Program(
    "calendar", (Step("account", "account.select"), Step("buy", "orders.work")), description="a story"
)


def after(seconds: int) -> datetime:
    """An instant of the story."""
    return T0 + timedelta(seconds=seconds)


def started(run_id: str, program: Program = PROGRAM, **changes: Any) -> dict[str, Any]:
    """A first record."""
    body = {
        "run_id": run_id,
        "playbook": program.name,
        "nonce": "0f" * 16,
        "program": program_value(program),
        "digest": program_digest(program),
        "semantics": SEMANTICS,
        "version": "0.1.0",
        "sources": {},
        "files": {},
        "inputs": {},
        "risk": {"accounts": ["PAPER-1"]},
        "accounts": ["PAPER-1"],
        "session_date": THURSDAY,
        "hub": {"kind": "embedded", "url": None, "account": "PAPER-1", "world": "default"},
        "encoding": "json",
        "start_key": {
            "playbook": program.name,
            "accounts": ["PAPER-1"],
            "once_per": "session",
            "period": THURSDAY,
        },
        "first_net_liquidation": {},
        "ledger": {"positions": {}, "unknowns": []},
        "options": {},
        "at": T0,
    }
    return body | changes


def rung_of(number: int, limit: Decimal, packages: int = 1, target: int = 1) -> tuple[str, Place]:
    """A rung of the walk sell/group-1 and its path: a package of two legs, mid 1.45 credit, worst 1.20."""
    market = {
        "worst": Decimal("-1.20"),
        "near": Decimal("-1.65"),
        "mid": Decimal("-1.45"),
        "natural": Decimal("-1.25"),
    }
    group = OrderGroup(1, ("short_put", "long_put"), packages, limit, **market)
    order = Order(
        method="SendOrder",
        account="IB-1",
        kind="entry",
        exec_plan_id=501,
        position_id=None,
        strategy_id=104,
        symbol="SPX",
        legs=(),
        groups=(group,),
        facts=OrderFacts(None, None, (), None),
        walk="sell/group-1",
        target=target,
        until=after(120),
    )
    return f"sell/group-1/rung-{number}/send", Place("send", order)


class Story:
    """Runs in a journal in memory; each call is one commit."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()

    def begin(self, run_id: str, program: Program = PROGRAM, **changes: Any) -> Story:
        return self.write(run_id, "started", started(run_id, program, **changes))

    def intend(
        self, run_id: str, path: str, method: str = "ApplyPaperFills", at: int = 100, **order: Any
    ) -> Story:
        intent = Intent(path, method, b"{}", f"mf-{path}", 0, "d" * 16, after(at))
        body = intent.body("json", verdict={"passed": True} if order else None, order=order or None)
        return self.write(run_id, "intended", body)

    def settle(self, run_id: str, path: str, value: Any = None, *, refused: str = "", at: int = 101) -> Story:
        outcome = Refused(refused, "no") if refused else Done(value)
        return self.write(run_id, "settled", settled(path, outcome, "d" * 16, after(at)))

    def park(self, run_id: str, code: str, reason: str, path: str = "", at: int = 200) -> Story:
        return self.write(run_id, "parked", {"code": code, "reason": reason, "path": path, "at": after(at)})

    def end(self, run_id: str, state: str = "done", reason: str = "", at: int = 300) -> Story:
        return self.write(run_id, "ended", {"state": state, "reason": reason, "at": after(at)})

    def write(self, run_id: str, kind: Any, body: Mapping[str, Any]) -> Story:
        self.journal.commit([Entry(run_id, kind, body)])
        return self


def nobody(run_id: str) -> bool:
    """No runner lives."""
    return False
