"""One walk at the embedded world's broker, played with dials set, and what is true of every run however it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.rehearsal.evidence import Evidence, last
from tests.support.played import Dial, played

RUN = "faults-2025-01-16"
LOTS = 3
PLAYBOOK = f"""mesoflow: 1
name: faults
start: {{once_per: never}}
risk: {{accounts: [IB-1], max_contracts_per_order: 12, max_order_premium: 100000, max_order_loss: 100000,
       max_open_loss: 200000, max_daily_loss: 50000, max_distance_from_mid: 60% of mid}}
steps:
  - {{id: entry, action: entry.prepare, with: {{strategy: 101, lots: {LOTS}}}}}
  - id: buy
    action: orders.work
    with:
      exec_plan: "{{{{ steps.entry }}}}"
      price: {{start: mid, step: 0.20, every: 15s, worst: {{from_natural: 0.20}}}}
      within: 10m
      if_incomplete: keep
outputs:
  legs: "{{{{ steps.buy.legs }}}}"
"""


@dataclass
class Ended:
    """How a run ended, and the evidence of both sides."""

    code: int
    evidence: Evidence

    @property
    def body(self) -> Mapping[str, Any]:
        record = last(self.evidence.runs[RUN])
        assert record is not None
        return record.body

    @property
    def state(self) -> str:
        return str(self.body.get("state", "parked"))

    @property
    def reason(self) -> str:
        return str((self.body.get("error") or {}).get("code", "") or self.body.get("code", ""))

    @property
    def filled(self) -> list[int]:
        return [order.filled for order in self.evidence.orders]

    @property
    def held(self) -> dict[str, Decimal]:
        held: dict[str, Decimal] = {}
        for fill in self.evidence.fills:
            held[fill.leg] = held.get(fill.leg, Decimal(0)) + fill.qty
        return {name: quantity for name, quantity in held.items() if quantity}


def play_walk(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dial: Dial
) -> Ended:
    """The walk in a fresh home, held to what is true of every run."""
    path = folder / "faults.yaml"
    path.write_text(PLAYBOOK, encoding="utf-8")
    code, evidence = played(path, folder / "home", monkeypatch, dial)
    assert "bug in mesoflow" not in capsys.readouterr().err
    ended = Ended(code, evidence)
    _hold(ended)
    return ended


def _hold(ended: Ended) -> None:
    """What is true of every run, however it ended."""
    assert [str(found) for found in violations(ended.evidence)] == []
    if any(order.alive for order in ended.evidence.orders):
        assert ended.code == 4, "an order is alive, and nobody is called"
    if ended.state == "done":
        told = {name: leg["quantity"] for name, leg in ended.body["outputs"]["legs"].items()}
        assert told == ended.held
