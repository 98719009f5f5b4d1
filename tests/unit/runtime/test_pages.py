"""What a person reads who is called: what to look at, and how to tell mesoflow what was found."""

from dataclasses import replace
from decimal import Decimal as D

from mesoflow.runtime.pages import differing_page, late_fill_page
from mesoflow.runtime.views import OrderView
from tests.support.broker_toys import broker_order
from tests.support.toys import T0


def test_a_late_fill_says_which_order_of_what_filled_how_much():
    order = broker_order(3, 1, type("Now", (), {"now": T0}), None)
    view = OrderView(601, "walk/rung-1/send", order, "Cancelled", D(1))
    lines = late_fill_page("drill", view).splitlines()
    assert lines[0] == "order 601 had been reported Cancelled, and then filled: 1 in all"
    assert lines[1:3] == ["  account  PAPER-1", "  order    entry of exec plan 500, SPX"]
    assert lines[-3:] == [
        "  at       walk/rung-1/send",
        "look at the order and its position at the broker",
        "then mesoflow resume drill",
    ]
    assert late_fill_page("drill", replace(view, order=None)).splitlines()[1] == "  at       walk/rung-1/send"


def test_legs_that_differ_after_a_trade_name_position_or_account_to_clear():
    mark = {"summary": "the legs of position 7 are not those before", "account": "IB-1", "position_id": 7}
    assert differing_page("drill", mark).splitlines() == [
        "the legs of position 7 are not those before",
        "  account  IB-1; entries there are refused until a person has cleared it",
        "look at position 7 at the broker: mend it there, or take what it shows with",
        "  mesoflow clear 7",
        "then mesoflow resume drill",
    ]
    assert "  mesoflow clear IB-1" in differing_page("drill", {**mark, "position_id": None})
