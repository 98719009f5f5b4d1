"""position.exit: prepared and worked as one step, done when the position is closed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.engine.errors import Cancelled
from tests.support.acting import Script, act, context
from tests.support.answers import (
    account,
    execution,
    exit_plan,
    held_legs,
    job,
    leg,
    legs_snapshot,
    listed,
    position,
    underlying,
)
from tests.support.desk import Desk, Fate, Played, make_plan

D = Decimal
QUOTES = {"short_put": ("97.70", "99.10"), "long_put": ("139.70", "141.60")}
WALK = {"start": "mid", "step": D("0.05"), "every": "20s", "worst": {"from_mid": D("0.30")}}
EXIT = {"position_id": 7, "price": WALK, "within": "5m"}


def desk_of(*fates: Fate, lots: int = 1, **changes: Any) -> Desk:
    """A desk at which a put calendar is held."""
    desk = Desk(
        fates=list(fates) or [Fate()],
        quotes=QUOTES,
        held={"short_put": -lots, "long_put": lots},
        **changes,
    )
    legs = {"short_put": (-lots, 6000, "put", 28), "long_put": (lots, 6000, "put", 60)}
    desk.plans[9001] = make_plan("entry", legs, QUOTES, lots=lots)
    return desk


def leave(desk: Desk, **inputs: Any) -> Played:
    return desk.play("position.exit", EXIT | inputs)


def test_a_position_is_prepared_worked_and_closed() -> None:
    played = leave(desk_of(Fate(fills=[(3, 1)])))
    assert [path for path in played.lines if "rung" not in path] == [
        "prepare/position",
        "prepare/start",
        "prepare/job",
        "account",
        "quotes",
        "open-legs",
        "ladders",
        "compare/legs",
        "compare/executions",
        "compare/closed",
        "closed",
    ]
    outputs = played.outputs
    assert (outputs["position_id"], outputs["cash"], outputs["live"]) == (7, D("4225.00"), True)
    assert (outputs["price"]["credit"], outputs["realized_pnl"]) == (D("42.25"), D(0))
    assert [one["state"] for one in outputs["orders"]] == ["filled"]


def test_not_filled_leaves_it_as_it_was() -> None:
    played = leave(desk_of())
    assert (played.code, played.desk.held, played.desk.told) == (
        "not_filled",
        {"short_put": -1, "long_put": 1},
        [],
    )


def test_with_retry_each_attempt_closes_what_is_still_open() -> None:
    desk = desk_of(
        Fate(fills=[(3, 4)]), Fate(), Fate(), Fate(), Fate(), Fate(), Fate(), Fate(fills=[(2, 6)]), lots=10
    )
    first = leave(desk)
    assert (first.code, first.error.details["groups"]) == (
        "incomplete",
        [{"id": 1, "packages": 10, "filled": 4}],
    )
    second = leave(desk)
    assert second.outputs["position_id"] == 7
    assert [int(order.row["qty"]) for order in desk.orders][-1] == 6
    assert not any(desk.held.values())


def test_a_closed_position_has_nothing_to_trade() -> None:
    desk = desk_of()
    desk.held.clear()
    assert leave(desk).code == "nothing_to_trade"


def test_a_cancelled_run_says_what_filled() -> None:
    played = leave(desk_of(Fate(fills=[(3, 4)]), lots=10, cancel_at=8.0))
    assert isinstance(played.error, Cancelled)
    assert (played.partial["kind"], played.partial["groups"][0]["filled"]) == ("exit", 4)
    assert all(order.over for order in played.desk.orders)


def test_a_sequence_names_legs_of_the_position() -> None:
    played = leave(desk_of(), sequence=["short_call"])
    assert (played.code, played.desk.orders) == ("bad_value", [])


@pytest.mark.parametrize("state", ["Closed"])
def test_on_paper_it_is_booked(state: str) -> None:
    gone = [leg(11, "short_put", -1, closed=True, days=28), leg(12, "long_put", 1, closed=True, days=60)]
    held = list(held_legs().values())
    script = Script().answers("GetPosition", {"position": position(7), "legs": held})
    script.answers("GetPosition", {"position": position(7, state=state), "legs": gone})
    script.answers("StartPreparePositionExit", {"job_id": "j"})
    script.answers("GetPreparePositionExitStatus", job(exit_plan()))
    script.answers("GetAccount", account()).answers("GetUnderlyingSnapshot", underlying())
    script.answers("GetLegsSnapshot", legs_snapshot())
    script.answers("ListLegs", listed("legs", *held), listed("legs", *gone))
    script.answers("ApplyPaperFills", {"position_id": 7, "exec_plan_id": 9002})
    fills = [execution(11, "short_put", 1, "98.527273"), execution(12, "long_put", -1, "140.477273")]
    script.answers("ListExecutions", listed("executions", *fills))
    acted = act("position.exit", EXIT, script, context())
    assert acted.error is None
    assert (acted.outputs["cash"], acted.outputs["live"], acted.outputs["orders"]) == (
        D("4195.00"),
        False,
        [],
    )


@settings(max_examples=80, deadline=None)
@given(
    fates=st.lists(
        st.builds(
            Fate,
            fills=st.lists(st.tuples(st.floats(0.2, 30), st.integers(1, 3)), max_size=2),
            race=st.integers(0, 2),
            cancel_s=st.sampled_from([0.2, 5.0]),
            withdrawn_after=st.sampled_from([None, None, 9.0]),
        ),
        min_size=1,
        max_size=5,
    ),
    cancel_at=st.none() | st.integers(0, 1400).map(lambda tenth: tenth / 10),
)
def test_no_exit_closes_more_than_is_held_however_often_it_is_prepared_again(
    fates: list[Fate], cancel_at: float | None
) -> None:
    desk = desk_of(*fates, lots=6, cancel_at=cancel_at)
    played = leave(desk, within="2m")
    filled, held = 0, 6
    for order in desk.orders:
        assert int(order.row["qty"]) == held  # the whole of what was left when it was prepared
        held -= int(order.row["cum_qty"])
        filled += int(order.row["cum_qty"])
    assert desk.held == {"short_put": -held, "long_put": held}
    assert all(order.over for order in desk.orders)
    told = played.partial or getattr(played.error, "details", {})
    if played.outputs is not None:
        assert held == 0
    elif "groups" in told:
        assert told["groups"] == [{"id": 1, "packages": 6, "filled": filled}]
    else:
        assert filled == 0
