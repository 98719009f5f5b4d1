"""orders.cancel: ours, still working, of the kinds asked for; each confirmed."""

from decimal import Decimal
from typing import Any

from mesoflow.engine.errors import Cancelled
from tests.support.acting import Parked
from tests.support.desk import ACCOUNT, BrokerOrder, Desk, Fate, Played, make_plan

D = Decimal
QUOTES = {"short_put": ("30.00", "31.00")}
PLAN = make_plan("entry", {"short_put": (-1, 5700, "put", 28)}, QUOTES)


def desk_with(*fates: Fate, kinds: tuple[str, ...] = ("entry",), **changes: Any) -> Desk:
    """Orders of ours at the desk, sent by other runs of the home: their kinds are told by the ledger."""
    desk = Desk(fates=list(fates) or [Fate()], quotes=QUOTES, **changes)
    sender = desk.play("orders.send", {"exec_plan": PLAN, "price": {"start": "mid"}})
    template, desk.ctx.ledger["orders"] = desk.orders.pop(), {}
    assert sender.error is None
    for number, kind in enumerate(kinds, 1):
        fate = fates[min(number, len(fates)) - 1] if fates else Fate()
        row = dict(template.row, order_id=600 + number)
        desk.orders.append(BrokerOrder(row, template.legs, fate, template.sent, kind, None))
        entry = {"account": ACCOUNT, "playbook": "quickstart", "kind": kind, "exec_plan_id": 9001}
        desk.ctx.ledger["orders"][str(600 + number)] = entry
    return desk


def cancel(desk: Desk, **inputs: Any) -> Played:
    return desk.play("orders.cancel", {"of": "account"} | inputs)


def test_orders_of_ours_are_cancelled_and_confirmed_one_by_one() -> None:
    played = cancel(desk_with(kinds=("entry", "adjustment")))
    assert played.lines == [
        "orders",
        "order-601/cancel",
        "order-601/confirm",
        "order-602/cancel",
        "order-602/confirm",
    ]
    assert (played.outputs["cancelled"], played.outputs["filled_meanwhile"]) == (2, 0)
    assert [one["state"] for one in played.outputs["orders"]] == ["cancelled", "cancelled"]


def test_exits_die_only_when_they_are_named() -> None:
    desk = desk_with(kinds=("entry", "exit"))
    assert [one["order_id"] for one in cancel(desk).outputs["orders"]] == [601]
    assert [one["order_id"] for one in cancel(desk, kinds=["exit"]).outputs["orders"]] == [602]


def test_nobody_elses_orders_are_touched() -> None:
    desk = desk_with(kinds=("entry", "entry"))
    del desk.ctx.ledger["orders"]["601"]
    assert [one["order_id"] for one in cancel(desk).outputs["orders"]] == [602]
    assert desk.orders[0].row["state"] == "Submitted"


def test_of_this_playbook_means_its_runs() -> None:
    desk = desk_with(kinds=("entry", "entry"))
    desk.ctx.ledger["orders"]["601"]["playbook"] = "another"
    assert [one["order_id"] for one in cancel(desk, of="this_playbook").outputs["orders"]] == [602]


def test_a_fill_that_wins_the_race_is_reported() -> None:
    played = cancel(desk_with(Fate(race=1)))
    assert (played.outputs["cancelled"], played.outputs["filled_meanwhile"]) == (0, 1)


def test_what_is_over_is_left_alone() -> None:
    desk = desk_with()
    desk.orders[0].row["state"] = "Filled"
    played = cancel(desk)
    assert (played.lines, played.outputs["orders"]) == (["orders"], [])


def test_a_cancel_that_is_not_confirmed_parks_the_run() -> None:
    played = cancel(desk_with(Fate(cancel_s=None)), within="30s")
    assert isinstance(played.error, Parked)
    assert (played.code, played.seconds) == ("outcome_unknown", 30)


def test_a_cancelled_run_confirms_the_one_it_has_begun() -> None:
    played = cancel(desk_with(Fate(cancel_s=5.0), kinds=("entry", "entry"), cancel_at=2.0))
    assert isinstance(played.error, Cancelled)
    assert [order.row["state"] for order in played.desk.orders] == ["Cancelled", "Submitted"]


def test_an_account_outside_risk_is_refused() -> None:
    assert cancel(desk_with(), broker_account_id="TT-1").code == "account_not_allowed"
