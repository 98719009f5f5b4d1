"""What is known of each order of ours at a broker: GetOrder reads and events of the Event Hub, folded into one view.

Reads and events may come in any order, twice, or lag behind each other. So a fold only ever adds: the cumulative fill never
goes back, and a terminal state stays terminal. A fill that is heard of after the program was told that the order is over is
counted all the same, and told (`late`): it ends the walk and parks the run (EXECUTION.md §5, I1 and I5).

A view is a cache of what the journal and the hub say; not needed for correctness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.engine.effects import Done, Outcome, Value
from mesoflow.trading.orders import Order

NONE = Decimal(0)

# What an event tells of an order, as GetOrder's answer calls it.
_OF_EVENT = {
    "avg_fill_price": "avg_fill_price",
    "fill_price": "last_fill_price",
    "event_time": "last_updated",
    "exec_plan_id": "exec_plan_id",
    "leg_group_id": "leg_group_id",
    "broker_account_id": "broker_account_id",
    "rejection": "rejection",
}


@dataclass(slots=True)
class OrderView:
    """One order. `order` and `path` are ours (None and "" for one that only the hub has told of so far).

    `seen` is GetOrder's order as it was read last, with what events added; `told` is the cumulative fill that the program
    has been told as final, None while it has not been told that the order is over.
    """

    order_id: int
    path: str = ""
    order: Order | None = None
    state: str = ""
    filled: Decimal = NONE
    seen: dict[str, Value] = field(default_factory=dict)
    told: Decimal | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it can fill any more, as far as anybody has said."""
        return self.state in ORDER_ENDS

    @property
    def working(self) -> bool:
        """Whether it is ours and may be alive: what nobody has called over is alive."""
        return self.order is not None and not self.is_over

    @property
    def kind(self) -> str:
        """entry, exit or adjustment; "" for one that is not ours."""
        return self.order.kind if self.order is not None else ""

    @property
    def late(self) -> bool:
        """Whether more has filled than the program was told as final."""
        return self.told is not None and self.filled > self.told

    def shown(self) -> dict[str, Value]:
        """As GetOrder's answer has it. Quantities keep the sign that the hub gave them."""
        quantity = self.seen.get("qty")
        sign = -1 if quantity is not None and quantity < 0 else 1
        return {**self.seen, "order_id": self.order_id, "state": self.state, "cum_qty": sign * self.filled}

    def fact(self) -> dict[str, Value]:
        """What the journal keeps of an observation."""
        kept = ("exec_plan_id", "leg_group_id", "broker_account_id", "avg_fill_price", "last_fill_price")
        return {
            "order_id": self.order_id,
            "state": self.state,
            "cum_qty": self.filled,
            **{name: self.seen[name] for name in kept if self.seen.get(name) is not None},
        }


class Views:
    """The views of one run's orders. `late` is called, once a fill, when more has filled than the program was told."""

    def __init__(self, late: Callable[[OrderView], None] = lambda view: None) -> None:
        self._views: dict[int, OrderView] = {}
        self._plans: set[int] = set()
        self._nameless: list[tuple[str, Order]] = []
        self._late = late

    def __iter__(self) -> Iterator[OrderView]:
        return iter(list(self._views.values()))

    def of(self, order_id: int) -> OrderView:
        """The view of an order, made where there is none."""
        return self._views.setdefault(order_id, OrderView(order_id))

    def intended(self, order: Order) -> None:
        """An order of this exec plan is on its way: events of the plan are ours, before its id is known."""
        if order.method == "SendOrder":
            self._plans.add(order.exec_plan_id)

    def settled(self, path: str, order: Order, outcome: Outcome) -> None:
        """What became of a sending: accepted, it is alive under its id until somebody says otherwise; without an id it is
        alive too, and is known again by its exec plan and leg group."""
        if order.method != "SendOrder" or not isinstance(outcome, Done):
            return
        order_id = outcome.value["live_order_id"]
        if order_id is None:
            self._nameless.append((path, order))
        else:
            view = self.of(order_id)
            view.path, view.order = path, order

    def nameless_plans(self) -> list[int]:
        """Exec plans with an order that was accepted without an id."""
        return list(dict.fromkeys(order.exec_plan_id for _, order in self._nameless))

    def is_ours(self, event: Mapping[str, Any]) -> bool:
        """Whether an event is of an order of ours, or of an exec plan that we have sent an order of."""
        order_id = event.get("order_id")
        if not isinstance(order_id, int) or event.get("state") is None:
            return False  # kept as it came: it does not fit the contract, and GetOrder tells the truth
        known = self._views.get(order_id)
        return (known is not None and known.order is not None) or event.get("exec_plan_id") in self._plans

    def read(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Fold a GetOrder answer in; returns the view in that answer's shape."""
        found = answer["order"]
        view = self.of(found["order_id"])
        _fold(view, str(found["state"]), found["cum_qty"], found)
        self._recognise(view)
        self.tell(view)
        return {**answer, "order": view.shown()}

    def heard(self, event: Mapping[str, Any]) -> OrderView | None:
        """Fold an OrderUpdateEvent in; the view where that was news, to be journalled and then `tell`-ed."""
        view = self.of(event["order_id"])
        known = {ours: event[theirs] for theirs, ours in _OF_EVENT.items() if event.get(theirs) is not None}
        news = _fold(view, str(event["state"]), event.get("filled_qty"), known)
        self._recognise(view)
        return view if news else None

    def observed(self, fact: Mapping[str, Any]) -> None:
        """Fold in what the journal holds as observed."""
        view = self.of(fact["order_id"])
        _fold(
            view,
            fact["state"],
            fact["cum_qty"],
            {k: v for k, v in fact.items() if k not in ("state", "cum_qty")},
        )
        self._recognise(view)

    def _recognise(self, view: OrderView) -> None:
        """An order that we have not named ourselves: the one of its plan and group that was accepted without an id."""
        if view.order is not None:
            return
        for path, order in self._nameless:
            plan, group = view.seen.get("exec_plan_id"), view.seen.get("leg_group_id")
            if order.exec_plan_id == plan and group in (None, order.args.get("leg_group_id")):
                view.path, view.order = path, order
                self._nameless.remove((path, order))
                return

    def told(self, order_id: int, state: str, cum_qty: Decimal) -> None:
        """The program knows of this fill; where `state` is terminal it takes it as final."""
        view = self.of(order_id)
        if str(state) in ORDER_ENDS:
            view.told = max(abs(cum_qty), view.told or NONE)
        self.tell(view)

    def tell(self, view: OrderView) -> None:
        """Call `late` for a fill that the program was not told of."""
        if view.late:
            view.told = view.filled
            self._late(view)

    def working(self) -> list[OrderView]:
        """Orders of ours that may be alive."""
        return [view for view in self._views.values() if view.working]

    def ours(self) -> list[OrderView]:
        """All orders that were accepted."""
        return [view for view in self._views.values() if view.order is not None]


def _fold(view: OrderView, state: str, filled: Decimal | None, seen: Mapping[str, Any]) -> bool:
    """Add what was seen; whether that is news."""
    before = (view.state, view.filled)
    if filled is not None:
        view.filled = max(view.filled, abs(filled))
    if not view.is_over:
        view.state = state
    view.seen.update(seen)
    return (view.state, view.filled) != before


def filled_legs(order: Order, packages: Decimal) -> dict[str, Decimal]:
    """The contracts of each leg that so many packages of an order's one group are: whole multiples of the ratio."""
    whole = sum(group.packages for group in order.groups)
    if not whole or not packages:
        return {}
    return {leg.name: leg.quantity * packages / whole for leg in order.legs}
