"""Seeded worlds with mishaps drawn for every order: once all is quiet, books, broker and ledger agree."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from mesoflow.simulator.faults import MishapKind
from tests.support.broker_desk import CONDOR, SHORT_PUT, STRANGLE, BrokerDesk, mishap

D = Decimal
ENDS = {"Filled", "Cancelled", "Rejected", "Expired"}


def disagreements(desk: BrokerDesk, orders: list[int]) -> list[str]:
    """Where MesoLive's view and the truth differ although nothing is on its way any more."""
    found, ledger = [], desk.world.ledger
    held: dict[tuple[str, str], Decimal] = {}
    for holding in desk.world.positions.held("IB-1"):
        place = ("IB-1", str(holding.option))
        held[place] = held.get(place, D(0)) + holding.qty
    if {place: qty for place, qty in sorted(held.items()) if qty} != ledger.positions():
        found.append(f"positions: {held} and {ledger.positions()}")
    cash = desk.ok("GetAccount", broker_account_id="IB-1")["Account"]["Cash"]
    if cash - 250000 != ledger.cash().get("IB-1", D(0)):
        found.append(f"cash: {cash}")
    for truth, id in zip(ledger.orders(), orders, strict=True):
        order = desk.order(id)
        if abs(order["CumQty"]) != truth.filled:
            found.append(f"order {id}: {order['CumQty']} and {truth.filled}")
        if (order["State"] in ENDS) == truth.alive:
            found.append(f"order {id}: {order['State']} and {truth.phase}")
        executed = desk.ok("ListExecutions", live_order_id=id)["Executions"]
        if sum(abs(row["Qty"]) for row in executed) != truth.filled * (4 if "condor" in truth.key else 1):
            found.append(f"order {id}: executions")
    return found


def soaked(folder: Path, seed: int) -> tuple[BrokerDesk, list[int]]:
    draw, desk = random.Random(seed), BrokerDesk(folder / str(seed), seed=seed)
    orders: list[int] = []
    for number in range(6):
        legs, name = draw.choice([(CONDOR, "condor"), (SHORT_PUT, "put"), (STRANGLE, "put")])
        for _ in range(draw.choice([0, 1, 1, 2])):
            kind = draw.choice(get_args(MishapKind))
            if kind != "record_failed":
                after = draw.choice([0.0, 0.5, 3.0, 30.0])
                packages = draw.choice([None, 1])
                desk.faults.orders.append(mishap(kind, after, packages=packages))
        if draw.random() < 0.2:
            desk.faults.agent_away(
                "IBKR", desk.now + timedelta(seconds=15), timedelta(seconds=draw.choice([5, 40]))
            )
        if draw.random() < 0.2:
            desk.faults.broker_restart("IBKR", desk.now + timedelta(seconds=20), timedelta(seconds=10))
        # Prepared from the other agent's quotes: its own may be away.
        plan = desk.plan(legs, lots=draw.choice([1, 2, 3]), data_provider="TastyTrade")
        limit = desk.price(plan, draw.choice(["0", "0.5", "0.8", "1"])).quantize(D("0.1"))
        orders.append(desk.send(plan, limit, f"{name}-{number}"))
        desk.wait(draw.choice([0.1, 1, 10, 60]))
        if draw.random() < 0.5 and desk.state(orders[-1]) not in ENDS:
            desk.cancel(orders[-1], f"cancel-{number}")
        desk.wait(draw.choice([0, 5, 30]))
    desk.wait(300)
    desk.ok("ListAccounts")
    return desk, orders


@pytest.mark.parametrize("seed", range(25))
def test_after_all_mishaps_books_broker_and_ledger_agree(tmp_path: Path, seed: int) -> None:
    desk, orders = soaked(tmp_path, seed)
    assert disagreements(desk, orders) == []


def test_a_fill_that_the_books_miss_is_seen(tmp_path: Path) -> None:
    """The mutant: a report that never comes."""
    desk, orders = soaked(tmp_path, 0)
    plan = desk.plan()
    orders.append(desk.send(plan, desk.price(plan, "1"), "condor-lost"))
    desk.until(
        lambda: bool(desk.ok("ListAccounts")) and desk.world.ledger.orders()[-1].filled == 1, every=0.01
    )
    assert desk.world.broker.orders.planned_at(orders[-1], "tell") is not None
    with desk.world.core.change(desk.now):
        desk.world.store.run("DELETE FROM agenda")
    assert len(disagreements(desk, orders)) >= 3
