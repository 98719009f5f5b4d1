"""One order of a walk: rails that refuse, pause or make it wait; markets that are silent; calls that did not leave."""

from datetime import timedelta
from decimal import Decimal

import pytest

from mesoflow.engine.effects import Refused
from tests.support.acting import NOW
from tests.support.desk import Desk, Fate
from tests.support.walks import QUOTES, calendar, closing, enter, leave, limits, refusal

D = Decimal


# --- rails ---------------------------------------------------------------------------------------------------------------


def test_a_rail_that_refuses_the_first_rung_is_the_error() -> None:
    played = enter(desk={"refusals": {"group-1/rung-1/send": refusal("C05")}})
    assert (played.code, played.error.details) == ("rail_refused", {"rules": ["C05"]})


def test_a_rail_that_refuses_rung_n_plus_1_ends_the_group_with_what_it_has() -> None:
    refusals = {"group-1/rung-2/send": refusal("C04")}
    kept = enter(
        Fate(fills=[(3, 4)]), exec_plan=calendar(10), if_incomplete="keep", desk={"refusals": refusals}
    )
    assert (kept.outputs["ended"], kept.outputs["groups"][0]["filled"]) == ("part_kept", 4)
    assert kept.desk.orders[0].row["state"] == "Cancelled"


@pytest.mark.parametrize("control", ["C05", "C07", "C15"])
def test_an_exit_is_paused_and_pages_once_a_pause(control: str) -> None:
    refusals = {
        "group-1/rung-1/send": refusal(control),
        "group-1/rung-1~2/send": refusal(control),
    }
    played = leave(Fate(fills=[(2, 1)]), desk={"refusals": refusals})
    assert played.asked("send") == [
        "group-1/rung-1/send",
        "group-1/rung-1~2/send",
        "group-1/rung-1~3/send",
    ]
    assert [(tell.title, tell.level) for tell in played.desk.told] == [
        ("the exit of position 7 is paused", "page")
    ]
    assert (played.outputs["ended"], played.seconds) == ("filled", 12)


def test_another_rail_ends_an_exit() -> None:
    played = leave(desk={"refusals": {"group-1/rung-1/send": refusal("C05", "C01")}})
    assert (played.code, played.desk.told) == ("rail_refused", [])


def test_above_the_minutes_number_an_order_waits_while_within_runs_on() -> None:
    until = NOW + timedelta(seconds=40)
    waits = refusal("C10", wait_until=until)
    played = enter(Fate(fills=[(2, 1)]), desk={"refusals": {"group-1/rung-1/send": waits}})
    assert played.asked("send") == ["group-1/rung-1/send", "group-1/rung-1~2/send"]
    assert played.seconds == 42
    late = enter(desk={"refusals": {"group-1/rung-1/send": waits}}, within="30s")
    assert (late.code, late.seconds, late.desk.orders) == ("not_filled", 30, [])


def test_another_runs_exit_in_the_way_is_withdrawn_and_confirmed_first() -> None:
    desk = Desk(quotes=QUOTES, held={"short_put": -1, "long_put": 1}, fates=[Fate(), Fate(fills=[(1, 1)])])
    other = leave_plan = closing()
    desk.plans[other["exec_plan_id"]] = dict(leave_plan)
    first = desk.play("orders.work", {"exec_plan": other, "price": {"start": "mid"}, "within": "10s"})
    desk.orders[0].row["state"] = "Submitted"  # another run's, and it still works
    desk.refusals["group-1/rung-1/send"] = refusal("C09", in_the_way=[501])
    desk.ctx.now = desk.now
    second = desk.play("orders.work", {"exec_plan": other, "price": {"start": "mid"}, "within": "1m"})
    assert first.code == "not_filled"
    assert [path for path in second.lines if "clear" in path or path.endswith("/send")] == [
        "group-1/rung-1/send",
        "group-1/rung-1/clear-501/cancel",
        "group-1/rung-1/clear-501/confirm",
        "group-1/rung-1~2/send",
    ]
    assert second.outputs["ended"] == "filled"


def test_what_did_not_leave_is_priced_anew_under_a_new_key() -> None:
    refusals = {"group-1/rung-1/send": Refused("not_sent", "no connection", {}, retryable=True)}
    played = enter(Fate(fills=[(2, 1)]), desk={"refusals": refusals})
    assert played.asked("send") == ["group-1/rung-1/send", "group-1/rung-1~2/send"]
    assert limits(played) == [D("42.25")]


def test_an_order_that_a_person_says_did_not_happen_is_a_price_that_filled_nothing() -> None:
    refusals = {"group-1/rung-1/send": Refused("rejected", "ada says so", {"decided_by": "ada"})}
    played = enter(Fate(fills=[(2, 1)]), desk={"refusals": refusals})
    assert played.asked("send") == ["group-1/rung-1/send", "group-1/rung-2/send"]
    assert (limits(played), played.outputs["ended"]) == ([D("42.30")], "filled")


# --- quotes ------------------------------------------------------------------------------------------------------------


def test_quotes_that_grow_stale_pause_the_walk_while_its_time_goes_on() -> None:
    played = enter(Fate(), Fate(fills=[(1, 1)]), desk={"stale": (15, 95)})
    assert [(one.sent - NOW).total_seconds() for one in played.desk.orders] == [0, 95]
    assert limits(played) == [D("42.25"), D("42.30")]
    assert played.seconds == 96


def test_quotes_that_stay_away_let_the_time_run_out() -> None:
    played = enter(Fate(), desk={"stale": (15, 900)}, within="1m")
    assert (len(played.desk.orders), played.code, played.seconds) == (1, "not_filled", 60)


def test_an_exit_that_stays_paused_says_why_when_its_time_is_over() -> None:
    names = ["group-1/rung-1/send", *(f"group-1/rung-1~{n}/send" for n in range(2, 5))]
    played = leave(desk={"refusals": {name: refusal("C07") for name in names}}, within="18s")
    assert (played.code, played.seconds, len(played.desk.told)) == ("not_filled", 18, 1)
    assert played.error.summary == "nothing of exec plan 9002 filled in time; last: C07 refuses"
    assert played.error.details == {"exec_plan_id": 9002, "last": "rail_refused"}


def test_a_leg_that_nobody_bids_for_holds_up_an_entry_and_not_the_decision_of_an_exit() -> None:
    worthless = QUOTES | {"long_put": ("0", "0.05"), "short_put": ("0.05", "0.15")}
    held = {"short_put": -1, "long_put": 1}
    desk = Desk(fates=[Fate(fills=[(1, 1)])], quotes=worthless, held=held)
    played = desk.play("orders.work", {"exec_plan": closing(), "price": {"start": "natural"}, "within": "1m"})
    assert (played.outputs["ended"], limits(played)) == ("filled", [D("0.15")])


def test_an_order_that_stays_in_the_way_once_it_is_withdrawn_ends_the_walk() -> None:
    desk = Desk(quotes=QUOTES, held={"short_put": -1, "long_put": 1})
    plan = closing()
    desk.plans[plan["exec_plan_id"]] = dict(plan)
    desk.play("orders.work", {"exec_plan": plan, "price": {"start": "mid"}, "within": "10s"})
    for name in ("group-1/rung-1/send", "group-1/rung-1~2/send"):
        desk.refusals[name] = refusal("C09", in_the_way=[501])
    second = desk.play("orders.work", {"exec_plan": plan, "price": {"start": "mid"}, "within": "1m"})
    assert (second.code, second.asked("send")) == (
        "rail_refused",
        ["group-1/rung-1/send", "group-1/rung-1~2/send"],
    )
