"""Orders whose fate is hard to learn: alive until they are seen to be over."""

from decimal import Decimal

from tests.support.acting import Parked
from tests.support.desk import Fate
from tests.support.walks import enter

D = Decimal


def test_an_order_whose_cancel_is_not_confirmed_in_60_s_parks_the_run() -> None:
    """Lesson A2: nothing ever turns unknown into cancelled."""
    played = enter(Fate(cancel_s=None))
    assert isinstance(played.error, Parked)
    assert (played.code, played.seconds, played.lines[-1]) == (
        "outcome_unknown",
        80,
        "group-1/rung-1/confirm",
    )


def test_an_order_that_the_hub_does_not_show_yet_is_alive() -> None:
    played = enter(Fate(hidden_s=12, fills=[(15, 1)]))
    assert (len(played.desk.orders), played.outputs["ended"], played.asked("cancel")) == (1, "filled", [])


def test_an_order_that_the_hub_never_shows_is_asked_for_by_its_plan() -> None:
    played = enter(Fate(hidden_s=9_999), Fate(fills=[(1, 1)]))
    assert "group-1/rung-1/confirm/listed" in played.lines
    assert played.outputs["ended"] == "filled"


def test_an_order_acknowledged_without_an_id_is_found_by_its_group() -> None:
    played = enter(Fate(nameless=True, fills=[(3, 1)]))
    assert "group-1/rung-1/find" in played.lines
    assert (played.outputs["ended"], played.outputs["orders"][0]["order_id"]) == ("filled", 501)


def test_legs_that_differ_from_the_fills_park_the_run() -> None:
    played = enter(Fate(fills=[(1, 1)]), desk={"legs_lie": True})
    assert (played.code, played.lines[-1], played.seconds) == ("legs_differ", "compare/legs", 31)
