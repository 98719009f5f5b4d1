"""Adjustments of positions: what is asked for must be the strategy's own; a job evaluates it and makes an exec plan.

New variables alone (UpdateVars) are stored when the job ends, without orders; all others when their plan is executed.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, MutableMapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.hubs.models.prepares import PreparePositionAdjustmentArgs
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.strategies.adjusting import Holds, adjusted, role_of
from mesoflow.simulator.strategies.adjustments import OPERATIONS
from mesoflow.simulator.strategies.definition import Definition
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.lua import Names
from mesoflow.simulator.strategies.selection import Circumstances
from mesoflow.simulator.world.contracts import multiplier_of, option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import bad
from mesoflow.simulator.world.plans import AdjustmentOf, Plans
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.strategies import Strategies

UPDATE_VARS = "UpdateVars"
CONSTRAINTS = ("FullyUnique", "UniqueInPosition", "None")
_DAY = timedelta(days=1)


class Adjustments:
    """The adjustments that strategies define, of a world's positions."""

    def __init__(self, core: Core, strategies: Strategies, positions: Positions, plans: Plans) -> None:
        self._core, self._strategies = core, strategies
        self._positions, self._plans = positions, plans

    def admit(self, args: PreparePositionAdjustmentArgs) -> None:
        """What can be judged without the market. Raises Refused."""
        position = self._positions.get(args.position_id)
        if position.state == LivePositionState.CLOSED:
            raise bad("Closed", f"position {position.id} is closed")
        if args.leg_selection_constraint is not None:
            require_constraint(str(args.leg_selection_constraint))
        self._defined(position, args)

    def _defined(self, position: LivePosition, args: PreparePositionAdjustmentArgs) -> Definition:
        """The definition, which has the operation under the key, letter for letter. Raises Refused."""
        definition = self._strategies.definition(position.live_strategy_id)
        operation = str(args.operation)
        if operation not in OPERATIONS:
            raise bad("Operation", f"there is no operation {operation}: {', '.join(OPERATIONS)}")
        under = definition.adjustments.get(args.condition)
        if under is None:
            known = ", ".join(map(repr, definition.adjustments)) or "none"
            raise bad(
                "NoSuchCondition",
                f"strategy {position.live_strategy_id} has no adjustment {args.condition!r}; it has {known}",
            )
        if operation not in under:
            raise bad(
                "NoSuchCondition", f"adjustment {args.condition!r} has {', '.join(under)}, no {operation}"
            )
        return definition

    # --- only inside a change --------------------------------------------------------------------------------------

    def plan(self, args: PreparePositionAdjustmentArgs, at: datetime, account: Names) -> int:
        """The exec plan. `account`: what the language knows beside the position. Raises Refused, Impossible."""
        position = self._positions.get(args.position_id)
        definition, operation = self._defined(position, args), str(args.operation)
        legs = self._positions.legs(position.id, open_only=True)
        if not legs:
            raise bad("Closed", f"position {position.id} holds nothing any more")
        variables = self._positions.variables(position.id, at)
        constraint = str(args.leg_selection_constraint or CONSTRAINTS[0])
        around = Circumstances(
            today=self._core.market.calendar.local_date(at),
            names=ChainMap(
                {
                    "days_in_trade": (at - position.created_at) / _DAY,
                    **{name: float(value) for name, value in variables.items()},
                },
                cast("MutableMapping[str, int | float | None]", account),
            ),
            used=self._positions.used() if constraint == "FullyUnique" else frozenset(),
            unique_in_position=constraint != "None",
        )
        found = adjusted(
            definition,
            args.condition,
            operation,
            self._core.market.at(at),
            around,
            self._core.lua,
            self._holds(position, legs, definition, at),
        )
        of = AdjustmentOf(position, operation, args.condition, legs, variables)
        result = self._plans.add_adjustment(of, found, at)
        if operation == UPDATE_VARS:
            self._plans.executed(result.exec_plan_id, at)
            self._positions.define(position.id, found.variables, {})
        return result.exec_plan_id

    def _holds(
        self, position: LivePosition, legs: list[LiveLeg], definition: Definition, at: datetime
    ) -> Holds:
        ever = self._positions.legs(position.id)
        realized = sum((realized_of(leg) for leg in ever), Decimal(0))
        days = self._positions.expirations(position.id)
        return Holds(
            legs=tuple(market_leg(self._core.market, leg, definition.leg_names, at) for leg in legs),
            names=frozenset(leg.name for leg in ever),
            realized=float(realized),
            expirations={alias: date.fromisoformat(day) for alias, day in days.items()},
        )


def market_leg(market: Market, leg: LiveLeg, roles: Collection[str], at: datetime) -> MarketLeg:
    """An open leg with its market. Raises Refused."""
    option, snapshot = option_of(leg.live_contract), market.at(at)
    quote = snapshot.quote(option)
    if quote is None:
        raise bad("Quotes", f"leg {leg.name}: {option} has no quotes")
    earned = None
    if quote.mark is not None:
        earned = float((quote.mark - leg.avg_entry_price) * leg.qty * multiplier_of(option.underlying))
    return MarketLeg(
        name=leg.name,
        role=role_of(leg.name, roles),
        option=option,
        qty=leg.qty,
        group=leg.leg_group_id,
        dte=(option.expiration - market.calendar.local_date(at)).days,
        quote=quote,
        greeks=snapshot.greeks(option),
        pnl=earned,
        days=(at - leg.created_at) / _DAY,
    )


def require_constraint(constraint: str) -> None:
    if constraint not in CONSTRAINTS:
        raise bad("LegSelectionConstraint", f"there is no constraint {constraint}")
