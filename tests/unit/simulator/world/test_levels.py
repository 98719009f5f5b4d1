"""The signals of one subject: only what its rules speak of is asked for."""

from collections import UserDict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.signals.levels import Level
from mesoflow.simulator.strategies.lua import Names
from mesoflow.simulator.world.levels import Levels
from mesoflow.simulator.world.subjects import Subject, Subjects
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


class Told(UserDict[str, Any]):
    """Names that tell which of them was looked up."""

    def __init__(self, names: Names, asked: list[str]) -> None:
        self.data, self._asked = names, asked  # type: ignore[assignment]

    def __getitem__(self, name: str) -> Any:
        self._asked.append(name)
        return self.data[name]


def held(desk: Desk, **leave: Any) -> tuple[Subject, Levels, list[str]]:
    """A calendar with another exit, its levels, and a list of the names that were looked up beside it."""
    raw = desk.ok("GetStrategy", strategy_id=101)["Strategy"]["StrategyDefinition"]
    raw["Exit"] = {"MaxDaysInTrade": None, "ProfitTarget": None, "StopLoss": None, "Conditions": []} | leave
    id = desk.ok("CreateStrategy", strategy_definition=raw)["StrategyId"]
    desk.fill(desk.prepare_entry(strategy=id))
    world, asked = desk.world, []

    def names(account: str, at: Any, margin: Any) -> Names:
        return Told(world.jobs.names(account, at, margin), asked)

    (subject,) = Subjects(world.core, world.accounts, world.strategies, world.positions).all()
    return subject, Levels(world.core, world.positions, names), asked


def exit_of(found: tuple[Subject, Levels, list[str]], desk: Desk, days: int = 0) -> Level:
    subject, levels, _ = found
    signals = levels.of(subject, desk.now + timedelta(days=days))
    assert signals["exit"].troubles == ()
    (level,) = signals["exit"].levels
    return level


def test_days_are_counted_without_account_and_market(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = held(desk, MaxDaysInTrade="3")
    monkeypatch.setattr("mesoflow.simulator.world.levels.market_leg", None)
    assert [exit_of(found, desk, days).on for days in (1, 3)] == [False, True]
    assert "nav" not in found[2]


def test_the_account_is_asked_where_a_rule_speaks_of_it(desk: Desk) -> None:
    found = held(desk, Conditions=["underlying_price > 100 and nav > 1"])
    assert exit_of(found, desk).on and {"underlying_price", "nav"} <= set(found[2])


def test_legs_variables_and_expirations_are_known(desk: Desk) -> None:
    spoken = "leg_short_put_qty == -1 and pos_theta > 0 and initial_debit > 0 and expiration_front_dte == 29"
    found = held(desk, Conditions=[spoken])
    level = exit_of(found, desk)
    assert level.on
    (told,) = level.fields()["exit_signal_result"]["conditions"]
    assert sorted(told["values"]) == [
        "expiration_front_dte",
        "initial_debit",
        "leg_short_put_qty",
        "pos_theta",
    ]


def test_a_position_that_settles_now_is_left_alone(desk: Desk) -> None:
    subject, levels, _ = held(desk)
    ends = min(leg.live_contract.expiration for leg in subject.legs if leg.live_contract.expiration)
    assert [levels.settles(subject, ends + timedelta(seconds=n)) for n in (-1, 0, 1)] == [False, True, True]
