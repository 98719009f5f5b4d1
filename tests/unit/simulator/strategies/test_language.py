"""The names of the language as its pages have them, against what a position of a world is given. Every difference has a name."""

from pathlib import Path

import pytest

from mesoflow.simulator.strategies import lua, timing, valuation
from mesoflow.simulator.strategies.legs import GREEKS
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua
from mesoflow.simulator.strategies.margins import MarginRule
from mesoflow.simulator.strategies.selection import Circumstances, Selection
from mesoflow.simulator.world.known import Known
from mesoflow.simulator.world.world import World
from tests.unit.simulator.strategies.test_entry import THURSDAY, enter, template

# As documented, by group; `<A>` is an alias, `<L>` a leg.
FIGURES = ("delta", "gamma", "theta", "vega", "wvega", "rho")
DOCUMENTED: dict[str, tuple[str, ...]] = {
    "functions": ("abs", "min", "max", "random", "sqrt", "pow", "log", "ceil", "floor", "int"),
    "expiration": ("expiration_<A>_dte", "expiration_<A>_min", "expiration_<A>_max"),
    "leg": tuple(f"leg_<L>_{name}" for name in (*FIGURES, "pnl", "qty", "dit", "price", "strike", "iv")),
    "position": (
        "days_in_trade",
        "profit_target",
        "stop_loss",
        "max_days_in_trade",
        "pos_pnl",
        "pos_margin",
        *(f"pos_{name}" for name in FIGURES),
    ),
    "account": ("nav", "initial_cash", "pos_in_flight", "acc_margin", *(f"acc_{name}" for name in FIGURES)),
    "underlying": (
        "underlying_price",
        "underlying_today_open",
        "underlying_prevday_close",
        "underlying_iv",
        "underlying_iv_rank",
        "underlying_iv_pct",
        "underlying_hv",
    ),
    "odd": ("open_trades_cnt", "minutes_before_open", "minutes_after_close"),
    "timing": (
        *("day_of_week", "year", "month", "day", "minutes_after_open", "minutes_before_close"),
        "days_in_trade",
        *(f"{unit}_days_{what}" for unit in ("trading", "calendar") for what in ("until", "after", "in")),
    ),
    "options": ("model", "model_solver"),
}
# Refused by name, whatever the definition says.
NOT_GIVEN = {"minutes_before_open", "minutes_after_close"}
# Given beyond the lists; seen in an example of the vendor's.
BEYOND = {"leg_<L>_dte"}
# Not until a definition has a margin model.
WITH_MARGIN = {"pos_margin", "acc_margin"}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], Selection]:
    """All names that an entry of the calendar sees when everything is on."""
    folder: Path = tmp_path_factory.mktemp("language")
    world, rule = World(folder / "world"), MarginRule("RegT")
    known = Known(world.core, world.accounts, world.positions, "IB-1", THURSDAY, rule)
    around = Circumstances(world.market.calendar.local_date(THURSDAY), known, frozenset(), True)
    chosen = Selection("SPX", world.market.at(THURSDAY), around, Lua(7), enter(template()).legs, margin=rule)
    for alias in ("front", "back"):
        chosen.names.update({f"expiration_{alias}_{what}": 1.0 for what in ("dte", "min", "max")})
    names = {name.replace("front", "<A>").replace("short_put", "<L>") for name in chosen.names}
    world.close()
    return {name for name in names if "back" not in name and "long_put" not in name}, chosen


def test_every_documented_name_is_given_or_refused_by_name(given: tuple[set[str], Selection]) -> None:
    ours = {name for name in given[0] if "." not in name}
    groups = ("expiration", "leg", "position", "account", "underlying", "odd")
    documented = {name for group in groups for name in DOCUMENTED[group]}
    assert {"missing": documented - ours, "more": ours - documented} == {"missing": NOT_GIVEN, "more": BEYOND}
    assert set(lua.NOT_GIVEN) == NOT_GIVEN | WITH_MARGIN
    for name in (*NOT_GIVEN, *WITH_MARGIN):
        with pytest.raises(ExpressionFailed, match=f"^'{name}.*'{name}': it "):
            Lua(7).value(name, {})


def test_the_functions_and_namespaces_are_the_documented_ones(given: tuple[set[str], Selection]) -> None:
    assert set(lua.FUNCTIONS) == set(DOCUMENTED["functions"])
    assert {*timing.FIELDS, *timing.FUNCTIONS, "days_in_trade"} == set(DOCUMENTED["timing"])
    assert set(valuation.FUNCTIONS) == set(DOCUMENTED["options"])
    chosen = given[1]
    arguments = {"min": "1, 2", "max": "1, 2", "random": "0, 1", "pow": "1, 2"}
    for name in lua.FUNCTIONS:
        assert chosen.number(f"{name}({arguments.get(name, '4')})") is not None
    for name in (*timing.FIELDS, "days_in_trade"):
        assert chosen.number(f"timing.{name}") >= 0
    for name in timing.FUNCTIONS:
        assert chosen.number(f"timing.{name}(monthly_opex)") >= 0
    assert chosen.number("options.model(position, 29, underlying_price, pnl)") > 0
    assert chosen.number(
        "options.model_solver(position, leg_short_put_dte, underlying_price * 0.5, underlying_price * 2, "
        "pnl, zero, return_price)"
    ) < chosen.number("underlying_price")


def test_greeks_have_one_list() -> None:
    assert sorted(GREEKS) == sorted(FIGURES)


def test_names_are_computed_when_somebody_asks() -> None:
    """What an expression does not contain costs nothing, and cannot fail it."""

    class Dear(dict[str, float | None]):
        def __getitem__(self, name: str) -> float | None:
            raise AssertionError(f"{name} was computed")

    assert Lua(7).value("1 + 1", Dear(nav=1.0)) == 2


def test_the_examples_of_the_pages_are_understood(given: tuple[set[str], Selection]) -> None:
    chosen = given[1]
    texts = (
        "timing.trading_days_until(next_month, first) <= 1",
        "timing.trading_days_until(monthly_opex) < 2",
        "timing.day_of_week == 4 and timing.minutes_after_open == 30",
        "underlying_iv_rank > 50 -- dear",
        "open_trades_cnt == 1 and underlying_iv_rank > 50",
        "options.model(position, next_month, underlying_price, theta) > 0",
    )
    found = [(one.result, one.error) for one in chosen.evaluate(texts)]
    assert [error for _, error in found] == [None] * len(texts)
    assert [result for result, _ in found][:3] == [False, True, True]
