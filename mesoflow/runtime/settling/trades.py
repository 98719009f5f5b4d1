"""SendOrder and ApplyPaperFills: the record decides; without one, every condition of a resend must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Done, Place, Refused, Value
from mesoflow.runtime.settling.case import FAILED, FINISHED, Case, evidence, settled_record
from mesoflow.runtime.settling.verdicts import Human, Resend, Settle, Verdict
from mesoflow.runtime.views import filled_legs
from mesoflow.trading.orders import Order

# More legs than any position has.
PAGE = 200


async def trade(case: Case) -> Verdict:
    """SendOrder and ApplyPaperFills: the record decides; without one, every condition of a resend must hold."""
    await case.fresh_connection()
    record = await settled_record(case)
    if record is not None:
        return await by_record(case, record)
    await case.late_arrivals()
    record = await settled_record(case)
    if record is not None:
        return await by_record(case, record)
    traces = await traces_of(case)
    if traces:
        return Human("no record of the call, but the hub shows something of its exec plan", traces)
    if case.now - case.intent.at >= case.setting.facts.retention:
        return Human(
            "no record of the call, and the hub no longer keeps records as old as it",
            {"sent_at": case.intent.at},
        )
    return Resend(
        {"why": "no record over a new connection, late arrivals waited for, no trace of the exec plan"}
    )


async def by_record(case: Case, record: Mapping[str, Any]) -> Verdict:
    said = evidence(record)
    if record["status"] == FINISHED:
        if record.get("response_status") not in (None, "Success"):
            return await _proved_refused(case, record, said)
        return await _adopted(case, record, said)
    if record["status"] == FAILED:
        return await _proved_refused(case, record, said)
    return Human(f"the hub's record is still {record['status']}", said)


async def _proved_refused(case: Case, record: Mapping[str, Any], said: Mapping[str, Value]) -> Verdict:
    """Failed proves nothing by itself: hubs write it when they tire of waiting for an agent whose broker then accepts."""
    if record.get("live_order_ids"):
        return Human("the record failed and yet names orders", said)
    await case.late_acceptance()
    traces = await traces_of(case)
    if traces:
        return Human("the record failed, but the hub shows something of its exec plan", {**said, **traces})
    summary = (
        record.get("error_message")
        or record.get("response_message")
        or "the hub's record says that it failed"
    )
    return Settle(Refused("rejected", str(summary), said), said)


async def _adopted(case: Case, record: Mapping[str, Any], said: Mapping[str, Value]) -> Verdict:
    """The ids to adopt are the record's; a record of an order that names none is a human's affair."""
    if case.intent.method == "ApplyPaperFills":
        return Settle(Done(await _booked(case, record)), said)
    ids = list(record.get("live_order_ids") or [])
    if len(ids) != 1:
        return Human(f"the record says that the order was accepted, and names {ids or 'none'}", said)
    return Settle(Done({"live_order_id": ids[0]}), said)


async def _booked(case: Case, record: Mapping[str, Any]) -> dict[str, Value]:
    """A booking's answer: the record's ids, and the position that the exec plan made."""
    order = _order(case)
    positions = await case.read("ListPositions", {"live_exec_plan_id": order.exec_plan_id})
    found = positions["positions"]
    return {
        "exec_plan_id": order.exec_plan_id,
        "position_id": found[0]["id"] if found else order.position_id,
        "live_order_ids": list(record.get("live_order_ids") or []),
    }


async def traces_of(case: Case) -> dict[str, Value]:
    """What the hub shows of the exec plan that nothing of ours explains: other rungs and groups of it do not count."""
    order = _order(case)
    plan = order.exec_plan_id
    ours = {view.order_id for view in case.ours if view.order is not None and view.order.exec_plan_id == plan}
    orders = await case.pages("ListOrders", {"exec_plan_id": plan}, "orders")
    executions = await case.pages("ListExecutions", {"exec_plan_id": plan}, "executions")
    positions = await case.pages("ListPositions", {"live_exec_plan_id": plan}, "positions")
    seen: dict[str, Value] = {}
    if strange := [found["order_id"] for found in orders if found["order_id"] not in ours]:
        seen["orders"] = strange
    if odd := [found.get("id") for found in executions if found.get("live_order_id") not in ours]:
        seen["executions"] = odd
    # An exit's plan belongs to a position that was there before; only an entry's makes one, with its first fill.
    filled = any(view.filled for view in case.ours if view.order_id in ours)
    if positions and order.kind == "entry" and not filled:
        seen["positions"] = [found["id"] for found in positions]
    elif positions and filled:
        seen |= await _strange_legs(case, ours, positions)
    return seen


async def _strange_legs(
    case: Case, ours: set[int], positions: Sequence[Mapping[str, Any]]
) -> dict[str, Value]:
    """Where orders of ours have filled on an entry's plan, its position must hold exactly that."""
    order = _order(case)
    if order.kind != "entry":
        return {}
    known: dict[str, Decimal] = {}
    for view in case.ours:
        if view.order_id in ours and view.order is not None:
            for name, quantity in filled_legs(view.order, view.filled).items():
                known[name] = known.get(name, Decimal(0)) + quantity
    held: dict[str, Decimal] = {}
    for position in positions:
        legs = (await case.read("ListLegs", {"live_position_id": position["id"], "limit": PAGE}))["legs"]
        for leg in legs:
            if leg["closed_at"] is None:
                held[leg["name"]] = held.get(leg["name"], Decimal(0)) + leg["qty"]
    nothing = Decimal(0)
    if all(held.get(name, nothing) == known.get(name, nothing) for name in {*held, *known}):
        return {}
    return {"legs": held, "legs_known": known}


def _order(case: Case) -> Order:
    assert isinstance(case.effect, Place)
    return case.effect.order
