"""Plans of several leg groups, and structures without a worst loss. One group: test_entries.py."""

from decimal import Decimal
from typing import Any

from tests.support.acting import Acted, Script, act
from tests.support.answers import entry_plan, greeks, job, leg, prices, strategy

D = Decimal


def strangle(**changes: Any) -> dict[str, Any]:
    """A short strangle: each leg an order of its own."""
    legs = {
        "short_put": leg(0, "short_put", -2, position=0, strike=5900, days=3),
        "short_call": leg(0, "short_call", -2, position=0, strike=6100, days=3, option_type="Call"),
    }
    fields = {
        "selected_legs": legs,
        "leg_groups": {"2": ["short_call"], "1": ["short_put"]},
        "leg_group_qtys": {"1": {"leg_qtys": {"short_put": D(-2)}}, "2": {"leg_qtys": {"short_call": D(-2)}}},
        "leg_prices": {"short_put": prices("9.50", "9.90"), "short_call": prices("3.90", "4.00")},
        "leg_greeks": {"short_put": greeks("20", "90"), "short_call": greeks("-18", "80")},
        "qty_multiplier": D(2),
    }
    return entry_plan(**(fields | changes))


def prepared(plan: dict[str, Any]) -> Acted:
    script = Script().answers("GetStrategy", {"strategy": strategy(201, "strangle")})
    script.answers("StartPreparePositionEntry", {"job_id": "j"})
    return act("entry.prepare", {"strategy": 201}, script.answers("GetPreparePositionEntryStatus", job(plan)))


def test_groups_are_quoted_for_one_package_and_the_whole_for_one_lot() -> None:
    outputs = prepared(strangle()).outputs
    groups = {
        one["id"]: (one["legs"], one["ratio"], one["packages"], one["side"], one["quote"]["mid"]["credit"])
        for one in outputs["groups"]
    }
    assert groups == {
        1: (["short_put"], {"short_put": -1}, 2, "credit", D("9.70")),
        2: (["short_call"], {"short_call": -1}, 2, "credit", D("3.95")),
    }
    quote = outputs["quote"]
    assert [quote[name]["credit"] for name in ("near", "mid", "natural")] == [
        D("13.90"),
        D("13.65"),
        D("13.40"),
    ]
    assert (outputs["premium"], outputs["max_loss"]) == (D("2730.00"), None)
    assert (outputs["greeks"]["delta"], outputs["greeks"]["theta"]) == (D(2), D(170))


def test_legs_that_stand_in_no_group_go_by_their_own() -> None:
    outputs = prepared(strangle(leg_groups={})).outputs
    assert [(one["id"], one["legs"]) for one in outputs["groups"]] == [(1, ["short_put", "short_call"])]


def test_quantities_that_no_group_tells_are_the_legs_own() -> None:
    outputs = prepared(strangle(leg_group_qtys={})).outputs
    assert [one["quantity"] for one in outputs["legs"].values()] == [D(-2), D(-2)]
