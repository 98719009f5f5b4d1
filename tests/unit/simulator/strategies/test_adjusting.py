"""Adjustments evaluated against what a position holds, on the market of seed 7."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.market.market import Market
from mesoflow.simulator.shared import data
from mesoflow.simulator.strategies.adjusting import Adjusted, Holds, adjusted, free_name, role_of
from mesoflow.simulator.strategies.definition import Definition, read_definition
from mesoflow.simulator.strategies.entry import preview
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.lua import Lua
from mesoflow.simulator.strategies.selection import Circumstances, Impossible

MARKET, LUA = Market(7), Lua(7)
NOW = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
KEY = "true -- now"
AROUND = Circumstances(MARKET.calendar.local_date(NOW), {"moves": 0.0}, frozenset(), True)


def definition(under: dict[str, Any], key: str = KEY) -> Definition:
    raw = copy.deepcopy(data("strategies/103.json"))
    raw["Adjustment"]["ConditionalAdjustments"] = {key: under}
    return read_definition(raw)


def holds(**changes: Any) -> Holds:
    """The strangle as it is entered now."""
    entry = preview(read_definition(data("strategies/103.json")), MARKET.at(NOW), AROUND, LUA)
    found = Holds(entry.legs, frozenset(leg.name for leg in entry.legs), 0.0, entry.expirations)
    return replace(found, **changes)


def adjust(operation: str, action: dict[str, Any], held: Holds | None = None, key: str = KEY) -> Adjusted:
    strategy = definition({f"{operation}Adjustment": action}, key)
    return adjusted(strategy, key, operation, MARKET.at(NOW), AROUND, LUA, held or holds())


def traded(legs: tuple[MarketLeg, ...]) -> dict[str, int]:
    return {leg.name: int(leg.qty) for leg in legs}


def move(held: Holds | None = None, key: str = KEY, **more: Any) -> Adjusted:
    return adjust("MoveLeg", {"LegName": "short_call", "StrikeSelector": {"Delta": "20"}} | more, held, key)


def test_a_move_closes_the_leg_and_opens_it_elsewhere_under_a_name_of_its_own() -> None:
    found = move(VarDefines={"moves": "moves + 1", "strike": "leg_short_call_strike"})
    (new,) = found.opening
    assert (traded(found.closing), traded(found.opening)) == ({"short_call": 1}, {"short_call_2": -1})
    assert (new.role, new.group, new.option.expiration) == (
        "short_call",
        2,
        found.closing[0].option.expiration,
    )
    assert new.greeks is not None and abs(new.greeks.delta) == pytest.approx(0.20, abs=0.005)
    assert found.variables == {"moves": 1, "strike": new.option.strike}, "on the position as it will be"
    assert found.allowed


def test_a_move_goes_somewhere_else_even_where_the_leg_is_nearest() -> None:
    old = holds().legs[1]
    found = move(StrikeSelector={"StrikePrice": "leg_short_call_strike"})
    assert found.opening[0].option.strike != old.option.strike


def test_a_leg_that_was_moved_before_is_found_by_its_role() -> None:
    put, call = holds().legs
    moved = replace(call, name="short_call_2")
    found = move(holds(legs=(put, moved), names=frozenset({"short_put", "short_call", "short_call_2"})))
    assert (traded(found.closing), traded(found.opening)) == ({"short_call_2": 1}, {"short_call_3": -1})


def test_a_move_to_an_expiration_of_its_own() -> None:
    found = move(ExpirationName="near", Expirations=[{"Name": "near", "DTE": "30"}])
    assert found.expirations == {"near": found.opening[0].option.expiration}
    assert found.opening[0].dte == 29


def test_a_move_within_the_positions_own_alias() -> None:
    held = holds()
    assert move(held, ExpirationName="term").opening[0].option.expiration == held.expirations["term"]


def test_legs_are_removed_as_far_as_they_are_there() -> None:
    put, call = holds().legs
    action = {"LegNames": ["short_call", "short_put"], "VarDefines": {"left": "pos_delta"}}
    both = adjust("RemoveLegs", action)
    assert (traded(both.closing), both.variables) == ({"short_put": 1, "short_call": 1}, {"left": 0})
    assert traded(adjust("RemoveLegs", action, holds(legs=(put,))).closing) == {"short_put": 1}
    with pytest.raises(Impossible) as caught:
        adjust("RemoveLegs", {"LegNames": ["short_put"]}, holds(legs=(call,)))
    assert str(caught.value) == "the position holds none of short_put"


def hedge(**more: Any) -> dict[str, Any]:
    leg = {"Name": "hedge", "Qty": "3", "OptionType": "Put", "ExpirationName": "term", "LegGroupId": "9"}
    return {"Legs": [leg | {"StrikeSelector": {"Delta": "4"}}]} | more


def test_legs_are_added_beside_those_that_are_held() -> None:
    found = adjust("AddLegs", hedge(AbortConditions=["pos_vega > 0"]))
    assert (traded(found.opening), found.opening[0].group, found.closing) == ({"hedge": 3}, 9, ())
    assert found.allowed
    dropped = adjust("AddLegs", hedge(AbortConditions=["leg_hedge_qty == 3", "nothing"]))
    assert [one.result for one in dropped.abort_conditions] == [True, None]
    assert not dropped.allowed


def test_a_leg_is_not_added_twice() -> None:
    again = replace(adjust("AddLegs", hedge()).opening[0])
    with pytest.raises(Impossible) as caught:
        adjust("AddLegs", hedge(), holds(legs=(*holds().legs, again)))
    assert str(caught.value) == "leg 'hedge' is held already"


@pytest.mark.parametrize(("key", "result"), [("pos_delta > 50", False), ("unheard_of > 1", None)])
def test_a_key_that_is_not_true_allows_nothing_but_new_variables(key: str, result: bool | None) -> None:
    found = move(key=key)
    assert (found.condition.result, found.allowed) == (result, False)
    update = adjust("UpdateVars", {"VarDefines": {"half": "pos_pnl / 2"}}, holds(realized=-30.0), key)
    assert (update.allowed, update.variables) == (True, {"half": -15})


def test_what_a_position_has_earned_and_how_long_it_is_there_are_known() -> None:
    put, call = holds().legs
    legs = (replace(put, pnl=120.0, days=2.0), replace(call, pnl=-20.0, days=2.0))
    sums = {"sum": "pos_pnl", "put": "leg_short_put_pnl", "days": "leg_short_put_dit"}
    found = adjust("UpdateVars", {"VarDefines": sums}, holds(legs=legs, realized=5.0))
    assert found.variables == {"sum": 105, "put": 120, "days": 2}


def test_an_expiration_that_is_gone_is_told() -> None:
    later = NOW + timedelta(days=200)
    strategy = definition({"MoveLegAdjustment": {"LegName": "short_call", "StrikeSelector": {"Delta": "20"}}})
    around = replace(AROUND, today=MARKET.calendar.local_date(later))
    with pytest.raises(Impossible) as caught:
        adjusted(strategy, KEY, "MoveLeg", MARKET.at(later), around, LUA, holds())
    assert str(caught.value) == "SPXW 2025-06-20 is not listed any more"


@given(st.sets(st.sampled_from(["a", "a_2", "a_3", "b", "b_2"])), st.sampled_from(["a", "b"]))
def test_a_free_name_is_free_and_leads_back_to_its_role(taken: set[str], role: str) -> None:
    name = free_name(role, taken, {"a", "b"})
    assert name not in taken
    assert role_of(name, {"a", "b"}) == role


def test_a_leg_of_the_definition_is_never_taken_for_a_moved_one() -> None:
    assert role_of("short_2", {"short", "short_2"}) == "short_2"
    assert free_name("short", {"short"}, {"short", "short_2"}) == "short_3"
    assert role_of("stranger_2", {"short"}) == "stranger_2"
