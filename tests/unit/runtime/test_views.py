"""Reads and events fold into one view an order, in whatever order, however often they come."""

from datetime import UTC, datetime
from decimal import Decimal as D
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.engine.effects import Done, Refused
from mesoflow.runtime.views import Views, filled_legs
from tests.support.broker_toys import broker_order
from tests.support.toys import T0

AT = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


class Now:
    now = T0


def order(packages=3):
    return broker_order(packages, 1, Now, None)


def read(state, filled, order_id=77, **more):
    shown = {
        "order_id": order_id,
        "state": state,
        "qty": D(3),
        "cum_qty": D(filled),
        "exec_plan_id": 500,
        **more,
    }
    return {"order": shown}


def event(state, filled, order_id=77, **more):
    return {
        "order_id": order_id,
        "state": state,
        "filled_qty": D(filled),
        "exec_plan_id": 500,
        "event_time": AT,
        **more,
    }


def sent(views, order_id=77):
    views.intended(order())
    views.settled("walk/send", order(), Done({"live_order_id": order_id}))
    return views


STEPS = [("Submitted", 0), ("PartiallyFilled", 1), ("PartiallyFilled", 2), ("Cancelled", 2)]


def test_whatever_comes_in_whatever_order_the_view_ends_the_same():
    for steps in permutations(STEPS):
        views = Views()
        for number, (state, filled) in enumerate(steps):
            views.read(read(state, filled)) if number % 2 else views.heard(event(state, filled))
        view = views.of(77)
        assert (view.state, view.filled, view.is_over) == ("Cancelled", D(2), True)


@given(
    st.lists(
        st.tuples(st.sampled_from(["Submitted", "PartiallyFilled", "Filled", "Cancelled"]), st.integers(0, 5))
    )
)
def test_a_fill_never_goes_back_and_a_terminal_state_stays(steps):
    views, before = Views(), (False, "", D(0))
    for state, filled in steps:
        views.heard(event(state, filled))
        view = views.of(77)
        assert view.filled >= before[2]
        assert view.state == before[1] or not before[0]
        before = (view.is_over, view.state, view.filled)


def test_an_answer_is_the_folded_view_in_the_hubs_shape():
    views = sent(Views())
    views.heard(event("PartiallyFilled", 2, fill_price=D("42.30")))
    answer = views.read(read("Submitted", 1))["order"]
    assert (answer["state"], answer["cum_qty"]) == ("Submitted", D(2)), "the newest state, the greatest fill"
    views.heard(event("Cancelled", 2))
    assert views.read(read("Submitted", 1))["order"]["state"] == "Cancelled"


def test_quantities_keep_the_sign_that_the_hub_gave_them():
    shown = {"order_id": 77, "state": "Filled", "qty": D(-3), "cum_qty": D(-3)}
    assert Views().read({"order": shown})["order"] == shown


def test_what_is_told_twice_is_no_news():
    views = Views()
    assert views.heard(event("Filled", 3)) is not None
    assert views.heard(event("Filled", 3)) is None


def test_events_of_others_are_not_ours():
    views = Views()
    assert not views.is_ours(event("Filled", 3))
    views.intended(order())
    assert views.is_ours(event("Filled", 3)), "an order of a plan that is being sent, before its id is known"
    assert not views.is_ours(event("Filled", 3, exec_plan_id=501))
    assert sent(Views()).is_ours(event("Filled", 3, exec_plan_id=None))
    assert not views.is_ours({"order_id": "?"})


def test_an_accepted_order_works_until_somebody_calls_it_over():
    views = sent(Views())
    assert [view.order_id for view in views.working()] == [77]
    views.heard(event("Cancelled", 0))
    assert (views.working(), [view.order_id for view in views.ours()]) == ([], [77])


def test_a_refused_order_is_none():
    views = Views()
    views.settled("walk/send", order(), Refused("rejected", "no"))
    assert list(views) == []


def test_a_fill_after_the_program_was_told_the_end_is_late_once_each():
    late = []
    views = sent(Views(lambda view: late.append(view.filled)))
    views.told(77, "Cancelled", D(1))
    assert late == []
    views.read(read("Cancelled", 2))
    views.read(read("Cancelled", 2))
    views.tell(views.heard(event("Filled", 3)))
    assert late == [D(2), D(3)]


def test_a_fill_that_came_before_the_program_is_told_is_not_late():
    late = []
    views = sent(Views(late.append))
    views.read(read("PartiallyFilled", 2))
    views.told(77, "Submitted", D(0))
    views.read(read("Cancelled", 2))
    views.told(77, "Cancelled", D(2))
    assert late == []


def test_an_order_that_was_accepted_without_an_id_is_known_by_its_plan_and_group():
    views = Views()
    views.settled("walk/send", order(), Done({"live_order_id": None}))
    assert views.nameless_plans() == [500]
    views.read(read("Submitted", 0, order_id=78, exec_plan_id=501, leg_group_id=1))
    assert views.nameless_plans() == [500]
    views.read(read("Submitted", 0, order_id=77, leg_group_id=1))
    assert (views.nameless_plans(), [view.order_id for view in views.working()]) == ([], [77])


def test_partial_fills_are_whole_multiples_of_the_ratio():
    assert filled_legs(order(3), D(2)) == {"short_put": D(-2), "long_put": D(2)}
    assert filled_legs(order(3), D(0)) == {}
