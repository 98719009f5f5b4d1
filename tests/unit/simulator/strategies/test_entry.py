"""Entries evaluated against the market of seed 7."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.shared import data
from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.entry import Preview, preview
from mesoflow.simulator.strategies.lua import Lua
from mesoflow.simulator.strategies.selection import Circumstances, Impossible

MARKET, LUA = Market(7), Lua(7)
THURSDAY = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
FRIDAY = datetime(2025, 1, 17, 20, 45, tzinfo=UTC)
NAMES: dict[str, float | None] = {"nav": 250000.0, "initial_cash": 100000.0, "profit_target": None}


def template(id: int = 101) -> dict[str, Any]:
    return copy.deepcopy(data(f"strategies/{id}.json"))  # type: ignore[no-any-return]


def enter(
    raw: dict[str, Any],
    at: datetime = THURSDAY,
    *,
    used: frozenset[Option] = frozenset(),
    unique: bool = True,
    more: dict[str, float | None] | None = None,
) -> Preview:
    around = Circumstances(MARKET.calendar.local_date(at), {**NAMES, **(more or {})}, used, unique)
    return preview(read_definition(raw), MARKET.at(at), around, LUA)


def chosen(found: Preview) -> list[str]:
    return [f"{leg.name} {leg.qty} {leg.option}" for leg in found.legs]


def test_the_calendar_sells_the_near_put_and_buys_the_same_strike_later() -> None:
    found = enter(template())
    near, far = found.legs
    assert (near.dte, far.dte) == (29, 57)
    assert near.option.strike == far.option.strike
    assert near.greeks is not None and abs(near.greeks.delta) == pytest.approx(0.45, abs=0.01)
    assert found.variables["initial_debit"] == far.quote.mark - near.quote.mark  # type: ignore[operator]
    assert found.variables["profit_target"] == found.variables["initial_debit"] * 20
    assert {name: str(found.variables[name]) for name in ("max_days_in_trade", "expiration_back_dte")} == {
        "max_days_in_trade": "23",
        "expiration_back_dte": "57",
    }
    assert [condition.result for condition in (*found.conditions, *found.abort_conditions)] == [True, False]
    assert found.allowed


def test_the_strangle_sells_ten_deltas_over_the_weekend() -> None:
    found = enter(template(102), FRIDAY)
    assert [leg.dte for leg in found.legs] == [4, 4], "Monday is a holiday"
    assert [leg.group for leg in found.legs] == [1, 2]
    for leg in found.legs:
        assert leg.greeks is not None and abs(leg.greeks.delta) == pytest.approx(0.10, abs=0.01)
    assert found.allowed, "no conditions: always"


def test_without_a_fitting_expiration_there_is_no_entry() -> None:
    with pytest.raises(Impossible) as caught:
        enter(template(102), THURSDAY)
    assert str(caught.value) == "expiration 'weekend': none is listed for DTE 3 from 3 to 4"


def test_without_a_fitting_delta_there_is_no_entry() -> None:
    raw = template()
    raw["Structure"]["Legs"][0]["StrikeSelector"] = {"Delta": "45", "Min": "45", "Max": "45.0000001"}
    with pytest.raises(
        Impossible, match=r"^leg 'short_put': no free contract of SPXW 2025-02-14 has Delta 45"
    ):
        enter(raw)


def test_roots_are_ranked_as_the_definition_says() -> None:
    raw = template()
    raw["Structure"]["Expirations"][0] |= {
        "DTE": "36",
        "Min": None,
        "Max": None,
        "Roots": {"Include": ["SPX", "SPXW"]},
    }
    assert next(str(leg.option)[:14] for leg in enter(raw).legs) == "SPX 2025-02-21"
    raw["Structure"]["Expirations"][0]["Roots"] = None
    assert next(str(leg.option)[:15] for leg in enter(raw).legs) == "SPXW 2025-02-21"
    raw["Structure"]["Expirations"][0]["Roots"] = {"Exclude": ["SPXW"]}
    assert next(str(leg.option)[:14] for leg in enter(raw).legs) == "SPX 2025-02-21"


def test_a_used_contract_gives_way_to_the_next() -> None:
    first = enter(template())
    taken = first.legs[0].option
    second = enter(template(), used=frozenset({taken}))
    assert second.legs[0].option != taken
    assert abs(second.legs[0].option.strike - taken.strike) == 5


def test_legs_of_one_position_share_nothing_unless_allowed() -> None:
    raw = template()
    raw["Structure"]["Expirations"][1] |= {"DTE": "30", "Min": None, "Max": None}
    apart, shared = enter(raw), enter(raw, unique=False)
    assert apart.legs[0].option != apart.legs[1].option
    assert shared.legs[0].option == shared.legs[1].option


def test_quantities_contain_the_multiplier() -> None:
    raw = template()
    raw["Entry"]["QtyMultiplier"] = "floor(max(1, nav / initial_cash))"
    raw["Structure"]["Legs"][0]["Qty"] = "-2"
    found = enter(raw)
    assert found.qty_multiplier == 2
    assert [leg.qty for leg in found.legs] == [Decimal(-4), Decimal(2)]
    single = enter(raw | {"Entry": raw["Entry"] | {"QtyMultiplier": "1"}})
    assert found.variables["initial_theta"] == pytest.approx(
        single.variables["initial_theta"] * 2, rel=Decimal("1e-6")
    )


def test_one_true_condition_lets_go_and_one_true_abort_drops() -> None:
    raw = template()
    raw["Entry"] |= {"Conditions": ["pos_theta < 0", "leg_short_put_price > 1"], "AbortConditions": []}
    assert enter(raw).allowed
    raw["Entry"]["Conditions"] = ["pos_theta < 0"]
    assert not enter(raw).allowed
    raw["Entry"] |= {"Conditions": [], "AbortConditions": ["pos_theta < 0", "initial_debit > 1"]}
    assert not enter(raw).allowed


def test_a_condition_that_cannot_be_evaluated_lets_nothing_go() -> None:
    raw = template()
    raw["Entry"] |= {"Conditions": [], "AbortConditions": ["minutes_after_close == 1"]}
    found = enter(raw)
    assert [(c.result, c.error) for c in found.abort_conditions] == [
        (None, "'minutes_after_close': it is not in this version: v3 has timing.minutes_after_open")
    ]
    assert not found.allowed


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"Qty": "0.5"}, "Qty of leg 'short_put' came to 0.5: contracts are whole"),
        ({"Qty": "-1e9"}, "Qty of leg 'short_put' came to -1e+09, more than 1000000"),
        ({"Qty": "pos_nothing"}, "'pos_nothing': there is no 'pos_nothing' here"),
        ({"LegGroupId": "1.5"}, "LegGroupId of leg 'short_put' came to 1.5: contracts are whole"),
        (
            {"StrikeSelector": {"Delta": "-45"}},
            "leg 'short_put': Delta came to -45; it is given without a sign",
        ),
    ],
)
def test_what_cannot_be_done_is_said(change: dict[str, Any], error: str) -> None:
    raw = template()
    raw["Structure"]["Legs"][0] |= change
    with pytest.raises(Impossible) as caught:
        enter(raw)
    assert str(caught.value) == error


@pytest.mark.parametrize("selector", ["BidPrice", "AskPrice", "MidPrice"])
def test_a_contract_is_chosen_by_its_price(selector: str) -> None:
    raw = template()
    raw["Structure"]["Legs"][0]["StrikeSelector"] = {selector: "20", "Min": "15", "Max": "25"}
    quote = enter(raw).legs[0].quote
    price = {"BidPrice": quote.bid, "AskPrice": quote.ask, "MidPrice": quote.mark}[selector]
    assert price is not None and abs(price - 20) < 1


def test_a_contract_is_chosen_by_a_statement_among_those_that_hold_its_constraints() -> None:
    """The put whose theta is nearest to 100 dollars a day, among the strikes below 5,700."""
    raw = template()
    raw["Structure"]["Legs"][0]["StrikeSelector"] = {
        "Complex": {
            "Statement": "abs(leg_short_put_theta)",
            "Target": "100",
            "Constraints": ["leg_short_put_strike < 5700"],
        }
    }
    leg = enter(raw).legs[0]
    assert leg.option.strike < 5700
    assert leg.greeks is not None and abs(leg.greeks.theta) * 100 == pytest.approx(100, rel=0.1)


def test_the_iron_condor_is_one_package_with_its_wings_25_points_out() -> None:
    found = enter(template(104), datetime(2025, 1, 17, 15, 0, tzinfo=UTC))
    strikes = {leg.name: leg.option.strike for leg in found.legs}
    assert strikes["short_put"] - strikes["long_put"] == strikes["long_call"] - strikes["short_call"] == 25
    assert {leg.group for leg in found.legs} == {1} and {leg.dte for leg in found.legs} == {0}
    assert found.variables["credit"] > 0 and found.allowed


@pytest.mark.parametrize(("id", "groups"), [(105, [1, 1, 1]), (106, [1, 1, 2, 2])])
def test_net_zero_in_one_package_and_split(id: int, groups: list[int]) -> None:
    found = enter(template(id))
    assert [leg.group for leg in found.legs] == groups
    assert sum(leg.qty for leg in found.legs) == 0
    upper, lower = found.legs[0].option.strike, found.legs[-1 if id == 105 else 2].option.strike
    assert upper > lower
    assert "initial_shorts_delta" in found.variables


@pytest.mark.parametrize(("rank", "allowed"), [(60.0, True), (60.1, False), (None, False)])
def test_the_boxcar_sells_ten_spreads_for_one_at_the_money(rank: float | None, allowed: bool) -> None:
    found = enter(
        template(107), more={"underlying_price": MARKET.at(THURSDAY).spot, "underlying_iv_rank": rank}
    )
    legs = {leg.name: leg for leg in found.legs}
    assert {name: int(leg.qty) for name, leg in legs.items()} == {
        "pcs_short": -10, "pcs_long": 10, "pds_long": 1, "pds_short": -1,
    }  # fmt: skip
    assert legs["pcs_short"].option.strike - legs["pcs_long"].option.strike == 25
    assert legs["pds_long"].option.strike > legs["pds_short"].option.strike > legs["pcs_short"].option.strike
    assert found.variables["credit"] > 0 and found.variables["debit"] > 0
    assert found.allowed is allowed


@pytest.mark.parametrize(("nav", "puts"), [(50_000.0, -1), (2_000_000.0, -6)])
def test_the_theta_engine_is_sized_by_its_account(nav: float, puts: int) -> None:
    (leg,) = enter(template(108), more={"nav": nav}).legs
    assert leg.quote.mark is not None and leg.greeks is not None
    assert leg.qty == -max(1, int(nav * 0.02 / float(leg.quote.mark * 100)))
    assert leg.qty == puts and abs(leg.greeks.delta) == pytest.approx(0.15, abs=0.01)


def test_an_entry_is_a_function_of_its_second() -> None:
    assert chosen(enter(template())) == chosen(enter(template(), THURSDAY.replace(microsecond=999_999)))
