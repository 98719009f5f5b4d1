"""However a run ends: orders that nobody has waited for are taken back, confirmed, and what filled is a hold."""

from mesoflow.actions.closing import close_orders
from tests.support.desk import Fate
from tests.unit.actions.test_sending import desk_of, send


def test_the_engine_takes_back_what_nobody_waits_for() -> None:
    desk = desk_of()
    send(desk)
    closed = desk.drive(close_orders(desk.ctx))
    assert closed.lines == [
        "plan-9001/group-1/stop/cancel",
        "plan-9001/group-1/stop/confirm",
        "plan-9001/group-2/stop/cancel",
        "plan-9001/group-2/stop/confirm",
        "plan-9001/compare/executions",
    ]
    assert (closed.outputs, desk.ctx.open_orders) == (None, {})
    assert all(order.row["state"] == "Cancelled" for order in desk.orders)


def test_what_filled_of_it_is_a_hold() -> None:
    desk = desk_of(Fate(fills=[(0.1, 1)]), Fate())
    send(desk)
    closed = desk.drive(close_orders(desk.ctx))
    assert closed.outputs.code == "incomplete"
    assert "the run ended before anybody waited for it" in closed.outputs.summary
    assert [tell.level for tell in desk.told] == ["page"]


def test_everything_that_filled_is_no_hold_but_a_position() -> None:
    """Both had filled before the run ended: nothing is alive and nothing is missing, but nobody has said so yet."""
    desk = desk_of(Fate(race=1))
    send(desk)
    closed = desk.drive(close_orders(desk.ctx))
    assert closed.outputs.code == "incomplete"
    assert closed.outputs.details["groups"] == [
        {"id": 1, "packages": 1, "filled": 1},
        {"id": 2, "packages": 1, "filled": 1},
    ]
