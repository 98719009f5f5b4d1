"""Orders that replace others: how each kind of broker takes them, and what both have filled in the end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.broker.replacing import Replacement, replacement
from mesoflow.simulator.broker.states import Phase
from mesoflow.simulator.faults import Faults
from tests.support.broker_desk import CONDOR, BrokerDesk, mishap


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    return BrokerDesk(tmp_path / "w")


def resting(desk: BrokerDesk, plan: Any, *, filled: int = 0) -> int:
    """An order that works, of which so much has filled."""
    if filled:
        desk.faults.orders.append(mishap("fills", 1.0, packages=filled))
    id = desk.send(plan, desk.price(plan, "0"))
    wanted = "PartiallyFilled" if filled else "Submitted"
    desk.until(lambda: desk.state(id) == wanted)
    return id


def replaced(desk: BrokerDesk, plan: Any, old: int, **more: Any) -> int:
    id: int = desk.send(plan, desk.price(plan, "0.05"), "order-2", replaces_order=old, **more)
    desk.until(lambda: desk.state(id) not in ("Pending",))
    desk.wait(1)
    return id


def shown(desk: BrokerDesk, *ids: int) -> list[tuple[str, int, int]]:
    """State, quantity and cumulative fill, without their signs."""
    orders = [desk.order(id) for id in ids]
    return [(order["State"], abs(int(order["Qty"])), abs(int(order["CumQty"]))) for order in orders]


def test_the_old_one_ends_as_the_new_one_begins(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=3)
    old = resting(desk, plan)
    new = replaced(desk, plan, old)
    assert shown(desk, old, new) == [("Cancelled", 3, 0), ("Submitted", 3, 0)]
    assert desk.order(new)["LimitPrice"] == desk.price(plan, "0.05")


def test_what_has_filled_counts(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=3)
    old = resting(desk, plan, filled=1)
    new = replaced(desk, plan, old)
    assert shown(desk, old, new) == [("Cancelled", 3, 1), ("Submitted", 2, 0)]


def test_of_an_exit_too(desk: BrokerDesk) -> None:
    plan = desk.plan(lots=2)
    desk.ended(desk.send(plan, desk.price(plan, "1"), "entry"), within=600)
    leave = desk.prepare_exit(desk.position(plan)["Id"])
    old = resting(desk, leave, filled=1)
    new = replaced(desk, leave, old)
    assert shown(desk, old, new) == [("Cancelled", 2, 1), ("Submitted", 1, 0)]
    assert {abs(qty) for qty in desk.legs(plan).values()} == {1}


def test_a_fill_on_the_way_wins(desk: BrokerDesk) -> None:
    """MesoLive does not know of it yet, and the broker does."""
    plan = desk.plan()
    old = resting(desk, plan)
    desk.faults.orders.append(mishap("ack_late", 20.0))
    new = desk.send(plan, desk.price(plan, "0.05"), "order-2", replaces_order=old)
    desk.world.broker.orders.plan(desk.now, old, "fill")
    assert desk.ended(new, within=60)["State"] == "Rejected"
    assert desk.told(new)[-1] == ("Rejected", 0, "104")
    assert desk.state(old) == "Filled"


def test_a_replacement_that_overtakes_its_order_waits_for_it(desk: BrokerDesk) -> None:
    plan = desk.plan()
    desk.faults.orders.append(mishap("ack_late", 20.0))
    old = desk.send(plan, desk.price(plan, "0"))
    new = desk.send(plan, desk.price(plan, "0.05"), "order-2", replaces_order=old)
    desk.wait(10)
    assert shown(desk, old, new) == [("Pending", 1, 0), ("Pending", 1, 0)]
    desk.wait(15)
    assert shown(desk, old, new) == [("Cancelled", 1, 0), ("Submitted", 1, 0)]


def test_a_replacement_may_be_replaced(desk: BrokerDesk) -> None:
    plan = desk.plan()
    first = resting(desk, plan)
    second = replaced(desk, plan, first)
    third = desk.send(plan, desk.price(plan, "0.1"), "order-3", replaces_order=second)
    desk.until(lambda: desk.state(third) == "Submitted")
    assert [state for state, *_ in shown(desk, first, second, third)] == [
        "Cancelled",
        "Cancelled",
        "Submitted",
    ]


def test_what_the_broker_refuses_leaves_the_old_one_alone(desk: BrokerDesk) -> None:
    plan = desk.plan()
    old = resting(desk, plan)
    new = desk.send(plan, desk.price(plan, "0") + Decimal("0.01"), "order-2", replaces_order=old)
    assert desk.ended(new)["State"] == "Rejected" and desk.told(new)[-1][2] == "110", "off tick"
    assert desk.state(old) == "Submitted"


@pytest.mark.parametrize(
    ("mode", "orders"),
    [
        ("refused", [("PartiallyFilled", 4, 1), ("Rejected", 4, 0)]),
        ("cancel_then_new", [("Cancelled", 4, 2), ("Submitted", 3, 0)]),
        ("both_alive", [("PartiallyFilled", 4, 1), ("Submitted", 4, 0)]),
        ("resized", [("Cancelled", 4, 1), ("Submitted", 12, 0)]),
    ],
)
def test_how_other_brokers_take_it(tmp_path: Path, mode: Any, orders: list[tuple[str, int, int]]) -> None:
    """With all but `refused` more can fill in the end than was ever asked for."""
    desk = BrokerDesk(tmp_path / "w", faults=Faults(replace=mode))
    plan = desk.plan(CONDOR, lots=4)
    old = resting(desk, plan, filled=1)
    assert shown(desk, old, replaced(desk, plan, old)) == orders
    over = {"Cancelled", "Rejected"}
    most = sum(filled if state in over else qty for state, qty, filled in orders)
    assert (most > 4) is (mode != "refused")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"replaces_order": 1}, ("NotFound", "there is no order 1")),
        (
            {"leg_group_id": 1, "other_plan": True},
            ("ReplacesOrder", "order 7001 is of exec plan 5001, leg group 1"),
        ),
        ({"over": True}, ("OrderCancelled", "order 7001 is cancelled")),
    ],
)
def test_what_cannot_be_replaced(desk: BrokerDesk, changes: dict[str, Any], refusal: tuple[str, str]) -> None:
    plan = desk.plan()
    old = resting(desk, plan)
    if changes.pop("over", False):
        desk.cancel(old)
        desk.ended(old)
    plan = desk.plan() if changes.pop("other_plan", False) else plan
    args = desk.args(plan, desk.price(plan, "0"), "order-2", **{"replaces_order": old, **changes})
    assert desk.refused("SendOrder", **args)[1:] == refusal


def test_a_world_with_replacements_is_the_same_twice(tmp_path: Path) -> None:
    def played(folder: str) -> str:
        desk = BrokerDesk(tmp_path / folder)
        plan = desk.plan(lots=3)
        replaced(desk, plan, resting(desk, plan, filled=1))
        desk.wait(60)
        return desk.world.dump()

    assert played("a") == played("b")


@pytest.mark.parametrize(
    ("phase", "done", "found"),
    [
        (Phase.WORKING, 0, Replacement(3)),
        (Phase.FROZEN, 2, Replacement(1)),
        (Phase.WORKING, 3, Replacement(3, reason="replace_too_late")),
        (Phase.FILLED, 3, Replacement(3, reason="replace_too_late")),
        (Phase.CANCELLED, 1, Replacement(3, reason="replace_too_late")),
    ],
)
def test_in_every_phase(desk: BrokerDesk, phase: Phase, done: int, found: Replacement) -> None:
    plan = desk.plan(lots=3)
    placed = desk.world.broker.orders.get(resting(desk, plan))
    assert placed is not None
    assert replacement("atomic", placed, replace(placed, phase=phase, done=done)) == found
