"""Evidence made by hand, for tests of checkers: each line is a record of the journal or a fact of the world.

home = HandMade()
home.order("entry", key="k1", legs={PUT: 2}, filled=2)
home.halted()
assert check(home.evidence()) == []
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.journal.records import HOME, Kind, Record
from mesoflow.rehearsal.evidence import Calm, Evidence
from mesoflow.simulator.ledger import Executed, Fill

RUN = "by-hand"
T0 = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
SIMULATED = "order_incoherent legs 2; live_refused account IB-1 paper False simulator True"
STARTED: Mapping[str, Any] = {"hub": {"kind": "embedded"}, "risk": {}, "policy": {"value": {}}, "at": T0}


@dataclass
class HandMade:
    """A home with one run, written as it happens."""

    started: Mapping[str, Any] = field(default_factory=lambda: STARTED)
    records: list[Record] = field(default_factory=list)
    executed: list[Executed] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    at: datetime = T0
    orders: int = 0

    def __post_init__(self) -> None:
        self.write("started", self.started)

    def write(self, kind: Kind, body: Mapping[str, Any], run_id: str = RUN) -> None:
        """One more record, a second later."""
        self.at += timedelta(seconds=1)
        number = len(self.records) + 1
        mine = sum(record.run_id == run_id for record in self.records) + 1
        self.records.append(Record(number, run_id, mine, kind, {"at": self.at, **body}, ""))

    def order(
        self,
        kind: str,
        legs: Mapping[str, int],
        *,
        filled: int | None = None,
        reduces: bool = False,
        executed: bool = True,
        lines: str = SIMULATED,
        position: int = 1001,
    ) -> None:
        """Intended, executed, answered and filled whole, unless the test says otherwise."""
        self.orders += 1
        number, path, key = self.orders, f"{kind}/rung-{self.orders}/send", f"mf-{self.orders}"
        packages = max(abs(quantity) for quantity in legs.values())
        whole = packages if filled is None else filled
        order = {
            "account": "IB-1", "kind": kind, "exec_plan_id": 5000 + number, "position_id": position,
            "legs": [{"name": name, "contract": name, "quantity": Decimal(n)} for name, n in legs.items()],
            "groups": [{"id": 1, "packages": packages}],
        }  # fmt: skip
        verdict = {"passed": True, "only_reduces": reduces, "lines": lines}
        intent = {
            "path": path,
            "key": key,
            "method": "SendOrder",
            "request": "{}",
            "order": order,
            "verdict": verdict,
        }
        self.write("intended", intent)
        if not executed:
            return
        self.executed.append(Executed(self.at, "SendOrder", key, "IB-1", 5000 + number))
        self.write("settled", {"path": path, "outcome": {"done": {"live_order_id": 7000 + number}}})
        told = {"order_id": 7000 + number, "cum_qty": Decimal(whole), "state": "Filled"}
        self.write("event", {"path": f"engine/event-{number}", "order": told})
        for name, quantity in legs.items():
            share = Decimal(quantity) * whole / packages
            fill = ("Fill", key, "IB-1", 5000 + number, position, name, name, share, Decimal(1), Decimal(0))
            self.fills.append(Fill(self.at, *fill))

    def state(self, state: str, owner: str = "ops") -> None:
        """Somebody halts or releases the home."""
        self.write("state", {"state": state, "owner": owner, "reason": ""}, HOME)

    def ended(self, state: str = "done") -> None:
        """The run is over."""
        self.write("ended", {"state": state})

    def parked(self, code: str) -> None:
        """The run is left."""
        self.write("parked", {"code": code, "reason": code})

    def evidence(self, *, calm: Calm | None = None, earlier: Evidence | None = None) -> Evidence:
        """What checkers judge."""
        runs = {RUN: tuple(record for record in self.records if record.run_id == RUN)}
        home = tuple(record for record in self.records if record.run_id == HOME)
        return Evidence(runs, tuple(self.executed), (), tuple(self.fills), home, calm, earlier)
