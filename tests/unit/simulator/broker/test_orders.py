"""Rows of orders, fills and the agenda keep what was written, and in its order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from mesoflow.simulator.broker.orders import Orders
from mesoflow.simulator.broker.states import Phase
from tests.support.broker_desk import BrokerDesk, mishap

D = Decimal


def test_an_order_is_read_as_it_was_written(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    desk.faults.orders += [mishap("frozen", None), mishap("fills", 3.5, packages=2)]
    plan = desk.plan(lots=3)
    id = desk.send(plan, "-40.05", order_type="StopLimit", stop_price="-41.00", qty_multiplier=2)
    orders: Orders = desk.world.broker.orders
    order = orders.get(id)
    assert order is not None
    assert (order.packages, order.limit, order.stop, order.multiplier) == (2, D("-40.05"), D("-41.00"), 2)
    assert order.ratios == {"short_put": -1, "long_put": 1, "short_call": -1, "long_call": 1}
    assert [(m.what, m.after, m.packages) for m in order.mishaps] == [
        ("frozen", None, None),
        ("fills", timedelta(seconds=3.5), 2),
    ]
    with desk.world.core.change(desk.now):
        changed = orders.put(order, phase=Phase.WORKING, arrived=desk.now, looked=desk.now, triggered=True)
    assert orders.get(id) == changed != order
    assert orders.get(id + 1) is None


def test_the_agenda_keeps_its_order_at_one_time_also_when_postponed(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    orders: Orders = desk.world.broker.orders
    early, late = desk.now + timedelta(seconds=1), desk.now + timedelta(seconds=2)
    with desk.world.core.change(desk.now):
        orders.plan(early, 1, "first")
        orders.plan(late, 1, "second", what_else="x")
        first = orders.due(early)
        assert first is not None and orders.next_due() == early
        orders.postpone(first, late)
    assert (orders.due(early), orders.next_due(), orders.planned_at(1, "first")) == (None, late, late)
    seen = []
    with desk.world.core.change(desk.now):
        while item := orders.due(late):
            seen.append((item.what, item.doc))
            orders.strike(item)
    assert seen == [("first", {}), ("second", {"what_else": "x"})]
    assert orders.next_due() is None
