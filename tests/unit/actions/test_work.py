"""What is refused before anything is sent: old plans, and what this hub does not let us say."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.acting import NOW
from tests.support.desk import Desk, Fate
from tests.support.walks import CREDIT, calendar, enter, play, spread, strangle
from tests.support.walks import QUOTES as CALENDAR_QUOTES
from tests.support.walks import WALK as CALENDAR_WALK

D = Decimal


def test_where_a_multiplier_is_not_proved_nothing_but_what_is_resolved_is_sent() -> None:
    unproven = {"hub": {"credit_sign": "negative", "qty_multiplier": "unknown"}}
    desk = Desk(quotes=CALENDAR_QUOTES, **unproven)
    desk.ctx.resolved[9001] = D(1)
    refused = desk.play("orders.work", {"exec_plan": calendar(2), "price": CALENDAR_WALK, "within": "5m"})
    assert (refused.code, refused.lines) == ("quantity_unproven", ["account"])
    played = enter(Fate(fills=[(3, 4)]), exec_plan=calendar(10), desk=unproven, if_incomplete="keep")
    assert (len(played.desk.orders), played.outputs["ended"]) == (1, "part_kept")


def test_while_the_credit_sign_is_unknown_no_credit_is_sent() -> None:
    desk = Desk(quotes=CREDIT, hub={})
    played = desk.play("orders.work", {"exec_plan": spread(), "price": CALENDAR_WALK, "within": "5m"})
    assert (played.code, desk.orders) == ("credit_sign_unknown", [])
    pays = enter(Fate(fills=[(1, 1)]), desk={"hub": {"credit_sign": "unknown", "qty_multiplier": "unknown"}})
    assert pays.outputs["ended"] == "filled"


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1)])
def test_an_old_plan_opens_nothing(late: timedelta) -> None:
    plan = strangle() | {"prepared_at": NOW - late}
    played = play(plan)
    assert (played.code, played.lines) == ("plan_too_old", [])
