"""Several leg groups: their order, things at once, and that the first which does not fill is the last that is sent."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.engine.errors import Cancelled
from tests.support.acting import NOW
from tests.support.desk import Desk, Fate
from tests.support.walks import GROUP_QUOTES as QUOTES
from tests.support.walks import UNWIND, covered, groups, play, strangle

D = Decimal


def test_safest_opens_longs_first() -> None:
    played = play(covered())
    assert (groups(played), played.outputs["ended"]) == ([2, 1], "filled")
    assert [one["id"] for one in played.outputs["groups"]] == [2, 1]


def test_safest_closes_shorts_first() -> None:
    held = {"held": {"short_put": -1, "long_put": 1}}
    played = play(covered("exit", -1), desk=held)
    assert (groups(played), played.outputs["ended"]) == ([1, 2], "filled")


def test_ties_go_by_group_id() -> None:
    assert groups(play(strangle())) == [1, 2]


def test_named_by_one_of_its_legs() -> None:
    assert groups(play(strangle(), sequence=["short_call"])) == [2, 1]
    assert groups(play(covered(), sequence=["short_put", "long_put"])) == [1, 2]


def test_each_group_has_within_to_itself() -> None:
    played = play(strangle(), Fate(fills=[(58, 1)]), Fate(fills=[(58, 1)]), price={"start": "mid"})
    assert (played.outputs["ended"], played.seconds) == ("filled", 116)


def test_ladders_are_frozen_for_all_groups_at_decision_time() -> None:
    desk = Desk(fates=[Fate(fills=[(30, 1)]), Fate(fills=[(1, 1)])], quotes=dict(QUOTES))
    desk.at(10, lambda: desk.quotes.update(short_call=("35.00", "36.00")))
    price = {"start": "mid"}
    played = desk.play("orders.work", {"exec_plan": strangle(), "price": price, "within": "1m"})
    assert [order.row["limit_price"] for order in desk.orders] == [D("-30.50"), D("-25.50")]
    assert played.outputs["ended"] == "filled"


def test_the_first_group_that_does_not_fill_is_the_last_that_is_sent() -> None:
    played = play(covered(), Fate())
    assert (groups(played), played.code) == ([2], "not_filled")


def test_together_sends_all_at_once_one_order_a_group() -> None:
    played = play(strangle(), Fate(fills=[(5, 1)]), Fate(fills=[(7, 1)]), sequence="together")
    assert played.asked("send") == ["group-1/rung-1/send", "group-2/rung-1/send"]
    assert [order.sent for order in played.desk.orders] == [NOW, NOW]
    assert (played.outputs["ended"], played.seconds) == ("filled", 7)
    assert set(played.desk.most_alive.values()) == {1}


def test_together_a_group_that_cannot_be_filled_stops_the_others() -> None:
    played = play(strangle(), Fate(rejected={"code": "201"}), Fate(), sequence="together")
    assert played.code == "rejected"
    assert [order.row["state"] for order in played.desk.orders] == ["Rejected", "Cancelled"]
    assert played.seconds == 0.6


def test_markers_are_settled_without_an_order() -> None:
    plan = strangle()
    marker = {**plan["groups"][0], "id": 3, "legs": ["hint"], "ratio": {}, "packages": 0, "side": "even"}
    plan["groups"] = [*plan["groups"], marker]
    played = play(plan)
    assert (groups(played), [one["id"] for one in played.outputs["groups"]]) == ([1, 2], [1, 2])


def test_a_cancelled_run_stops_every_group_and_reports_each() -> None:
    played = play(
        strangle(4),
        Fate(fills=[(3, 1)]),
        Fate(fills=[(3, 2)], race=1),
        sequence="together",
        desk={"cancel_at": 10.0},
    )
    assert isinstance(played.error, Cancelled)
    assert all(order.over for order in played.desk.orders)
    assert played.partial["groups"] == [
        {"id": 1, "packages": 4, "filled": 1},
        {"id": 2, "packages": 4, "filled": 3},
    ]


def test_a_second_group_is_not_refused_for_the_time_that_the_first_took() -> None:
    played = play(
        strangle(), Fate(fills=[(290, 1)]), Fate(fills=[(290, 1)]), price={"start": "mid"}, within="6m"
    )
    assert played.outputs["ended"] == "filled"


FATES = st.lists(
    st.builds(
        Fate,
        fills=st.lists(st.tuples(st.floats(0.2, 40), st.integers(1, 3)), max_size=2),
        race=st.integers(0, 3),
        cancel_s=st.sampled_from([0.2, 2.0, 21.0]),
        rejected=st.sampled_from([None, None, None, {"code": "201"}]),
        cancelled_after=st.sampled_from([None, None, None, 11.0]),
        withdrawn_after=st.sampled_from([None, None, None, 9.0]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=120, deadline=None)
@given(
    fates=FATES,
    sequence=st.sampled_from(["safest", "together"]),
    unwinds=st.booleans(),
    cancel_at=st.none() | st.integers(0, 1400).map(lambda tenth: tenth / 10),
)
def test_whatever_happens_to_several_groups_nothing_stays_alive_and_what_filled_is_told(
    fates: list[Fate], sequence: str, unwinds: bool, cancel_at: float | None
) -> None:
    wish = UNWIND if unwinds else "hold"
    played = play(strangle(3), *fates, sequence=sequence, if_incomplete=wish, desk={"cancel_at": cancel_at})
    desk = played.desk
    assert all(order.over for order in desk.orders)
    assert set(desk.most_alive.values()) <= {1}
    entered = [order for order in desk.orders if order.kind == "entry"]
    filled = dict.fromkeys((1, 2), 0)
    for order in entered:
        filled[order.row["leg_group_id"]] += int(order.row["cum_qty"])
    assert all(count <= 3 for count in filled.values())
    told = played.outputs or played.partial or getattr(played.error, "details", {})
    if "groups" in told:
        assert {one["id"]: one["filled"] for one in told["groups"]} == filled
    else:
        assert played.error is not None and not any(filled.values())
    if played.code == "incomplete":
        assert desk.told and desk.told[-1].level == "page"
    if unwinds and played.code == "not_filled":
        assert not any(desk.held.values())
