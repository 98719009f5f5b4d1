"""After a trade: what filled, held against what MesoLive shows (C21), and the Execution that a step gives.

The hub may lag the fill, so each comparison is a watch; at the end of their time the run parks with `legs_differ`. What
such a watch answers is taken as it is: after `clear` it is the legs as the hub shows them, and later comparisons start
from those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from mesoflow.actions.base import Acting
from mesoflow.actions.contracts import MULTIPLIER
from mesoflow.actions.hub import insist
from mesoflow.actions.ready import open_quantities
from mesoflow.actions.values import ExecPlan, Execution, FilledLeg, Group, GroupFill, Price
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.contracts import ListLegsResult
from mesoflow.hubs.models.executions import ListExecutionsResult, LiveExecution
from mesoflow.hubs.models.orders import ApplyPaperFillsResult
from mesoflow.hubs.models.positions import GetPositionResult, ListPositionsResult
from mesoflow.trading.orders import Order

_W = TypeVar("_W", bound=Wire)

# How long the hub may lag a fill (EXECUTION.md §4).
COMPARE_WITHIN = timedelta(seconds=30)
# A position has a handful of legs, an exec plan a handful of executions; what does not fit on one page agrees with nothing.
_PAGE = 200
# Hubs may keep fewer decimals than the six that a split has; a cent a share is more than any rounding.
_PRICE_TOLERANCE = Decimal("0.01")
_CENT = Decimal("0.01")
_MICRO = Decimal("0.000001")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Booked:
    """An order that was accepted; `before` are the position's open legs from before it."""

    order: Order
    answer: Value
    before: Mapping[str, Decimal]

    @property
    def fills(self) -> dict[str, Decimal]:
        """Contracts by leg, signed."""
        return {leg.name: leg.quantity for leg in self.order.legs}

    @property
    def prices(self) -> dict[str, Decimal]:
        """Prices by leg."""
        return {leg.name: leg.price for leg in self.order.legs if leg.price is not None}

    @property
    def after(self) -> dict[str, Decimal]:
        """Open contracts by leg as they must be now."""
        names = self.before.keys() | self.fills.keys()
        sums = {name: self.before.get(name, _ZERO) + self.fills.get(name, _ZERO) for name in sorted(names)}
        return {name: total for name, total in sums.items() if total}


@dataclass(frozen=True, slots=True)
class Compared:
    """What the hub shows once it agrees."""

    position_id: int
    open_legs: Mapping[str, Decimal]
    executions: list[LiveExecution]


def compare(ctx: Context, plan: ExecPlan, booked: Booked) -> Acting[Compared]:
    """Position, legs and executions, each watched until it agrees; all of it within one span of time."""
    until = ctx.now + COMPARE_WITHIN
    position_id = yield from _position(plan, booked, until)
    legs = yield from _agreed(
        "legs",
        "ListLegs",
        {"live_position_id": position_id, "limit": _PAGE},
        ListLegsResult,
        "legs_agree",
        {"legs": booked.after},
        until,
        f"the legs of position {position_id} are not those before and what filled",
    )
    executions = yield from _agreed(
        "executions",
        "ListExecutions",
        {"exec_plan_id": plan.exec_plan_id, "limit": _PAGE},
        ListExecutionsResult,
        "executions_agree",
        {"fills": booked.fills, "prices": booked.prices, "tolerance": _PRICE_TOLERANCE},
        until,
        f"the executions of exec plan {plan.exec_plan_id} are not what was booked",
    )
    open_legs = open_quantities(legs.value()["legs"])
    if not open_legs:
        yield from _closed(position_id, until)
    return Compared(position_id, open_legs, executions.executions)


def _position(plan: ExecPlan, booked: Booked, until: datetime) -> Acting[int]:
    """Which position: an entry's is found by its exec plan, any other is known."""
    if plan.position_id is not None:
        return plan.position_id
    named = ApplyPaperFillsResult.read(booked.answer).position_id
    listed = yield from _agreed(
        "position",
        "ListPositions",
        {"live_exec_plan_id": plan.exec_plan_id, "limit": _PAGE},
        ListPositionsResult,
        "position_found",
        {"position_id": named},
        until,
        f"the hub shows no position of exec plan {plan.exec_plan_id}",
    )
    return named if named is not None else listed.positions[0].id


def _closed(position_id: int, until: datetime) -> Acting[GetPositionResult]:
    return (
        yield from _agreed(
            "closed",
            "GetPosition",
            {"position_id": position_id},
            GetPositionResult,
            "position_closed",
            {},
            until,
            f"position {position_id} holds nothing and is not closed",
        )
    )


def _agreed(
    name: str,
    method: str,
    args: Mapping[str, Value],
    model: type[_W],
    ready: str,
    params: Mapping[str, Value],
    until: datetime,
    summary: str,
) -> Acting[_W]:
    return (
        yield from insist(
            f"compare/{name}",
            method,
            args,
            model,
            ready=ready,
            params=params,
            until=until,
            code="legs_differ",
            summary=summary,
            overdue="park",
        )
    )


# --- what the step gives -----------------------------------------------------------------------------------------------


def execution(ctx: Context, plan: ExecPlan, booked: Booked, compared: Compared) -> Execution:
    """The Execution: prices as the hub executed, or as they were given where it does not say."""
    prices = _average_prices(booked, compared.executions)
    paid = sum((quantity * prices[name] for name, quantity in booked.fills.items()), _ZERO)
    return Execution(
        exec_plan_id=plan.exec_plan_id,
        kind=plan.kind,
        position_id=compared.position_id,
        ended="filled",
        lots=plan.lots,
        legs={
            name: FilledLeg(quantity=quantity, average_price=_tidy(prices[name]))
            for name, quantity in booked.fills.items()
        },
        groups=[_group_fill(group, booked, prices) for group in plan.groups if group.packages],
        price=Price.of(_tidy(paid / plan.lots)),
        cash=(-paid * MULTIPLIER).quantize(_CENT),
        fees=_fees(compared.executions),
        orders=[],
        live=False,
        finished_at=ctx.now,
    )


def _average_prices(booked: Booked, executions: list[LiveExecution]) -> dict[str, Decimal]:
    prices = booked.prices
    for name in prices:
        rows = [(row.qty, row.price) for row in executions if row.leg_name == name and row.qty]
        quantity = sum((qty for qty, _ in rows if qty is not None), _ZERO)
        if quantity:
            total = sum((qty * price for qty, price in rows if qty is not None), _ZERO)
            prices[name] = (total / quantity).quantize(_MICRO)
    return prices


def _group_fill(group: Group, booked: Booked, prices: Mapping[str, Decimal]) -> GroupFill:
    price = sum((contracts * prices[name] for name, contracts in group.ratio.items()), _ZERO)
    placed = next(one for one in booked.order.groups if one.id == group.id)
    return GroupFill(
        id=group.id,
        legs=list(group.ratio),
        packages=group.packages,
        filled=group.packages,
        price=Price.of(_tidy(price)),
        conceded=_tidy(price - placed.mid),
        rungs=1,
    )


def _fees(executions: list[LiveExecution]) -> Decimal | None:
    commissions = [row.commission for row in executions]
    known = [commission for commission in commissions if commission is not None]
    return sum(known, _ZERO).quantize(_CENT) if len(known) == len(commissions) else None


def _tidy(price: Decimal) -> Decimal:
    """Without zeros that only the splitting made: at least cents, at most millionths."""
    rounded = price.quantize(_MICRO)
    cents = rounded.quantize(_CENT)
    return cents if cents == rounded else rounded.normalize()
