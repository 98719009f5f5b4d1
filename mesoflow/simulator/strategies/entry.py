"""An entry is prepared by really evaluating its definition: expirations, legs, quantities, variables, conditions.

In this order, each step seeing what came before: expirations in the order of their list, legs in the order of theirs
(with all variables refreshed after each), QtyMultiplier, VarDefines, the exit's figures, AbortConditions, Conditions on the
preview with its legs. Any true condition lets go, any true abort condition drops; a condition that cannot be evaluated lets
nothing go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.strategies.definition import Definition
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua
from mesoflow.simulator.strategies.selection import Circumstances, Evaluated, Impossible, Selection


@dataclass(frozen=True, slots=True)
class Preview:
    """An entry as it would be now. Quantities contain the multiplier."""

    legs: tuple[MarketLeg, ...]
    qty_multiplier: Decimal
    variables: dict[str, Decimal]
    conditions: tuple[Evaluated, ...]
    abort_conditions: tuple[Evaluated, ...]
    expirations: dict[str, date]

    @property
    def allowed(self) -> bool:
        goes = not self.conditions or any(condition.result for condition in self.conditions)
        return goes and all(condition.result is False for condition in self.abort_conditions)


def preview(definition: Definition, snapshot: Snapshot, circumstances: Circumstances, lua: Lua) -> Preview:
    """Raises Impossible."""
    try:
        return _preview(
            definition, Selection(definition.symbol, snapshot, circumstances, lua, margin=definition.margin)
        )
    except ExpressionFailed as error:
        raise Impossible(str(error)) from None


def _preview(definition: Definition, chosen: Selection) -> Preview:
    for rule in definition.expirations:
        chosen.choose_expiry(rule)
    for leg in definition.legs:
        chosen.legs.append(chosen.choose_leg(leg))
        chosen.refresh()
    multiplier = _multiplier(definition, chosen)
    chosen.legs = [replace(leg, qty=leg.qty * multiplier) for leg in chosen.legs]
    chosen.refresh()
    variables = chosen.define({**definition.var_defines, **definition.exit_vars}.items())
    return Preview(
        legs=tuple(chosen.legs),
        qty_multiplier=multiplier,
        variables=variables | chosen.days_left(),
        conditions=chosen.evaluate(definition.conditions),
        abort_conditions=chosen.evaluate(definition.abort_conditions),
        expirations={alias: expiry.day for alias, expiry in chosen.expiries.items()},
    )


def _multiplier(definition: Definition, chosen: Selection) -> Decimal:
    text = definition.qty_multiplier
    if text is None:
        return Decimal(1)
    found = chosen.whole(text, "QtyMultiplier")
    if found < 0:
        raise Impossible(f"QtyMultiplier came to {found}")
    return found
