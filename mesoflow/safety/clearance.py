"""The passing: the only place that makes a Cleared, from an order and the verdict on that very order."""

from __future__ import annotations

from mesoflow.safety.verdicts import Verdict
from mesoflow.trading.clearance import SAFETY_TOKEN, Cleared
from mesoflow.trading.orders import Order


class NotCleared(Exception):
    """An order without a verdict that passes it. Reaching this is a bug: who judges looks at `passed` first."""

    def __init__(self, summary: str) -> None:
        super().__init__(summary)
        self.summary = summary


def clear(order: Order, verdict: Verdict) -> Cleared[Order]:
    """Raises NotCleared for a refusal, and for the verdict on another order."""
    if verdict.order is not order and verdict.order != order:
        raise NotCleared("the verdict is on another order; this is a bug in mesoflow")
    if not verdict.passed:
        raise NotCleared(verdict.summary)
    return Cleared(order, token=SAFETY_TOKEN)
