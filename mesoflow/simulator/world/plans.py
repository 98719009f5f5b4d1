"""Exec plans: what a prepare job makes, and what an execution refers to. A plan is the wire's own result, kept whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.hubs.models.prepares import PreparePositionEntryResult, PreparePositionExitResult
from mesoflow.simulator.strategies.entry import Evaluated, Preview
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.world.contracts import live_contract, multiplier_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import missing
from mesoflow.simulator.world.figures import Block, Figures, Holding
from mesoflow.simulator.world.positions import holding_of
from mesoflow.simulator.world.store import packed, unpacked, written

Kind = Literal["entry", "exit"]
Result = PreparePositionEntryResult | PreparePositionExitResult
_MODELS: Mapping[str, type[Result]] = {"entry": PreparePositionEntryResult, "exit": PreparePositionExitResult}


@dataclass(frozen=True, slots=True)
class Plan:
    """A stored plan. `expirations`: alias → day, as JSON text; `executed`: when, or None."""

    id: int
    kind: Kind
    result: Result
    account: str
    strategy: int
    position: int | None
    expirations: str
    executed: str | None

    @property
    def legs(self) -> dict[str, LiveLeg]:
        """Of an entry what is to be opened, of an exit what is held."""
        match self.result:
            case PreparePositionEntryResult():
                return self.result.selected_legs
            case _:
                return self.result.position_legs


@dataclass(frozen=True, slots=True)
class EntryOf:
    """For whom an entry is planned."""

    position_name: str
    strategy: int
    strategy_name: str
    account: str
    symbol: str


class Plans:
    """The exec plans of a world."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, id: int) -> Plan:
        found = self._core.store.row(
            "SELECT kind, doc, account, strategy, position, expirations, executed FROM plans WHERE id = ?",
            (id,),
        )
        if found is None:
            raise missing("exec plan", id)
        kind, doc, account, strategy, position, expirations, executed = found
        return Plan(id, kind, self.read(kind, doc), account, strategy, position, expirations, executed)

    def result(self, id: int) -> Result:
        return self.get(id).result

    @staticmethod
    def read(kind: str, doc: str) -> Result:
        return _MODELS[kind].read(unpacked(doc))

    # --- only inside a change --------------------------------------------------------------------------------------

    def executed(self, id: int, at: datetime) -> None:
        self._core.store.run("UPDATE plans SET executed = ? WHERE id = ?", (written(at), id))

    def add_entry(self, of: EntryOf, found: Preview, at: datetime) -> PreparePositionEntryResult:
        id, figures = self._core.store.next_id("plans"), Figures(self._core.market, at)
        legs = {leg.name: self._new_leg(leg, of, at) for leg in found.legs}
        holdings = {leg.name: _planned(leg, of.symbol) for leg in found.legs}
        result = PreparePositionEntryResult.model_validate(
            {
                **self._common(id, figures, of.symbol, holdings, {leg.name: leg.group for leg in found.legs}),
                "position_name": of.position_name,
                "strategy_id": of.strategy,
                "strategy_name": of.strategy_name,
                "broker_account_id": of.account,
                "selected_legs": legs,
                "abort_conditions": [_evaluation(condition) for condition in found.abort_conditions],
                "entry_conditions": [_evaluation(condition) for condition in found.conditions],
                "entry_allowed": found.allowed,
                "qty_multiplier": found.qty_multiplier,
                "leg_group_qtys": _quantities(
                    {leg.name: (leg.group, leg.qty) for leg in found.legs}, found.qty_multiplier
                ),
                "vars": found.variables,
            },
            context="write",
        )
        expirations = {alias: day.isoformat() for alias, day in found.expirations.items()}
        self._add(id, "entry", result, None, packed(expirations))
        return result

    def add_exit(
        self, position: LivePosition, legs: Sequence[LiveLeg], variables: dict[str, Decimal], at: datetime
    ) -> PreparePositionExitResult:
        id, figures = self._core.store.next_id("plans"), Figures(self._core.market, at)
        symbol = legs[0].underlying
        holdings = {leg.name: holding_of(leg) for leg in legs}
        result = PreparePositionExitResult.model_validate(
            {
                **self._common(id, figures, symbol, holdings, {leg.name: leg.leg_group_id for leg in legs}),
                "position_id": position.id,
                "position_name": position.name,
                "strategy_id": position.live_strategy_id,
                "strategy_name": position.strategy_name,
                "broker_account_id": position.broker_account_id,
                "position_legs": {leg.name: leg for leg in legs},
                "leg_group_qtys": _quantities({leg.name: (leg.leg_group_id, -leg.qty) for leg in legs}, None),
                "vars": variables,
            },
            context="write",
        )
        self._add(id, "exit", result, position.id, "{}")
        return result

    def _add(self, id: int, kind: Kind, result: Result, position: int | None, expirations: str) -> None:
        self._core.store.run(
            "INSERT INTO plans (id, doc, kind, account, strategy, position, expirations) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                packed(result.wire()),
                kind,
                result.broker_account_id,
                result.strategy_id,
                position,
                expirations,
            ),
        )

    def _new_leg(self, leg: MarketLeg, of: EntryOf, at: datetime) -> dict[str, Any]:
        """Not opened yet: its ids are 0."""
        return {
            "id": 0,
            "name": leg.name,
            "live_contract": live_contract(leg.option, self._core.market),
            "leg_group_id": leg.group,
            "created_at": at,
            "live_position_id": 0,
            "account_id": of.account,
            "underlying": of.symbol,
            "qty": leg.qty,
            "avg_entry_price": Decimal(0),
        }

    @staticmethod
    def _common(
        id: int, figures: Figures, symbol: str, holdings: Mapping[str, Holding], groups: Mapping[str, int]
    ) -> dict[str, Any]:
        """What plans of all kinds tell of the market."""
        by_group: dict[int, list[str]] = {}
        for name, group in groups.items():
            by_group.setdefault(group, []).append(name)
        greeks = {name: figures.greeks(holding) for name, holding in holdings.items()}
        return {
            "exec_plan_id": id,
            "leg_groups": by_group,
            "leg_prices": {
                name: figures.prices(figures.quote(holding.option)) for name, holding in holdings.items()
            },
            "leg_greeks": greeks,
            "leg_group_prices": {
                group: figures.package(_trading(holdings[name] for name in names))
                for group, names in by_group.items()
            },
            "leg_group_greeks": {
                group: figures.total_greeks([greeks[name] for name in names])
                for group, names in by_group.items()
            },
            "position_price": figures.package(_trading(holdings.values())),
            "position_greeks": figures.total_greeks(list(greeks.values())),
            "underlying_price": figures.underlying(symbol) or _nothing(figures),
        }


def _trading(holdings: Iterable[Holding]) -> list[Holding]:
    return [holding for holding in holdings if holding.qty]


def _nothing(figures: Figures) -> Block:
    return {"snapshot_time": figures.now}


def _planned(leg: MarketLeg, symbol: str) -> Holding:
    return Holding(leg.option, leg.qty, multiplier_of(symbol))


def _quantities(
    legs: Mapping[str, tuple[int, Decimal]], multiplier: Decimal | None
) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for name, (group, qty) in legs.items():
        found.setdefault(group, {"leg_qtys": {}, "qty_multiplier": multiplier})["leg_qtys"][name] = qty
    return found


def _evaluation(condition: Evaluated) -> dict[str, Any]:
    return {"condition": condition.text, "result": condition.result, "error": condition.error}
