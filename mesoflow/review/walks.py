"""The ladder of each walk, folded from the effects of a run: which rung, at what price, in what market, and what filled.

Told effect by effect, live by the progress of a run, afterwards by its replay: both show the same. Prices are signed, + debit,
− credit, of one package, in points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from mesoflow.engine.effects import Done, Effect, Note, Outcome, Place, Refused, Watch, Withdraw
from mesoflow.review.words import rung_text
from mesoflow.trading.orders import Order

RungState: TypeAlias = Literal[
    "sending", "working", "cancelling", "filled", "cancelled", "rejected", "expired", "refused"
]

_ENDS: Mapping[str, RungState] = {
    "Filled": "filled",
    "Cancelled": "cancelled",
    "Rejected": "rejected",
    "Expired": "expired",
}
OVER = frozenset({*_ENDS.values(), "refused"})


@dataclass(slots=True)
class Rung:
    """One order of a walk. near, mid and natural are those of the moment at which it was priced; `code` says why not."""

    path: str
    at: datetime
    packages: int
    limit: Decimal
    near: Decimal
    mid: Decimal
    natural: Decimal
    state: RungState = "sending"
    order_id: int | None = None
    filled: int = 0
    average: Decimal | None = None
    code: str = ""

    @property
    def name(self) -> str:
        """`rung-2~2`."""
        return self.path.rpartition("/")[0].rpartition("/")[2]

    def __str__(self) -> str:
        return rung_text(
            self.name,
            limit=self.limit,
            market=(self.near, self.mid, self.natural),
            state=self.state,
            filled=self.filled,
            packages=self.packages,
            code=self.code,
        )


@dataclass(slots=True)
class Ladder:
    """One leg group's walk. `mid` is the frozen one of decision time, which concessions count from; `until` ends its `within`."""

    path: str
    group: int
    legs: tuple[str, ...]
    target: int
    mid: Decimal
    worst: Decimal
    until: datetime | None
    rungs: list[Rung] = field(default_factory=list)

    @property
    def filled(self) -> int:
        """Packages."""
        return sum(rung.filled for rung in self.rungs)

    @property
    def told(self) -> list[tuple[Rung, int]]:
        """What is worth telling: a price that is refused again and again is told once, with how often."""
        found: list[tuple[Rung, int]] = []
        for rung in self.rungs:
            last, times = found[-1] if found else (None, 0)
            if last is not None and rung.state == last.state == "refused" and rung.limit == last.limit:
                found[-1] = (last, times + 1)
            else:
                found.append((rung, 1))
        return found

    @property
    def over(self) -> bool:
        """No order of it is alive, as far as has been told."""
        return all(rung.state in OVER for rung in self.rungs)

    @property
    def conceded(self) -> Decimal | None:
        """Points a package given up against the frozen mid, over everything that filled. None: nothing filled."""
        parts = [(rung.filled, _paid(rung)) for rung in self.rungs if rung.filled]
        if not parts:
            return None
        paid = sum((count * price for count, price in parts), Decimal(0))
        return paid / sum(count for count, _ in parts) - self.mid


class Ladders:
    """All walks of a run, in the order in which they began."""

    def __init__(self) -> None:
        self.by_walk: dict[str, Ladder] = {}
        self._sent: dict[str, Rung] = {}
        self._by_order: dict[int, Rung] = {}
        self._mids: dict[str, Decimal] = {}

    def asked(self, path: str, effect: Effect, at: datetime) -> None:
        """An effect was asked for."""
        if isinstance(effect, Note) and effect.name == "ladders":
            step = path.rpartition("/")[0]
            self._mids |= {f"{step}/group-{group}": frozen["mid"] for group, frozen in effect.value.items()}
        elif isinstance(effect, Place) and effect.order.walk:
            self._priced(path, effect.order, at)
        elif isinstance(effect, Withdraw):
            rung = self._by_order.get(effect.args.get("live_order_id", 0))
            if rung is not None and rung.state not in OVER:
                rung.state = "cancelling"

    def settled(self, path: str, effect: Effect | None, outcome: Outcome) -> None:
        """What came of it."""
        rung = self._sent.get(path)
        if rung is not None:
            self._answered(rung, outcome)
        elif isinstance(effect, Watch) and effect.method == "GetOrder" and isinstance(outcome, Done):
            self._seen(outcome.value)

    def _priced(self, path: str, order: Order, at: datetime) -> None:
        group = order.groups[0]
        ladder = self.by_walk.get(order.walk)
        if ladder is None:
            mid = self._mids.get(order.walk, group.mid)
            ladder = Ladder(order.walk, group.id, group.legs, order.target, mid, group.worst, order.until)
            self.by_walk[order.walk] = ladder
        rung = Rung(path, at, group.packages, group.limit, group.near, group.mid, group.natural)
        ladder.rungs.append(rung)
        self._sent[path] = rung

    def _answered(self, rung: Rung, outcome: Outcome) -> None:
        if isinstance(outcome, Refused):
            rung.state, rung.code = "refused", outcome.code
            return
        rung.state = "working"
        rung.order_id = (outcome.value or {}).get("live_order_id")
        if rung.order_id is not None:
            self._by_order[rung.order_id] = rung

    def withdrawn(self, told: Mapping[str, Any]) -> None:
        """What a halt or a park took back, by the journal's input."""
        self._seen({"order": {"order_id": told["order"], "state": told["state"], "cum_qty": told["filled"]}})

    def _seen(self, answer: Any) -> None:  # noqa: ANN401 - a Value
        if not answer:
            return
        order = answer["order"]
        rung = self._by_order.get(order["order_id"])
        if rung is None:
            return
        rung.filled = max(rung.filled, int(abs(order["cum_qty"])))
        rung.average = order.get("avg_fill_price") or rung.average
        rung.state = _ENDS.get(str(order["state"]), rung.state)


def _paid(rung: Rung) -> Decimal:
    """The average, with the sign of the limit: hubs sign the prices of packages as they like."""
    if rung.average is None:
        return rung.limit
    return -abs(rung.average) if rung.limit < 0 else abs(rung.average)


__all__ = ["OVER", "Ladder", "Ladders", "Rung", "RungState"]
