"""Shapes of real strategies, in definitions of our own: each is read, and evaluated on the market of seed 7."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.entry import Preview, preview
from mesoflow.simulator.strategies.lua import Lua
from mesoflow.simulator.strategies.selection import Circumstances
from mesoflow.simulator.world.known import Known
from mesoflow.simulator.world.world import World

AT = datetime(2025, 1, 16, 16, 0, tzinfo=UTC)
LUA = Lua(7)
# Name, quantity, right, expiration, selector.
LegOf = tuple[str, str, str, str, dict[str, Any]]


def definition(expirations: dict[str, str], legs: tuple[LegOf, ...], **entry: Any) -> dict[str, Any]:
    """Expirations: alias → DTE, with bounds after it if there are any."""
    aliases = []
    for name, text in expirations.items():
        dte, *bounds = (part.strip() for part in text.split("|"))
        least, most = bounds or (None, None)
        aliases.append({"Name": name, "DTE": dte, "Min": least, "Max": most, "Roots": None})
    rows = [
        {"Name": name, "Qty": qty, "OptionType": right, "ExpirationName": alias, "StrikeSelector": selector}
        for name, qty, right, alias, selector in legs
    ]
    return {
        "StrategyName": "shape",
        "MesoSimVersion": "3.0.0",
        "Symbol": "SPX",
        "Structure": {"Expirations": aliases, "Legs": rows},
        "Entry": entry,
        "Exit": {"ProfitTarget": entry.pop("target", None), "StopLoss": entry.pop("stop", None)},
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("shapes")
    return World(folder / "world")


def entered(world: World, raw: dict[str, Any]) -> Preview:
    found = read_definition(raw)
    known = Known(world.core, world.accounts, world.positions, "IB-1", AT, found.margin)
    around = Circumstances(world.market.calendar.local_date(AT), known, frozenset(), True)
    return preview(found, world.market.at(AT), around, LUA)


def delta(entry: Preview) -> float:
    """Of the whole, in the language's percent."""
    return sum(float(leg.qty) * leg.greeks.delta * 100 for leg in entry.legs if leg.greeks is not None)


def test_a_strangle_whose_put_balances_its_call(world: World) -> None:
    found = entered(
        world,
        definition(
            {"term": "160|140|190"},
            (
                ("short_call", "-1", "Call", "term", {"Delta": "10", "Min": 5, "Max": 15}),
                (
                    "short_put",
                    "-1",
                    "Put",
                    "term",
                    {"Delta": "-1 * leg_short_call_delta", "Min": 5, "Max": 15},
                ),
            ),
            VarDefines={"initial_theta": "pos_theta"},
            AbortConditions=["initial_theta < 1"],
            target="pos_theta * 160 * 0.5",
            stop="profit_target * 3",
        ),
    )
    assert abs(delta(found)) < 0.5 and found.allowed
    assert found.variables["stop_loss"] == pytest.approx(3 * found.variables["profit_target"])


def test_a_calendar_without_delta(world: World) -> None:
    found = entered(
        world,
        definition(
            {"front": "130|120|140", "back": "expiration_front_dte + 40"},
            (
                ("short_call", "-1", "Call", "front", {"Delta": "30", "Min": 25, "Max": 35}),
                ("long_call", "1", "Call", "back", {"Delta": "-1 * pos_delta"}),
            ),
        ),
    )
    assert abs(delta(found)) < 1.0 and found.legs[0].option.strike != found.legs[1].option.strike


def test_a_spread_by_price(world: World) -> None:
    """Five points cheaper than the long leg; the multiplier scales with the account."""
    found = entered(
        world,
        definition(
            {"term": "65|60|75"},
            (
                ("long", "2", "Call", "term", {"Delta": "48", "Min": 40, "Max": 50}),
                ("short", "-2", "Call", "term", {"MidPrice": "leg_long_price - 5"}),
            ),
            QtyMultiplier="floor(max(1, nav / initial_cash)) * 2",
            VarDefines={
                "entry_debit": "(leg_long_price - leg_short_price) * abs(leg_long_qty)",
                "max_profit": "(leg_short_strike - leg_long_strike) * abs(leg_long_qty) - entry_debit",
                "reward_risk": "max_profit / entry_debit",
            },
            AbortConditions=["leg_long_strike == leg_short_strike", "reward_risk < 0.7"],
        ),
    )
    long, short = found.legs
    assert [leg.qty for leg in found.legs] == [4, -4]
    assert long.quote.mark is not None and short.quote.mark is not None
    assert abs(long.quote.mark - short.quote.mark - 5) < 3, "strikes are five points apart"
    assert found.variables["reward_risk"] > Decimal("0.7") and found.allowed


def test_a_spread_by_search(world: World) -> None:
    found = entered(
        world,
        definition(
            {"term": "65|60|75"},
            (
                (
                    "long", "1", "Call", "term",
                    {"Complex": {
                        "Statement": "leg_long_strike", "Target": "underlying_price + 20",
                        "Constraints": ["leg_long_strike > underlying_price"],
                    }},
                ),
                (
                    "short", "-1", "Call", "term",
                    {"Complex": {
                        "Statement": "(leg_long_price - leg_short_price) / (leg_short_strike - leg_long_strike)",
                        "Target": "0.4", "Constraints": ["leg_short_strike > leg_long_strike"],
                    }},
                ),
            ),
        ),
    )  # fmt: skip
    long, short = found.legs
    assert abs(float(long.option.strike) - world.market.at(AT).spot - 20) <= 5
    assert long.quote.mark is not None and short.quote.mark is not None
    share = (long.quote.mark - short.quote.mark) / (short.option.strike - long.option.strike)
    assert share == pytest.approx(Decimal("0.4"), abs=Decimal("0.02"))


def test_a_spread_by_what_it_can_earn(world: World) -> None:
    """The model is asked of each candidate as the leg: the wing that keeps the loss at its end nearest to 1,500 dollars."""
    loss = "options.model(position, leg_short_put_dte, underlying_price * 0.5, pnl)"
    found = entered(
        world,
        definition(
            {"term": "30|25|37"},
            (
                ("short_put", "-1", "Put", "term", {"Delta": "20"}),
                ("long_put", "1", "Put", "term", {"Complex": {
                    "Statement": loss, "Target": "-1500", "Constraints": ["leg_long_put_strike < leg_short_put_strike"],
                }}),
            ),
            VarDefines={
                "most": loss,
                "breakeven": "options.model_solver(position, leg_short_put_dte, underlying_price * 0.5, "
                "underlying_price * 1.5, pnl, zero, return_price)",
            },
        ),
    )  # fmt: skip
    short, long = found.legs
    assert short.quote.mark is not None and long.quote.mark is not None
    credit = short.quote.mark - long.quote.mark
    assert found.variables["most"] == pytest.approx(Decimal(-1500), abs=Decimal(300))
    assert found.variables["breakeven"] == pytest.approx(short.option.strike - credit, abs=Decimal("0.01"))


def test_an_entry_by_the_calendar(world: World) -> None:
    """Only on the last session before the monthly expiration, in the first hour and a half, when volatility is not dear."""
    conditions = [
        "timing.trading_days_until(monthly_opex) < 1 and timing.minutes_after_open <= 90 and underlying_iv < 0.4"
    ]
    raw = definition(
        {"term": "45|35|55"},
        (("short_put", "-1", "Put", "term", {"Delta": "10", "Min": 5, "Max": 15}),),
        Conditions=conditions,
        AbortConditions=["timing.day_of_week == 1"],
    )
    assert entered(world, raw).allowed
    raw["Entry"]["Conditions"] = ["timing.trading_days_until(next_month, first) <= 1"]
    assert not entered(world, raw).allowed


def test_a_double_calendar_in_two_groups(world: World) -> None:
    raw = definition(
        {"front": "4|1|5", "back": "8|6|10"},
        (
            ("front_put", "-1", "Put", "front", {"StrikePrice": "underlying_price - 60"}),
            ("back_put", "1", "Put", "back", {"StrikePrice": "leg_front_put_strike"}),
            ("front_call", "-1", "Call", "front", {"StrikePrice": "underlying_price + 45"}),
            ("back_call", "1", "Call", "back", {"StrikePrice": "leg_front_call_strike"}),
        ),
        Conditions=["pos_theta > 0"],
    )
    for leg, group in zip(raw["Structure"]["Legs"], ("1", "1", "2", "2"), strict=True):
        leg["LegGroupId"] = group
    found = entered(world, raw)
    strikes = [leg.option.strike for leg in found.legs]
    assert (
        strikes[0] == strikes[1]
        and strikes[2] == strikes[3]
        and [leg.group for leg in found.legs] == [1, 1, 2, 2]
    )
    assert found.allowed
