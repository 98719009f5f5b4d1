"""What of a run may be alive at a broker, read from its journal: whether a kill has something to withdraw there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.engine.paths import is_withdrawal
from mesoflow.journal.records import Record


@dataclass(slots=True)
class Working:
    """`orders`: of each accepted order, whether it may be alive. `unknown`: paths of calls whose outcome is not known.
    `withdrawn`: orders that a halt or a park took back, with what they had filled. `begun`: withdrawals without an end."""

    orders: dict[int, bool] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    withdrawn: dict[int, Decimal] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    nameless: int = 0

    @property
    def alive(self) -> list[int]:
        """Orders that nobody has called over."""
        return [order for order, alive in self.orders.items() if alive]

    @property
    def at_work(self) -> bool:
        """Whether there is something to withdraw, or to ask for."""
        orders = [path for path, method in self.unknown.items() if method in ("SendOrder", "CancelOrder")]
        return bool(self.alive or orders or self.begun or self.nameless)


def working(records: Iterable[Record]) -> Working:
    """Fold a run's records."""
    found, methods = Working(), dict[str, str]()
    for record in records:
        body = record.body
        if record.kind == "intended":
            methods[body["path"]] = found.unknown[body["path"]] = body["method"]
            if is_withdrawal(body["path"]):
                found.begun.add(body["path"])
        elif record.kind == "settled":
            _settled(found, methods.get(body["path"], ""), body)
        elif record.kind == "event":
            _seen(found, body["order"])
        elif record.kind == "input" and "withdrawn" in body:
            told = body["withdrawn"]
            found.orders[told["order"]] = False
            found.withdrawn[told["order"]] = told["filled"]
            found.begun = {path for path in found.begun if f"/order-{told['order']}/" not in path}
    return found


def _settled(found: Working, method: str, body: Mapping[str, Any]) -> None:
    found.unknown.pop(body["path"], None)
    answer = body["outcome"].get("done")
    if not isinstance(answer, Mapping):
        return
    if method == "SendOrder":
        if answer.get("live_order_id") is None:
            found.nameless += 1
        else:
            found.orders.setdefault(answer["live_order_id"], True)
    elif isinstance(answer.get("order"), Mapping):
        _seen(found, answer["order"])


def _seen(found: Working, order: Mapping[str, Any]) -> None:
    """An order that is over stays over; one that was accepted without an id is known by it now."""
    order_id = order.get("order_id")
    if order_id is None or order.get("state") is None:
        return
    if order_id not in found.orders:
        if not found.nameless:
            return
        found.nameless -= 1
    found.orders[order_id] = found.orders.get(order_id, True) and str(order["state"]) not in ORDER_ENDS
