"""`account.reconcile`: our journals against MesoLive's positions, legs, orders and executions.

Not against the broker's own book, which the hub does not show. Positions that are not ours are nobody's difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Acting, Inputs, Outputs, account_of, action
from mesoflow.actions.hub import pages
from mesoflow.actions.kinds import Seconds
from mesoflow.actions.ledger import positions_of, unknowns_of
from mesoflow.actions.values import Difference
from mesoflow.engine.action import Context
from mesoflow.hubs.models.contracts import ListLegsResult, LiveLeg
from mesoflow.hubs.models.enums import LivePositionState, OrderState
from mesoflow.hubs.models.executions import ListExecutionsResult, LiveExecution
from mesoflow.hubs.models.orders import ListOrdersResult, Order
from mesoflow.hubs.models.positions import ListPositionsResult, LivePosition

_WORKING = frozenset({OrderState.PENDING, OrderState.SUBMITTED, OrderState.PARTIALLY_FILLED})


class ReconcileScope(Inputs):
    """Inputs of `account.reconcile`."""

    broker_account_id: str | None = Field(
        None, description="the account; without it the one of risk.accounts", examples=["PAPER-1"]
    )


class Reconciliation(Outputs):
    """Outputs of `account.reconcile`."""

    clean: bool = Field(description="no difference and nothing unknown", examples=[True])
    differences: list[Difference] = Field(description="on what they do not agree")
    unknowns: int = Field(description="calls of this state home whose outcome is unknown", examples=[0])
    oldest_unknown: Seconds = Field(
        description="age of the oldest of them, in seconds; 0: none", examples=[0]
    )


@action(
    "account.reconcile",
    "read",
    inputs=ReconcileScope,
    outputs=Reconciliation,
    methods=("ListPositions", "ListLegs", "ListOrders", "ListExecutions"),
)
def account_reconcile(ctx: Context, inputs: ReconcileScope) -> Acting[Reconciliation]:
    """Compare our journals with MesoLive's positions, legs, orders and executions (not with the broker's own book)."""
    account_id = account_of(ctx, inputs.broker_account_id)
    require_allowed(ctx, account_id)
    of_account = {"broker_account_id": account_id}
    positions = yield from pages("positions", "ListPositions", of_account, ListPositionsResult)
    legs = yield from pages("legs", "ListLegs", of_account, ListLegsResult)
    orders = yield from pages("orders", "ListOrders", of_account, ListOrdersResult)
    executions = yield from pages("executions", "ListExecutions", of_account, ListExecutionsResult)
    ours = positions_of(ctx, account_id)
    of_ours = [leg for page in legs for leg in page.legs if leg.live_position_id in ours]
    differences = [
        *_positions(ours, [row for page in positions for row in page.positions]),
        *_legs(ours, of_ours),
        *_orders(ours, [row for page in orders for row in page.orders]),
        *_executions(of_ours, [row for page in executions for row in page.executions]),
    ]
    unknowns = unknowns_of(ctx)
    oldest = max((ctx.now - at for at in unknowns), default=timedelta(0))
    return Reconciliation(
        clean=not differences and not unknowns,
        differences=differences,
        unknowns=len(unknowns),
        oldest_unknown=Decimal(int(oldest.total_seconds())),
    )


def _positions(ours: Mapping[int, Mapping[str, Any]], listed: list[LivePosition]) -> Iterator[Difference]:
    states = {position.id: position.state for position in listed}
    for position_id, entry in ours.items():
        holds = any(entry["legs"].values())
        state = states.get(position_id)
        if holds and state is None:
            yield _difference("missing", f"position {position_id} is not at the hub", position_id)
        elif holds != (state == LivePositionState.OPEN) and state is not None:
            expected = "open" if holds else "closed"
            yield _difference(
                "quantity", f"position {position_id} is {str(state).lower()}, not {expected}", position_id
            )


def _legs(ours: Mapping[int, Mapping[str, Any]], legs: list[LiveLeg]) -> Iterator[Difference]:
    for position_id, entry in ours.items():
        found = _held(leg for leg in legs if leg.live_position_id == position_id)
        expected = {name: quantity for name, quantity in entry["legs"].items() if quantity}
        for name in sorted(expected.keys() | found.keys()):
            wanted, has = expected.get(name, Decimal(0)), found.get(name, Decimal(0))
            if wanted != has:
                kind = "missing" if not has else "quantity" if wanted else "extra"
                yield _difference(
                    kind, f"leg {name} of position {position_id} holds {has}, not {wanted}", position_id, name
                )


def _held(legs: Iterator[LiveLeg]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for leg in legs:
        if leg.closed_at is None and leg.qty:
            held[leg.name] = held.get(leg.name, Decimal(0)) + leg.qty
    return held


def _orders(ours: Mapping[int, Mapping[str, Any]], orders: list[Order]) -> Iterator[Difference]:
    """No run works an order while a step of this action reads: what is working for one of our plans is a stray."""
    plans = {plan: position_id for position_id, entry in ours.items() for plan in entry["plans"]}
    for order in orders:
        if order.exec_plan_id in plans and order.state in _WORKING:
            position_id = plans[order.exec_plan_id]
            yield _difference(
                "order", f"order {order.order_id} of position {position_id} is working", position_id
            )


def _executions(legs: list[LiveLeg], executions: list[LiveExecution]) -> Iterator[Difference]:
    """The executions of a leg add up to what it holds; where the hub does not tell leg or quantity nothing is said."""
    if any(row.qty is None or row.live_leg_id is None for row in executions):
        return
    sums: dict[int, Decimal] = {}
    for row in executions:
        assert row.live_leg_id is not None and row.qty is not None
        sums[row.live_leg_id] = sums.get(row.live_leg_id, Decimal(0)) + row.qty
    for leg in legs:
        holds = leg.qty if leg.closed_at is None else Decimal(0)
        traded = sums.get(leg.id, Decimal(0))
        if traded != holds:
            summary = f"executions of leg {leg.name} of position {leg.live_position_id} add up to {traded}, not {holds}"
            yield _difference("execution", summary, leg.live_position_id, leg.name)


def _difference(kind: Any, summary: str, position_id: int, leg: str | None = None) -> Difference:  # noqa: ANN401
    return Difference(kind=kind, summary=summary, position_id=position_id, leg=leg)
