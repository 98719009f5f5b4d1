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
from mesoflow.actions.values import Order as BrokerOrder
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.paths import attempt
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
class GroupTraded:
    """What traded of a leg group: `filled` of `packages`. `mid` is that of decision time, `rungs` the prices tried."""

    group: Group
    filled: int
    mid: Decimal
    rungs: int


@dataclass(frozen=True, slots=True)
class Traded:
    """What filled, as we know it. `before` are the position's open legs from before it. `by_plan` are the fills of each
    exec plan that was used: a partial fill of an exit ends one, and the next goes on. `prices` are known by leg on paper;
    at a broker they are what to assume where its executions do not say."""

    by_plan: Mapping[int, Mapping[str, Decimal]]
    prices: Mapping[str, Decimal]
    before: Mapping[str, Decimal]
    groups: tuple[GroupTraded, ...]
    position_id: int | None = None
    orders: tuple[BrokerOrder, ...] = ()
    live: bool = False

    @property
    def fills(self) -> dict[str, Decimal]:
        """Contracts by leg, signed."""
        sums: dict[str, Decimal] = {}
        for fills in self.by_plan.values():
            for name, quantity in fills.items():
                sums[name] = sums.get(name, _ZERO) + quantity
        return sums

    @property
    def after(self) -> dict[str, Decimal]:
        """Open contracts by leg as they must be now."""
        fills = self.fills
        names = self.before.keys() | fills.keys()
        sums = {name: self.before.get(name, _ZERO) + fills.get(name, _ZERO) for name in sorted(names)}
        return {name: total for name, total in sums.items() if total}

    @property
    def complete(self) -> bool:
        """Whether everything filled that was wanted."""
        return all(one.filled == one.group.packages for one in self.groups)


def traded_on_paper(order: Order, answer: Value, before: Mapping[str, Decimal], plan: ExecPlan) -> Traded:
    """A booking is all or nothing."""
    placed = {group.id: group for group in order.groups}
    return Traded(
        by_plan={order.exec_plan_id: {leg.name: leg.quantity for leg in order.legs}},
        prices={leg.name: leg.price for leg in order.legs if leg.price is not None},
        before=before,
        groups=tuple(
            GroupTraded(group, group.packages, placed[group.id].mid, 1)
            for group in plan.groups
            if group.packages
        ),
        position_id=ApplyPaperFillsResult.read(answer).position_id,
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What the hub shows once it agrees. `position_id` is None for an entry of which nothing filled."""

    position_id: int | None
    open_legs: Mapping[str, Decimal]
    executions: list[LiveExecution]
    realized: Decimal | None = None


def compare(ctx: Context, plan: ExecPlan, traded: Traded) -> Acting[Compared]:
    """Position, legs and executions, each watched until it agrees; all of it within one span of time."""
    until = ctx.now + COMPARE_WITHIN
    position_id: int | None = None
    open_legs: Mapping[str, Decimal] = {}
    if plan.position_id is not None or traded.fills:
        position_id = yield from _position(plan, traded, until)
        open_legs = yield from _legs(position_id, traded, until)
    executions: list[LiveExecution] = []
    for number, (plan_id, fills) in enumerate(traded.by_plan.items(), 1):
        executions += yield from _executions(attempt("executions", number), plan_id, fills, traded, until)
    realized = None
    if position_id is not None and not open_legs:
        closed = yield from _closed(position_id, until)
        realized = realized_pnl(closed)
    return Compared(position_id, open_legs, executions, realized)


def _legs(position_id: int, traded: Traded, until: datetime) -> Acting[dict[str, Decimal]]:
    legs = yield from _agreed(
        "legs",
        "ListLegs",
        {"live_position_id": position_id, "limit": _PAGE},
        ListLegsResult,
        "legs_agree",
        {"legs": traded.after},
        until,
        f"the legs of position {position_id} are not those before and what filled",
    )
    return open_quantities(legs.value()["legs"])


def _executions(
    name: str, plan_id: int, fills: Mapping[str, Decimal], traded: Traded, until: datetime
) -> Acting[list[LiveExecution]]:
    prices = {} if traded.live else dict(traded.prices)
    found = yield from _agreed(
        name,
        "ListExecutions",
        {"exec_plan_id": plan_id, "limit": _PAGE},
        ListExecutionsResult,
        "executions_agree",
        {"fills": dict(fills), "prices": prices, "tolerance": _PRICE_TOLERANCE},
        until,
        f"the executions of exec plan {plan_id} are not what was {'filled' if traded.live else 'booked'}",
    )
    return found.executions


def _position(plan: ExecPlan, traded: Traded, until: datetime) -> Acting[int]:
    """Which position: an entry's is found by its exec plan, any other is known."""
    if plan.position_id is not None:
        return plan.position_id
    named = traded.position_id
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


def execution(ctx: Context, plan: ExecPlan, traded: Traded, compared: Compared) -> Execution:
    """The Execution: prices as the hub executed, or as they were given where it does not say."""
    assert compared.position_id is not None, "something filled, so there is a position"
    prices = _average_prices(traded, compared.executions)
    fills = traded.fills
    paid = sum((quantity * prices[name] for name, quantity in fills.items()), _ZERO)
    lots = _lots(plan, traded)
    return Execution(
        exec_plan_id=plan.exec_plan_id,
        kind=plan.kind,
        position_id=compared.position_id,
        ended="filled" if traded.complete else "part_kept",
        lots=lots,
        legs={
            name: FilledLeg(quantity=quantity, average_price=_tidy(prices[name]))
            for name, quantity in fills.items()
        },
        groups=[_group_fill(one, prices) for one in traded.groups],
        price=Price.of(_tidy(paid / lots)),
        cash=(-paid * MULTIPLIER).quantize(_CENT),
        fees=_fees(compared.executions),
        orders=list(traded.orders),
        live=traded.live,
        finished_at=ctx.now,
    )


def _lots(plan: ExecPlan, traded: Traded) -> Decimal:
    """How often the structure was traded; a part is kept of a single group only."""
    if traded.complete:
        return plan.lots
    (one,) = (one for one in traded.groups if one.filled)
    return (plan.lots * one.filled / one.group.packages).quantize(_MICRO).normalize()


def _average_prices(traded: Traded, executions: list[LiveExecution]) -> dict[str, Decimal]:
    prices = dict(traded.prices)
    for name in traded.fills:
        rows = [(row.qty, row.price) for row in executions if row.leg_name == name and row.qty]
        quantity = sum((qty for qty, _ in rows if qty is not None), _ZERO)
        if quantity:
            total = sum((qty * price for qty, price in rows if qty is not None), _ZERO)
            prices[name] = (total / quantity).quantize(_MICRO)
    return prices


def _group_fill(one: GroupTraded, prices: Mapping[str, Decimal]) -> GroupFill:
    group = one.group
    price = None
    if one.filled:
        price = sum((contracts * prices[name] for name, contracts in group.ratio.items()), _ZERO)
    return GroupFill(
        id=group.id,
        legs=list(group.ratio),
        packages=group.packages,
        filled=one.filled,
        price=None if price is None else Price.of(_tidy(price)),
        conceded=None if price is None else _tidy(price - one.mid),
        rungs=one.rungs,
    )


def realized_pnl(found: GetPositionResult) -> Decimal:
    """The hub's figure; where it tells none, that of the legs, a figure set by hand before a tracked one."""
    block = found.position_pnls
    if block is not None and block.realized is not None:
        return block.realized
    figures = ((leg.user_set_realized_pnl, leg.tracked_realized_pnl) for leg in found.legs)
    known = (next((one for one in both if one is not None), _ZERO) for both in figures)
    return sum(known, _ZERO)


def _fees(executions: list[LiveExecution]) -> Decimal | None:
    commissions = [row.commission for row in executions]
    known = [commission for commission in commissions if commission is not None]
    return sum(known, _ZERO).quantize(_CENT) if len(known) == len(commissions) else None


def _tidy(price: Decimal) -> Decimal:
    """Without zeros that only the splitting made: at least cents, at most millionths."""
    rounded = price.quantize(_MICRO)
    cents = rounded.quantize(_CENT)
    return cents if cents == rounded else rounded.normalize()
