"""account.reconcile: our journals against the hub, one sort of difference at a time."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.acting import NOW, Script, act, context
from tests.support.answers import execution, leg, listed, order, position

LEGS = [leg(11, "short_put", -1), leg(12, "long_put", 1)]
POSITIONS = [position(7)]
EXECUTIONS = [execution(11, "short_put", -1), execution(12, "long_put", 1)]


def ledger(*unknowns: Any, **legs: int) -> dict[str, Any]:
    held = legs or {"short_put": -1, "long_put": 1}
    entry = {
        "account": "PAPER-1",
        "legs": {name: Decimal(qty) for name, qty in held.items()},
        "plans": [9001],
    }
    return {"positions": {"7": entry}, "unknowns": list(unknowns)}


def reconcile(
    known: dict[str, Any],
    *,
    positions: Any = POSITIONS,
    legs: Any = LEGS,
    orders: Any = (),
    executions: Any = EXECUTIONS,
) -> Any:
    script = Script().answers("ListPositions", listed("positions", *positions))
    script.answers("ListLegs", listed("legs", *legs)).answers("ListOrders", listed("orders", *orders))
    script.answers("ListExecutions", listed("executions", *executions))
    return act("account.reconcile", {}, script, context(ledger=known))


def test_what_agrees_is_clean() -> None:
    acted = reconcile(ledger())
    assert acted.asked == [
        "positions: ListPositions",
        "legs: ListLegs",
        "orders: ListOrders",
        "executions: ListExecutions",
    ]
    assert acted.outputs == {"clean": True, "differences": [], "unknowns": 0, "oldest_unknown": Decimal(0)}


def test_a_home_that_has_traded_nothing_has_no_differences() -> None:
    assert reconcile({}).outputs["clean"] is True


@pytest.mark.parametrize(
    ("known", "hub", "summaries"),
    [
        (
            ledger(),
            {"positions": (), "legs": (), "executions": ()},
            [
                "missing: position 7 is not at the hub",
                "missing: leg long_put of position 7 holds 0, not 1",
                "missing: leg short_put of position 7 holds 0, not -1",
            ],
        ),
        (
            ledger(),
            {
                "legs": [leg(11, "short_put", -2), LEGS[1]],
                "executions": [execution(11, "short_put", -2), EXECUTIONS[1]],
            },
            ["quantity: leg short_put of position 7 holds -2, not -1"],
        ),
        (ledger(short_put=-1), {}, ["extra: leg long_put of position 7 holds 1, not 0"]),
        (
            ledger(),
            {"positions": [position(7, state="Closed")]},
            ["quantity: position 7 is closed, not open"],
        ),
        (
            ledger(),
            {"orders": [order(51, 9001, "Submitted"), order(52, 9001, "Filled"), order(53, 8, "Submitted")]},
            ["order: order 51 of position 7 is working"],
        ),
        (
            ledger(),
            {"executions": EXECUTIONS[:1]},
            ["execution: executions of leg long_put of position 7 add up to 0, not 1"],
        ),
        (ledger(), {"executions": [execution(None, None, -1)]}, []),
        (ledger(), {"legs": [*LEGS, leg(13, "short_put", -5, position=8)]}, []),
    ],
)
def test_each_sort_of_difference(known: Any, hub: dict[str, Any], summaries: list[str]) -> None:
    outputs = reconcile(known, **hub).outputs
    assert [f"{one['kind']}: {one['summary']}" for one in outputs["differences"]] == summaries
    assert outputs["clean"] is not bool(summaries)


def test_an_unknown_is_never_clean() -> None:
    outputs = reconcile(ledger(NOW - timedelta(seconds=90), NOW - timedelta(seconds=5))).outputs
    assert (outputs["clean"], outputs["unknowns"], outputs["oldest_unknown"]) == (False, 2, Decimal(90))
