"""orders.send and fills.wait: sent by one step, waited for by another, and never left alive in between."""

from decimal import Decimal
from typing import Any

import pytest

from mesoflow.engine.effects import Refused
from mesoflow.engine.errors import Cancelled
from tests.support.acting import act, context
from tests.support.desk import Desk, Fate, Played, make_plan
from tests.unit.actions.test_orders import ENTRY, booked

D = Decimal
QUOTES = {"short_put": ("30.00", "31.00"), "short_call": ("25.00", "26.00")}


def strangle(lots: int = 1, kind: str = "entry") -> dict[str, Any]:
    sign = -1 if kind == "entry" else 1
    legs = {"short_put": (sign * lots, 5700, "put", 28), "short_call": (sign * lots, 6300, "call", 28)}
    return make_plan(kind, legs, QUOTES, groups={1: ["short_put"], 2: ["short_call"]}, lots=lots)


def desk_of(*fates: Fate, **changes: Any) -> Desk:
    return Desk(fates=list(fates) or [Fate()], quotes=QUOTES, **changes)


def send(desk: Desk, plan: dict[str, Any] | None = None, **inputs: Any) -> Played:
    return desk.play("orders.send", {"exec_plan": plan or strangle(), "price": {"start": "mid"}} | inputs)


def wait(desk: Desk, sent: Played, **inputs: Any) -> Played:
    return desk.play("fills.wait", {"orders": sent.outputs, "within": "1m"} | inputs)


def test_one_order_a_group_is_sent_and_the_step_goes_on() -> None:
    desk = desk_of()
    sent = send(desk)
    assert sent.asked("send", "cancel") == ["group-1/rung-1/send", "group-2/rung-1/send"]
    assert (sent.seconds, sent.outputs["live"], sent.outputs["exec_plan_id"]) == (0, True, 9001)
    assert [(one["order_id"], one["group"], one["state"]) for one in sent.outputs["orders"]] == [
        (501, 1, "working"),
        (502, 2, "working"),
    ]
    assert list(desk.ctx.open_orders) == [9001]


def test_fills_are_waited_for_side_by_side_and_compared() -> None:
    desk = desk_of(Fate(fills=[(9, 1)]), Fate(fills=[(7, 1)]))
    waited = wait(desk, send(desk))
    assert (waited.outputs["ended"], waited.seconds) == ("filled", 9)
    assert [path for path in waited.lines if "watch" in path or "compare" in path] == [
        "group-1/rung-1/watch",
        "group-2/rung-1/watch",
        "group-1/rung-1/watch~2",
        "group-2/rung-1/watch~2",
        "compare/position",
        "compare/legs",
        "compare/executions",
    ]
    assert desk.ctx.open_orders == {}


def test_out_of_time_they_are_cancelled_and_the_cancel_confirmed() -> None:
    desk = desk_of()
    waited = wait(desk, send(desk))
    assert (waited.code, waited.seconds) == ("not_filled", 60.5)
    assert all(order.row["state"] == "Cancelled" for order in desk.orders)
    assert desk.ctx.open_orders == {}


def test_a_part_is_a_hold() -> None:
    desk = desk_of(Fate(fills=[(3, 1)]), Fate())
    waited = wait(desk, send(desk))
    assert (waited.code, waited.error.details["legs"]) == ("incomplete", {"short_put": D(-1)})
    assert [tell.level for tell in desk.told] == ["page"]


def test_a_part_is_kept_or_unwound_as_in_orders_work() -> None:
    desk = desk_of(Fate(fills=[(3, 2)]))
    plan = make_plan("entry", {"short_put": (-5, 5700, "put", 28)}, QUOTES, lots=5)
    kept = wait(desk, send(desk, plan), if_incomplete="keep")
    assert (kept.outputs["ended"], kept.outputs["lots"]) == ("part_kept", D(2))
    desk = desk_of(Fate(fills=[(3, 1)]), Fate(), Fate(fills=[(1, 1)]))
    unwind = {"unwind": {"price": {"start": "natural"}, "within": "2m"}}
    back = wait(desk, send(desk), if_incomplete=unwind)
    assert (back.code, desk.held["short_put"]) == ("not_filled", 0)


def test_what_a_halt_took_back_goes_on_at_the_same_price_while_it_is_waited_for() -> None:
    desk = desk_of(Fate(withdrawn_after=5), Fate(fills=[(9, 1)]), Fate(fills=[(2, 1)]))
    waited = wait(desk, send(desk))
    assert waited.asked("send") == ["group-1/rung-1~2/send"]
    assert [order.row["limit_price"] for order in desk.orders] == [D("-30.50"), D("-25.50"), D("-30.50")]
    assert waited.outputs["ended"] == "filled"


def test_a_cancelled_wait_takes_everything_back_and_says_what_filled() -> None:
    desk = desk_of(Fate(fills=[(3, 1)]), Fate())
    sent = send(desk)
    desk.cancel_at = 10.0
    waited = wait(desk, sent)
    assert isinstance(waited.error, Cancelled)
    assert all(order.over for order in desk.orders)
    assert waited.partial["legs"] == {"short_put": D(-1)}
    assert desk.ctx.open_orders == {}


# --- sending goes wrong ------------------------------------------------------------------------------------------------


def refusals(at: str) -> dict[str, Any]:
    return {at: Refused("rail_refused", "C12 refuses", {"rules": ["C12"]})}


def test_one_that_cannot_be_sent_takes_the_others_back() -> None:
    desk = desk_of(refusals=refusals("group-2/rung-1/send"))
    sent = send(desk)
    assert (sent.code, sent.asked("cancel")) == ("rail_refused", ["group-1/stop/cancel"])
    assert (desk.orders[0].row["state"], desk.ctx.open_orders) == ("Cancelled", {})


def test_what_has_filled_by_then_is_a_hold() -> None:
    desk = desk_of(Fate(race=1), refusals=refusals("group-2/rung-1/send"))
    sent = send(desk)
    assert (sent.code, sent.error.details["last"]) == ("incomplete", "rail_refused")


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        (
            {"price": {"start": "mid", "step": D("0.1"), "every": "5s", "worst": {"from_mid": D(1)}}},
            "bad_value",
        ),
        ({"sequence": ["long_put"]}, "bad_value"),
    ],
)
def test_wishes_that_it_cannot_have(inputs: dict[str, Any], code: str) -> None:
    sent = send(desk_of(), **inputs)
    assert (sent.code, sent.lines) == (code, [])


def test_orders_that_nobody_sent_cannot_be_waited_for() -> None:
    outputs = {"exec_plan_id": 1, "orders": [], "live": True}
    acted = act("fills.wait", {"orders": outputs, "within": "1m"})
    assert (acted.code, acted.asked) == ("bad_value", [])


# --- paper ---------------------------------------------------------------------------------------------------------------


def test_on_paper_it_is_booked_at_once_and_there_is_nothing_to_wait_for() -> None:
    ctx = context()
    sent = act(
        "orders.send",
        {"exec_plan": ENTRY["exec_plan"], "price": {"start": "mid"}},
        booked(fills=[{"price": D(1)}]),
        ctx,
    )
    assert sent.outputs == {"exec_plan_id": 9001, "orders": [], "live": False}
    assert sent.asked[-4:] == [
        "fill: ApplyPaperFills",
        "compare/position: ListPositions",
        "compare/legs: ListLegs",
        "compare/executions: ListExecutions",
    ]
    waited = act("fills.wait", {"orders": sent.outputs, "within": "1m"}, None, ctx)
    assert (waited.asked, waited.outputs["ended"], waited.outputs["live"]) == ([], "filled", False)
    assert ctx.open_orders == {}
