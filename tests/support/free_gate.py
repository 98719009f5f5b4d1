"""A gate whose rails always hold: the twin of runtime/gate.py for tests of the engine. It still counts what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mesoflow.trading.clearance import Cleared


@dataclass
class FreeGate:
    told: list[str] = field(default_factory=list)
    forbidden: str = ""

    def judge(self, path: str, order: Any, now: Any) -> None:
        return None

    def intend(self, path: str, order: Any) -> tuple[Any, Any]:
        self.told.append(f"intended {path}")
        return {"passed": True}, {"exec_plan_id": order.exec_plan_id}

    def clear(self, path: str, order: Any) -> Cleared[Any]:
        return Cleared(order)

    def replayed(self, path: str, order: Any, verdict: Any) -> None:
        self.told.append(f"replayed {path}")

    def settled(self, path: str, order: Any, outcome: Any) -> None:
        self.told.append(f"settled {path}")

    def forbids(self, path: str, order: Any, now: Any) -> str:
        return self.forbidden

    def proves_refusal(self, method: str, status: str) -> bool:
        return status == "ValidationError"

    def mark(self, effect: Any, path: str, summary: str, now: Any) -> dict[str, Any]:
        return {"path": path, "account": "PAPER-1", "at": now, "summary": summary}
