"""Exec plans: what a prepare job makes, and what an execution refers to. A plan is the wire's own result, kept whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.hubs.models.prepares import (
    PreparePositionAdjustmentResult,
    PreparePositionEntryResult,
    PreparePositionExitResult,
)
from mesoflow.simulator.strategies.adjusting import Adjusted
from mesoflow.simulator.strategies.entry import Preview
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.selection import Evaluated
from mesoflow.simulator.world.contracts import live_contract, multiplier_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import missing
from mesoflow.simulator.world.figures import Block, Figures, Holding
from mesoflow.simulator.world.positions import holding_of
from mesoflow.simulator.world.store import packed, unpacked, written

Kind = Literal["entry", "exit", "adjustment"]
Result = PreparePositionEntryResult | PreparePositionExitResult | PreparePositionAdjustmentResult
_MODELS: Mapping[str, type[Result]] = {
    "entry": PreparePositionEntryResult,
    "exit": PreparePositionExitResult,
    "adjustment": PreparePositionAdjustmentResult,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A stored plan. `expirations`: alias → day, as JSON text; `executed`: when, or None.

    What a leg trades: of an entry its quantity is bought (or sold, if negative); of an exit the opposite of it; of an
    adjustment its quantity, whether the leg is opened (id 0) or closed (its id). `opens` tells which. `defines`: variables
    that the position gets when an adjustment is applied.
    """

    id: int
    kind: Kind
    result: Result
    account: str
    strategy: int
    position: int | None
    expirations: str
    defines: str
    executed: str | None

    @property
    def legs(self) -> dict[str, LiveLeg]:
        """Of an entry what is to be opened, of an exit what is held, of an adjustment what is to be traded."""
        match self.result:
            case PreparePositionEntryResult():
                return self.result.selected_legs
            case PreparePositionExitResult():
                return self.result.position_legs
            case _:
                return self.result.order_legs

    @property
    def traded(self) -> dict[str, Decimal]:
        """Contracts to trade by leg, + bought, − sold; an entry's with the multiplier that it resolved."""
        sign = -1 if self.kind == "exit" else 1
        return {name: sign * leg.qty for name, leg in self.legs.items()}

    def opens(self, name: str) -> bool:
        """Whether a leg is opened, or one that is held closed."""
        return self.kind == "entry" or (self.kind == "adjustment" and self.legs[name].id == 0)

    @property
    def later_variables(self) -> dict[str, Decimal]:
        """What the position remembers of an adjustment."""
        return {name: Decimal(value) for name, value in unpacked(self.defines).items()}

    @property
    def later_expirations(self) -> dict[str, str]:
        """The same of its aliases: alias → day."""
        found: dict[str, str] = unpacked(self.expirations)
        return found


@dataclass(frozen=True, slots=True)
class EntryOf:
    """For whom an entry is planned."""

    position_name: str
    strategy: int
    strategy_name: str
    account: str
    symbol: str


@dataclass(frozen=True, slots=True)
class AdjustmentOf:
    """What is adjusted: a position, its open legs and its variables."""

    position: LivePosition
    operation: str
    condition: str
    legs: Sequence[LiveLeg]
    variables: Mapping[str, Decimal]


class Plans:
    """The exec plans of a world."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, id: int) -> Plan:
        found = self._core.store.row(
            "SELECT kind, doc, account, strategy, position, expirations, defines, executed FROM plans WHERE id = ?",
            (id,),
        )
        if found is None:
            raise missing("exec plan", id)
        kind, doc, account, strategy, position, *kept = found
        return Plan(id, kind, self.read(kind, doc), account, strategy, position, *kept)

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
        legs = {leg.name: self._new_leg(leg, of.account, of.symbol, at) for leg in found.legs}
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
        self._add(id, "entry", result, None, expirations)
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
        self._add(id, "exit", result, position.id, {})
        return result

    def add_adjustment(
        self, of: AdjustmentOf, found: Adjusted, at: datetime
    ) -> PreparePositionAdjustmentResult:
        """Its figures are those of what is traded."""
        id, figures = self._core.store.next_id("plans"), Figures(self._core.market, at)
        position, symbol = of.position, of.legs[0].underlying
        held = {leg.name: leg for leg in of.legs}
        trading = (*found.closing, *found.opening)
        legs = {leg.name: held[leg.name].model_copy(update={"qty": leg.qty}) for leg in found.closing}
        for leg in found.opening:
            new = self._new_leg(leg, position.broker_account_id, symbol, at)
            name = leg.role if self._core.faults.moved_leg_name == "same" else leg.name
            new |= {"live_position_id": position.id, "name": name}
            legs[leg.name] = LiveLeg.model_validate(new, context="write")
        groups = _apart(found)
        result = PreparePositionAdjustmentResult.model_validate(
            {
                **self._common(
                    id, figures, symbol, {leg.name: _planned(leg, symbol) for leg in trading}, groups
                ),
                "operation": of.operation,
                "condition": of.condition,
                "position_id": position.id,
                "position_name": position.name,
                "strategy_id": position.live_strategy_id,
                "strategy_name": position.strategy_name,
                "broker_account_id": position.broker_account_id,
                "order_legs": legs,
                "leg_group_qtys": _quantities(
                    {leg.name: (groups[leg.name], leg.qty) for leg in trading}, None
                ),
                "vars": {**of.variables, **found.variables},
                "abort_conditions": [_evaluation(condition) for condition in found.abort_conditions],
                "adjustment_allowed": found.allowed,
            },
            context="write",
        )
        expirations = {alias: day.isoformat() for alias, day in found.expirations.items()}
        self._add(id, "adjustment", result, position.id, expirations, found.variables)
        return result

    def _add(
        self,
        id: int,
        kind: Kind,
        result: Result,
        position: int | None,
        expirations: Mapping[str, str],
        defines: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._core.store.run(
            "INSERT INTO plans (id, doc, kind, account, strategy, position, expirations, defines) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                packed(result.wire()),
                kind,
                result.broker_account_id,
                result.strategy_id,
                position,
                packed(expirations),
                packed(defines or {}),
            ),
        )

    def _new_leg(self, leg: MarketLeg, account: str, symbol: str, at: datetime) -> dict[str, Any]:
        """Not opened yet: its ids are 0."""
        return {
            "id": 0,
            "name": leg.name,
            "live_contract": live_contract(leg.option, self._core.market),
            "leg_group_id": leg.group,
            "created_at": at,
            "live_position_id": 0,
            "account_id": account,
            "underlying": symbol,
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


def _apart(found: Adjusted) -> dict[str, int]:
    """Leg groups of an adjustment: the legs' own. A leg that is in none does not move as one package: closed in that
    "group" 0, it is opened in one of its own."""
    groups = {leg.name: leg.group for leg in (*found.closing, *found.opening)}
    if found.closing:
        following = max(groups.values()) + 1
        groups |= {leg.name: following for leg in found.opening if leg.group == 0}
    return groups


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
