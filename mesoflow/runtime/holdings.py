"""What this state home has traded: positions that are ours, the legs they should have, the plans that made them.

A fold over the home's journal, up to the start of a run, whose first record keeps it (actions/ledger.py reads it as
`Context.ledger`). The newest such record at the same hub is where the fold begins: what it holds is journalled, so reading
what came before it again would give the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Value
from mesoflow.journal.records import Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.standing import TRADES, Standing, open_intents

# Positions have ids of their hub; those of another one say nothing here.
PLACE = ("kind", "url", "world", "identity")


def at_same_hub(started: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a run began at this hub, in this world."""
    return all(started["hub"].get(name) == where.get(name) for name in PLACE)


def holdings(journal: Journal, where: Mapping[str, Any], runs: Sequence[Standing]) -> dict[str, Value]:
    """{positions, unknowns} as a run that starts now may know them. `runs` newest first."""
    here = [run for run in runs if at_same_hub(run.started, where)]
    fold = _Fold(journal, {run.run_id for run in here})
    after = 0
    if here:
        newest = here[0]
        after = next(row.started for row in journal.runs() if row.run_id == newest.run_id)
        fold.positions = {key: dict(entry) for key, entry in newest.started["ledger"]["positions"].items()}
    for record in journal.home(after=after, kinds=("settled", "cleared")):
        fold.take(record)
    unknowns = [
        intent.at
        for run in here
        if not run.over
        for intent in open_intents(journal, run.run_id)
        if intent.method in TRADES
    ]
    return {"positions": fold.positions, "unknowns": sorted(unknowns)}


@dataclass(slots=True)
class _Fold:
    journal: Journal
    here: set[str]
    positions: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        body = record.body
        if record.kind == "cleared":
            self._cleared(body)
        elif record.run_id not in self.here:
            return
        elif isinstance(body["outcome"].get("done"), Mapping):
            order = self._order(record.run_id, body["path"])
            if order is not None:
                self._traded(order, body["outcome"]["done"])

    def _order(self, run_id: str, path: str) -> Mapping[str, Any] | None:
        """The order at a path. Its intent may stand before the place where the fold begins."""
        if run_id not in self.orders:
            intended = (record.body for record in self.journal.read(run_id) if record.kind == "intended")
            self.orders[run_id] = {body["path"]: body["order"] for body in intended if body.get("order")}
        return self.orders[run_id].get(path)

    def _traded(self, order: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        position = answer.get("position_id") or order["position_id"]
        if position is None:
            return
        before = self.positions.get(str(position), {"legs": {}, "plans": []})
        legs = dict(before["legs"])
        for leg in order["legs"]:
            legs[leg["name"]] = legs.get(leg["name"], Decimal(0)) + leg["quantity"]
        self.positions[str(position)] = {
            "account": order["account"],
            "legs": {name: quantity for name, quantity in legs.items() if quantity},
            "plans": [*before["plans"], order["exec_plan_id"]],
        }

    def _cleared(self, body: Mapping[str, Any]) -> None:
        """A person has looked: from now on the legs are what the hub showed."""
        for position, legs in body["legs"].items():
            if position in self.positions:
                self.positions[position]["legs"] = {leg["name"]: leg["quantity"] for leg in legs}
