"""What this state home has traded: positions that are ours, the legs they should have, the plans that made them, and the
orders of ours that work at a broker.

A fold over the home's journal, up to the start of a run, whose first record keeps it (actions/ledger.py reads it as
`Context.ledger`). The newest such record at the same hub is where the fold begins: what it holds is journalled, so reading
what came before it again would give the same. A paper fill is whole at once; an order at a broker counts by what was seen
of it to fill, and the position that an entry's plan makes is known once its plan's positions have been read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.engine.effects import Value
from mesoflow.journal.records import Kind, Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.standing import TRADES, Standing, open_intents
from mesoflow.trading.order_values import contract_of
from mesoflow.trading.settlement import settles_at

# Positions have ids of their hub; those of another one say nothing here.
PLACE = ("kind", "url", "world", "identity")

_KINDS: tuple[Kind, ...] = ("settled", "cleared", "event", "input")
_NOTHING = Decimal(0)


def at_same_hub(started: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a run began at this hub, in this world."""
    return all(started["hub"].get(name) == where.get(name) for name in PLACE)


def holdings(journal: Journal, where: Mapping[str, Any], runs: Sequence[Standing]) -> dict[str, Value]:
    """{positions, orders, plans, unknowns} as a run that starts now may know them. `runs` newest first."""
    here = [run for run in runs if at_same_hub(run.started, where)]
    fold = fold_since(journal, here, here[0] if here else None)
    unknowns = [
        intent.at
        for run in here
        if not run.over
        for intent in open_intents(journal, run.run_id)
        if intent.method in TRADES
    ]
    fold.forget_what_is_over()
    return {
        "positions": fold.positions,
        "orders": fold.orders,
        "plans": fold.plans,
        "unknowns": sorted(unknowns),
    }


def fold_since(journal: Journal, here: Sequence[Standing], base: Standing | None) -> Fold:
    """What the home holds now, by the first record of `base` and what came after it. `here`: the runs at this hub."""
    fold = Fold(journal, {run.run_id: str(run.started["playbook"]) for run in here})
    after = 0
    if base is not None:
        after = next(row.started for row in journal.runs() if row.run_id == base.run_id)
        ledger = deepcopy(dict(base.started["ledger"]))
        fold.positions = dict(ledger["positions"])
        fold.orders = dict(ledger.get("orders", {}))
        fold.plans = dict(ledger.get("plans", {}))
    for record in journal.home(after=after, kinds=_KINDS):
        fold.take(record)
    return fold


@dataclass(slots=True)
class Fold:
    """`positions`, `orders` and `plans` by id as text. Of a plan: the position it made, null while that is not known, and the
    legs that have filled of it meanwhile."""

    journal: Journal
    playbooks: Mapping[str, str]
    positions: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, Any] = field(default_factory=dict)
    plans: dict[str, Any] = field(default_factory=dict)
    _intended: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Fold one record in."""
        body = record.body
        if record.kind == "cleared":
            self._cleared(body)
        elif record.run_id not in self.playbooks:
            return
        elif record.kind == "settled":
            self._settled(record.run_id, body)
        elif record.kind == "event":
            self._seen(body["order"])
        elif told := body.get("withdrawn") or body.get("late_fill"):
            self._seen({"order_id": told["order"], "state": told.get("state", ""), "cum_qty": told["filled"]})

    def legs_of(self, position: int) -> Mapping[str, Decimal] | None:
        """The legs that a position of ours should have."""
        entry = self.positions.get(str(position))
        return None if entry is None else entry["legs"]

    def forget_what_is_over(self) -> None:
        """An order that is over, and a plan of none that works, say nothing more to a run that starts now."""
        self.orders = {key: order for key, order in self.orders.items() if order["state"] not in ORDER_ENDS}
        working = {str(order["exec_plan_id"]) for order in self.orders.values()}
        self.plans = {key: plan for key, plan in self.plans.items() if key in working or plan["legs"]}

    def _settled(self, run_id: str, body: Mapping[str, Any]) -> None:
        answer = body["outcome"].get("done")
        if not isinstance(answer, Mapping):
            return
        order = self._order(run_id, body["path"])
        if order is None and body.get("plan") is not None:
            self._made(str(body["plan"]), answer["positions"])
        elif order is None and isinstance(answer.get("hold"), Mapping):
            self._held(answer["hold"])
        elif order is None:
            self._seen(answer.get("order"))
        elif order["method"] == "SendOrder":
            self._sent(run_id, order, answer)
        else:
            self._traded(order, answer)

    def _order(self, run_id: str, path: str) -> Mapping[str, Any] | None:
        """The order at a path. Its intent may stand before the place where the fold begins."""
        if run_id not in self._intended:
            intended = (record.body for record in self.journal.read(run_id) if record.kind == "intended")
            self._intended[run_id] = {
                body["path"]: {**body["order"], "method": body["method"]}
                for body in intended
                if body.get("order")
            }
        return self._intended[run_id].get(path)

    # --- paper -------------------------------------------------------------------------------------------------------

    def _traded(self, order: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        position = answer.get("position_id") or order["position_id"]
        if position is not None:
            legs = {leg["name"]: leg["quantity"] for leg in order["legs"]}
            self._expire(position, order["legs"])
            self._add(position, order["account"], order["exec_plan_id"], legs, again=True)

    # --- at a broker -------------------------------------------------------------------------------------------------

    def _sent(self, run_id: str, order: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        if answer.get("live_order_id") is None:
            return
        self.orders[str(answer["live_order_id"])] = {
            "account": order["account"],
            "playbook": self.playbooks[run_id],
            "kind": order["kind"],
            "exec_plan_id": order["exec_plan_id"],
            "position_id": order["position_id"],
            "packages": sum(group["packages"] for group in order["groups"]),
            "legs": {leg["name"]: leg["quantity"] for leg in order["legs"]},
            **_expiries(order["legs"]),
            "filled": _NOTHING,
            "state": "",
        }

    def _seen(self, shown: Mapping[str, Any] | None) -> None:
        """An order as it was seen: what filled since it was last seen is traded."""
        order = self.orders.get(str(shown.get("order_id"))) if isinstance(shown, Mapping) else None
        if order is None or shown is None:
            return
        news = max(abs(shown["cum_qty"]), order["filled"]) - order["filled"]
        order["filled"] += news
        if order["state"] not in ORDER_ENDS:
            order["state"] = str(shown["state"]) or order["state"]
        if news:
            legs = {name: quantity * news / order["packages"] for name, quantity in order["legs"].items()}
            self._filled(order, legs)

    def _filled(self, order: Mapping[str, Any], legs: Mapping[str, Decimal]) -> None:
        key = str(order["exec_plan_id"])
        made = {"account": order["account"], "position_id": order["position_id"], "legs": {}}
        plan = self.plans.setdefault(key, made)
        if "expires" in order:
            plan["expires"] = {**plan.get("expires", {}), **order["expires"]}
        if plan["position_id"] is not None:
            self._add(plan["position_id"], order["account"], order["exec_plan_id"], legs)
        else:
            plan["legs"] = _sum(plan["legs"], legs)

    def _made(self, key: str, positions: Sequence[Mapping[str, Any]]) -> None:
        """The position that an entry's plan made: what has filled of the plan is its legs."""
        plan = self.plans.get(key)
        if plan is None or plan["position_id"] is not None or not positions:
            return
        position, legs = int(positions[0]["id"]), plan["legs"]
        plan["position_id"], plan["legs"] = position, {}
        self._add(position, plan["account"], int(key), legs)

    # --- both --------------------------------------------------------------------------------------------------------

    def _add(
        self, position: int, account: str, plan: int, legs: Mapping[str, Decimal], *, again: bool = False
    ) -> None:
        before = self.positions.get(str(position), {"legs": {}, "plans": []})
        expires = {**before.get("expires", {}), **self.plans.get(str(plan), {}).get("expires", {})}
        plans = list(before["plans"])
        if again or plan not in plans:
            plans.append(plan)
        entry = {"account": account, "legs": _sum(before["legs"], legs), "plans": plans}
        if expires:
            entry["expires"] = expires
        if entry["legs"] and "held" in before:  # a hold ends when the position is flat
            entry["held"] = before["held"]
        self.positions[str(position)] = entry

    def _expire(self, position: int, legs: Sequence[Mapping[str, Any]]) -> None:
        """Remember when the contracts of a position settle: from then on nobody holds them."""
        if found := _expiries(legs):
            before = self.positions.setdefault(str(position), {"legs": {}, "plans": []})
            before["expires"] = {**before.get("expires", {}), **found["expires"]}

    def _held(self, hold: Mapping[str, Any]) -> None:
        """A part of a plan stays where it is until a person has looked (actions/incomplete.py)."""
        position = str(hold["position_id"])
        if position in self.positions:
            self.positions[position] = {**self.positions[position], "held": hold["summary"]}

    def _cleared(self, body: Mapping[str, Any]) -> None:
        """A person has looked: from now on the legs are what the hub showed."""
        for position, legs in body["legs"].items():
            if position in self.positions:
                self.positions[position].pop("held", None)
                self.positions[position]["legs"] = {leg["name"]: leg["quantity"] for leg in legs}


def unsettled(entry: Mapping[str, Any], now: datetime) -> dict[str, Decimal]:
    """The legs of a position or a plan that have not settled by now."""
    expires = entry.get("expires", {})
    return {name: qty for name, qty in entry["legs"].items() if name not in expires or now < expires[name]}


def _expiries(legs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, datetime]]:
    """{expires: {leg: when it settles}}, or nothing where no contract is told."""
    found = {leg["name"]: settles_at(contract_of(leg["contract"])) for leg in legs if leg.get("contract")}
    return {"expires": found} if found else {}


def _sum(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    total = dict(one)
    for name, quantity in other.items():
        total[name] = total.get(name, _NOTHING) + quantity
    return {name: quantity for name, quantity in total.items() if quantity}
