"""One leg group's walk: each rule of EXECUTION.md §3 by its name, against a broker's desk in virtual time."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.engine.effects import Note, Refused
from mesoflow.engine.errors import Cancelled
from tests.support.acting import NOW
from tests.support.desk import Desk, Fate
from tests.support.walks import CREDIT, QUOTES, WALK, calendar, enter, limits, spread

D = Decimal


# --- filled and not filled ---------------------------------------------------------------------------------------------


def test_an_order_that_fills_is_followed_and_compared() -> None:
    played = enter(Fate(fills=[(4, 1)]))
    assert played.lines == [
        "account",
        "quotes/short_put",
        "quotes/long_put",
        "open-legs",
        "ladders",
        "group-1/rung-1/account",
        "group-1/rung-1/underlying",
        "group-1/rung-1/agent",
        "group-1/rung-1/quotes/short_put",
        "group-1/rung-1/quotes/long_put",
        "group-1/rung-1/open-legs",
        "group-1/rung-1/send",
        "group-1/rung-1/watch",
        "group-1/rung-1/watch~2",
        "compare/position",
        "compare/legs",
        "compare/executions",
    ]
    outputs = played.outputs
    assert (outputs["ended"], outputs["live"], outputs["lots"], outputs["cash"]) == (
        "filled",
        True,
        D(1),
        D("-4225.00"),
    )
    assert outputs["orders"] == [
        {
            "order_id": 501,
            "group": 1,
            "packages": 1,
            "filled": 1,
            "limit": {"debit": D("42.25"), "credit": D("-42.25")},
            "state": "filled",
            "sent_at": NOW,
        }
    ]
    assert played.desk.ctx.ledger["positions"]["7"]["legs"] == {"short_put": D(-1), "long_put": D(1)}
    assert played.desk.ctx.ledger["orders"]["501"] == {
        "account": "IB-1",
        "playbook": "quickstart",
        "kind": "entry",
        "exec_plan_id": 9001,
    }


def test_an_order_is_a_rung_of_its_walk_and_says_what_the_hub_gets() -> None:
    played = enter(Fate(fills=[(4, 1)]))
    order = played.order("group-1/rung-1/send")
    assert order.args == {
        "replaces_order": None,
        "broker_account_id": "IB-1",
        "exec_plan_id": 9001,
        "qty_multiplier": D(1),
        "leg_group_id": 1,
        "leg_group_order": {
            "order_type": "Limit",
            "time_in_force": "DAY",
            "limit_price": D("42.25"),
            "stop_price": None,
            "leg_names": None,
        },
    }
    assert (order.walk, order.target, [group.id for group in order.groups]) == ("group-1", 1, [1])
    assert [(leg.name, leg.quantity, leg.price) for leg in order.legs] == [
        ("short_put", D(-1), None),
        ("long_put", D(1), None),
    ]


def test_each_rung_is_a_step_worse_and_the_last_rests_until_within_is_over() -> None:
    played = enter(Fate())
    assert limits(played) == [D("42.25") + n * D("0.05") for n in range(7)]
    sent = [order.sent for order in played.desk.orders]
    assert [(sent[n + 1] - sent[n]).total_seconds() for n in range(6)] == [20.5] * 6
    assert (played.code, played.seconds) == ("not_filled", 300.5)
    assert all(order.row["state"] == "Cancelled" for order in played.desk.orders)
    assert played.lines[-1] == "compare/executions"


def test_one_live_order_at_a_time_always() -> None:
    played = enter(Fate(cancel_s=7.0))
    assert set(played.desk.most_alive.values()) == {1}
    confirmed = [path for path in played.lines if path.endswith(("/confirm", "/send"))]
    assert confirmed[:3] == [
        "group-1/rung-1/send",
        "group-1/rung-1/confirm",
        "group-1/rung-2/send",
    ]


def test_a_step_below_the_tick_leaves_the_order_alone() -> None:
    price = {"start": "mid", "step": D("0.02"), "every": "10s", "worst": {"from_mid": D("0.10")}}
    played = enter(Fate(), price=price, within="2m")
    assert limits(played) == [D("42.25"), D("42.30"), D("42.35")]
    sent = [(order.sent - NOW).total_seconds() for order in played.desk.orders]
    assert sent == [0, 30.5, 51.0]


def test_without_a_step_there_is_one_price() -> None:
    played = enter(Fate(), price={"start": "natural"}, within="1m")
    assert (limits(played), played.code, played.seconds) == ([D("43.90")], "not_filled", 60.5)


def test_a_credit_is_sent_negative_and_gets_smaller() -> None:
    price = {"start": "mid", "step": D("0.05"), "every": "20s", "worst": {"credit": D("0.95")}}
    desk = Desk(fates=[Fate(), Fate(fills=[(3, 1)])], quotes=CREDIT)
    played = desk.play("orders.work", {"exec_plan": spread(), "price": price, "within": "5m"})
    assert limits(played) == [D("-1.10"), D("-1.05")]
    assert (played.outputs["price"]["credit"], played.outputs["cash"]) == (D("1.10"), D("110.00"))


def test_a_hub_that_signs_credits_positive_gets_them_so() -> None:
    desk = Desk(
        fates=[Fate(fills=[(3, 1)])],
        quotes=CREDIT,
        hub={"credit_sign": "positive", "qty_multiplier": "proven"},
    )
    played = desk.play("orders.work", {"exec_plan": spread(), "price": WALK, "within": "5m"})
    assert (limits(played), played.error) == ([D("1.10")], None)
    assert played.order("group-1/rung-1/send").groups[0].limit == D("-1.10")


def test_a_walk_never_turns_from_credit_to_debit_by_itself() -> None:
    price = {"start": "mid", "step": D("0.40"), "every": "20s", "worst": {"from_mid": D(5)}}
    desk = Desk(quotes=CREDIT)
    played = desk.play("orders.work", {"exec_plan": spread(), "price": price, "within": "5m"})
    assert limits(played) == [D("-1.10"), D("-0.70"), D("-0.30"), D("0.00")]


def test_prices_are_frozen_once_and_later_quotes_only_gate() -> None:
    desk = Desk(fates=[Fate(), Fate(), Fate(fills=[(2, 1)])], quotes=dict(QUOTES))
    desk.at(10, lambda: desk.quotes.update(long_put=("149.70", "151.60")))
    played = desk.play("orders.work", {"exec_plan": calendar(), "price": WALK, "within": "5m"})
    assert limits(played) == [D("42.25"), D("42.30"), D("42.35")]
    noted = played.effects["ladders"]
    assert isinstance(noted, Note)
    assert noted.value == {
        "1": {
            "start": D("42.25"),
            "worst": D("42.55"),
            "step": D("0.05"),
            "rungs": 7,
            "near": D("40.60"),
            "mid": D("42.25"),
            "natural": D("43.90"),
        }
    }
    rails = played.order("group-1/rung-2/send").groups[0]
    assert (rails.mid, rails.limit, rails.worst) == (D("52.25"), D("42.30"), D("42.55"))


# --- partial fills and the remainder -----------------------------------------------------------------------------------


def test_partial_fills_only_update_what_is_known_and_the_remainder_is_sent_as_a_multiplier() -> None:
    """Lesson A1, yolo #108: the original size must not be sent again after a partial fill."""
    played = enter(Fate(fills=[(3, 2), (9, 2)]), Fate(fills=[(2, 6)]), exec_plan=calendar(10))
    assert [(one.row["qty"], one.row["cum_qty"], one.row["limit_price"]) for one in played.desk.orders] == [
        (D(10), D(4), D("42.25")),
        (D(6), D(6), D("42.30")),
    ]
    order = played.order("group-1/rung-2/send")
    assert (order.args["qty_multiplier"], order.target, order.groups[0].packages) == (D(6), 10, 6)
    assert [leg.quantity for leg in order.legs] == [D(-6), D(6)]
    # What filled is a position by now; the rails judge the rest as a part of it.
    assert "group-1/rung-2/position" in played.lines
    assert (played.order("group-1/rung-1/send").position_id, order.position_id) == (None, 7)
    assert (played.outputs["ended"], played.outputs["groups"][0]["filled"]) == ("filled", 10)
    assert played.outputs["groups"][0]["rungs"] == 2


def test_a_fill_that_wins_the_race_against_the_cancel_is_a_fill() -> None:
    """Lesson A1, freqtrade #11461: the cancel raced a fill, the replacement was sent, both filled."""
    played = enter(Fate(race=1))
    assert (len(played.desk.orders), played.outputs["ended"]) == (1, "filled")
    assert "group-1/rung-1/confirm" in played.lines


def test_a_refused_cancel_is_no_error_for_the_watch_tells() -> None:
    desk = Desk(quotes=QUOTES, fates=[Fate(fills=[(20.0, 1)])])
    played = desk.play("orders.work", {"exec_plan": calendar(), "price": WALK, "within": "5m"})
    assert (played.outputs["ended"], len(desk.orders)) == ("filled", 1)


def test_half_of_what_a_race_fills_leaves_the_other_half_for_the_next_rung() -> None:
    played = enter(Fate(fills=[(3, 1)], race=2), Fate(fills=[(1, 7)]), exec_plan=calendar(10))
    assert [one.row["qty"] for one in played.desk.orders] == [D(10), D(7)]
    assert played.outputs["ended"] == "filled"


def test_a_remainder_whose_legs_would_not_come_out_whole_ends_the_walk_with_what_it_has() -> None:
    thirds = calendar(3) | {"lots": D(1)}
    played = enter(Fate(fills=[(3, 1)]), exec_plan=thirds, if_incomplete="keep")
    assert (len(played.desk.orders), played.outputs["ended"], played.outputs["lots"]) == (
        1,
        "part_kept",
        D("0.333333"),
    )


# --- what is read back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "guess"),
    [
        ({"limit_price": D("1.10")}, "credit_sign"),
        ({"qty": D(2)}, "qty_multiplier"),
        ({"limit_price": D("-1.15")}, ""),
        ({"limit_price": None}, ""),
    ],
)
def test_an_order_accepted_as_another_is_taken_back_at_once(accepted: dict[str, Any], guess: str) -> None:
    desk = Desk(fates=[Fate(accepted_as=accepted)], quotes=CREDIT)
    played = desk.play("orders.work", {"exec_plan": spread(), "price": WALK, "within": "5m"})
    assert (len(desk.orders), desk.orders[0].row["state"], played.seconds) == (1, "Cancelled", 0.5)
    assert (played.code, played.error.details) == (
        "rail_refused",
        {"rule": "order_differs", "guess": guess, "order_id": 501},
    )


def test_a_doubled_order_that_fills_before_it_is_taken_back_is_no_success() -> None:
    played = enter(Fate(accepted_as={"qty": D(2)}, fills=[(0.3, 2)]))
    assert (played.code, played.error.details["groups"]) == (
        "incomplete",
        [{"id": 1, "packages": 1, "filled": 2}],
    )
    assert played.desk.told[-1].level == "page"


def test_the_side_of_a_quantity_is_the_hubs_own() -> None:
    assert enter(Fate(accepted_as={"qty": D(-1)}, fills=[(2, 1)])).error is None


# --- how a walk ends early ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "code", "summary"),
    [
        ({}, "rejected", "the broker rejected order 501"),
        (
            {"code": "201", "reason": "no margin"},
            "rejected",
            "the broker rejected order 501: no margin",
        ),
        (
            {"code": "invalid_leg_count", "reason": "three legs"},
            "combo_not_supported",
            "the broker rejected order 501: three legs",
        ),
        (
            {"code": "321", "reason": "A package of so many legs is not supported: split it."},
            "combo_not_supported",
            "the broker rejected order 501: A package of so many legs is not supported: split it.",
        ),
    ],
)
def test_a_rejection_ends_the_walk(told: dict[str, str], code: str, summary: str) -> None:
    played = enter(Fate(rejected=told))
    assert (played.code, played.error.summary) == (code, summary)
    assert played.error.details == {"order_id": 501, **told}
    assert (len(played.desk.orders), played.asked("cancel")) == (1, [])
    assert played.asked("reason") == ([] if told else ["group-1/rung-1/reason"])


def test_a_reason_that_comes_after_its_state_is_waited_for() -> None:
    desk = Desk(fates=[Fate(rejected={})], quotes=QUOTES)
    reason = {"code": "invalid_leg_count", "reason": "split it"}
    desk.at(2, lambda: desk.orders[0].row.update(rejection=reason))
    played = desk.play("orders.work", {"exec_plan": calendar(), "price": WALK, "within": "5m"})
    assert (played.code, played.seconds) == ("combo_not_supported", 2)


def test_a_hub_that_refuses_an_order_rejects_it() -> None:
    status = {"status": "BadRequest", "code": "invalid_leg_count"}
    refusals = {"group-1/rung-1/send": Refused("hub_refused", "three legs", status)}
    played = enter(desk={"refusals": refusals})
    assert (played.code, played.desk.orders) == ("combo_not_supported", [])


def test_an_order_cancelled_by_somebody_else_ends_the_walk() -> None:
    played = enter(Fate(cancelled_after=7))
    assert (len(played.desk.orders), played.seconds, played.code) == (1, 7, "not_filled")
    assert played.error.summary == "order 501 was cancelled, and not by us; the walk ends there"


def test_an_order_that_expires_with_the_day_ends_the_walk() -> None:
    played = enter(Fate(expired_after=7))
    assert (len(played.desk.orders), played.error.details["state"]) == (1, "Expired")


def test_what_a_halt_or_a_park_withdrew_goes_on_at_the_same_price() -> None:
    played = enter(
        Fate(), Fate(fills=[(2, 3)], withdrawn_after=7), Fate(fills=[(4, 7)]), exec_plan=calendar(10)
    )
    assert played.asked("send") == [
        "group-1/rung-1/send",
        "group-1/rung-2/send",
        "group-1/rung-2~2/send",
    ]
    assert [(one.row["limit_price"], one.row["qty"]) for one in played.desk.orders] == [
        (D("42.25"), D(10)),
        (D("42.30"), D(10)),
        (D("42.30"), D(7)),
    ]
    assert played.outputs["ended"] == "filled"


def test_a_withdrawn_order_does_not_go_on_past_its_time() -> None:
    played = enter(Fate(withdrawn_after=59.9), price={"start": "mid"}, within="1m")
    assert (len(played.desk.orders), played.code) == (2, "not_filled")
    assert played.seconds <= 60.5


def test_a_fill_after_a_terminal_state_is_counted_and_ends_the_walk() -> None:
    desk = Desk(quotes=QUOTES)
    desk.at(21, lambda: desk.ctx.late_fills.update({501: {"order": 501, "filled": D(2)}}))
    desk.at(21, lambda: desk.held.update(short_put=-2, long_put=2))
    desk.at(21, lambda: desk.positions.update({7: {"plan": 9001}}))
    rows = [{"leg_name": "short_put", "qty": -2}, {"leg_name": "long_put", "qty": 2}]
    full = {"price": D(1), "plan": 9001, "id": None, "live_leg_id": None, "commission": D(0)}
    desk.at(21, lambda: desk.executions.extend({**full, **row} for row in rows))
    played = desk.play("orders.work", {"exec_plan": calendar(10), "price": WALK, "within": "5m"})
    assert len(desk.orders) == 2
    assert (played.code, played.error.details["groups"][0]["filled"]) == ("incomplete", 2)


# --- cancelled from outside ----------------------------------------------------------------------------------------------


def test_a_cancelled_run_stops_its_order_confirms_it_and_says_what_filled() -> None:
    played = enter(Fate(fills=[(3, 4)], race=2), exec_plan=calendar(10), desk={"cancel_at": 10.0})
    assert isinstance(played.error, Cancelled)
    assert played.lines[-5:] == [
        "group-1/rung-1/cancel",
        "group-1/rung-1/confirm",
        "compare/position",
        "compare/legs",
        "compare/executions",
    ]
    assert (played.partial["position_id"], played.partial["legs"], played.partial["groups"]) == (
        7,
        {"short_put": D(-6), "long_put": D(6)},
        [{"id": 1, "packages": 10, "filled": 6}],
    )
    assert played.desk.told == []


def test_nothing_is_unwound_in_a_cancelled_run() -> None:
    unwind = {"unwind": {"price": {"start": "natural"}, "within": "2m"}}
    played = enter(
        Fate(fills=[(3, 4)]), exec_plan=calendar(10), if_incomplete=unwind, desk={"cancel_at": 10.0}
    )
    assert isinstance(played.error, Cancelled)
    assert (len(played.desk.orders), played.partial["groups"][0]["filled"]) == (1, 4)


def test_a_run_cancelled_before_its_first_order_sends_nothing() -> None:
    played = enter(desk={"cancel_at": 0.0})
    assert (played.desk.orders, isinstance(played.error, Cancelled)) == ([], True)


@settings(max_examples=60, deadline=None)
@given(
    at=st.floats(0, 130).map(lambda second: round(second, 1)),
    fills=st.lists(st.tuples(st.integers(1, 25), st.integers(1, 4)), max_size=3),
    race=st.integers(0, 3),
    cancel_s=st.sampled_from([0.1, 0.5, 3.0, 19.0]),
)
def test_i17_a_cancel_at_any_instant_leaves_no_order_alive_and_reports_what_filled(
    at: float, fills: list[tuple[int, int]], race: int, cancel_s: float
) -> None:
    fate = Fate(fills=[(float(second), count) for second, count in fills], race=race, cancel_s=cancel_s)
    played = enter(fate, exec_plan=calendar(10), within="2m", desk={"cancel_at": at}, if_incomplete="keep")
    desk = played.desk
    assert all(order.over for order in desk.orders)
    filled = int(sum(order.row["cum_qty"] for order in desk.orders))
    assert filled <= 10 and set(desk.most_alive.values()) <= {1}
    if isinstance(played.error, Cancelled):
        told = played.partial["groups"][0]["filled"] if played.partial else 0
    else:
        told = played.outputs["groups"][0]["filled"] if played.outputs else 0
    assert told == filled


@settings(max_examples=80, deadline=None)
@given(
    fates=st.lists(
        st.builds(
            Fate,
            fills=st.lists(st.tuples(st.floats(0.2, 30), st.integers(1, 5)), max_size=3),
            race=st.integers(0, 5),
            cancel_s=st.floats(0.1, 30),
        ),
        min_size=1,
        max_size=6,
    ),
    within=st.integers(1, 200),
)
def test_i1_i6_whatever_the_broker_does_no_package_too_many_and_no_price_beyond_worst(
    fates: list[Fate], within: int
) -> None:
    played = enter(*fates, exec_plan=calendar(10), within=f"{within}s", if_incomplete="keep")
    orders = played.desk.orders
    alive = 10
    for order in orders:
        assert abs(order.row["qty"]) <= alive
        alive -= int(order.row["cum_qty"])
    prices = limits(played)
    assert prices == sorted(prices) and all(price <= D("42.55") for price in prices)
    assert all(order.over for order in orders)
    assert set(played.desk.most_alive.values()) <= {1}
    if played.outputs is not None:
        assert played.outputs["groups"][0]["filled"] == 10 - alive
    else:
        assert (played.code, alive) == ("not_filled", 10)
