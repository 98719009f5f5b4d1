"""Whose signals are looked at."""

from decimal import Decimal
from pathlib import Path

import pytest

from mesoflow.simulator.world.subjects import Subjects
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def subjects(desk: Desk) -> Subjects:
    world = desk.world
    return Subjects(world.core, world.accounts, world.strategies, world.positions)


def keys(found: Subjects) -> list[tuple[int, str, int]]:
    return [subject.key for subject in found.all()]


def test_active_strategies_account_by_account_and_open_positions(desk: Desk) -> None:
    found = subjects(desk)
    assert keys(found) == [] and not found.any()
    desk.ok("UpdateStrategy", strategy_id=102, active_on_accounts=["PAPER-1", "IB-1"])
    assert found.any()
    position = desk.fill(desk.prepare_entry())["PositionId"]
    assert keys(found) == [(102, "PAPER-1", 0), (102, "IB-1", 0), (101, "PAPER-1", position)]
    desk.ok("UpdateStrategy", strategy_id=102, active_on_accounts=[])
    assert found.any(), "a position is held"
    desk.fill(desk.prepare_exit(position), key="f2")
    assert keys(found) == [] and not found.any()


def test_a_position_without_a_strategy_is_none(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    desk.ok("DeleteStrategy", strategy_id=101, force=True)
    assert keys(subjects(desk)) == []


def test_a_position_comes_with_what_its_rules_may_ask_for(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry(strategy=103))["PositionId"]
    desk.world.by_hand.set_realized_pnl(2001, Decimal("7.50"), desk.now)
    (subject,) = subjects(desk).all()
    assert subject.position is not None and subject.position.id == position
    assert [leg.name for leg in subject.legs] == ["short_put", "short_call"]
    assert subject.realized == Decimal("7.50")
    assert subject.variables["moves"] == 0
    assert len(subject.expirations) == 1
    assert {"pos_delta", "leg_short_put_price", "days_in_trade", "stop_loss"} <= subject.rules.needed


def test_what_only_counts_days_needs_no_market(desk: Desk) -> None:
    raw = desk.ok("GetStrategy", strategy_id=102)["Strategy"]["StrategyDefinition"]
    id = desk.ok("CreateStrategy", strategy_definition=raw, active_on_accounts=["IB-1"])["StrategyId"]
    (subject,) = subjects(desk).all()
    assert subject.strategy == id and subject.broker == "IBKR"
    assert subject.rules.needed == {"days_in_trade", "max_days_in_trade"}


def test_what_an_older_world_took_and_this_version_would_not_has_no_signals(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    desk.ok("UpdateStrategy", strategy_id=101, active_on_accounts=["PAPER-1"])
    broken = "UPDATE strategies SET definition = json_set(definition, '$.Entry.ReentryDays', 'soon')"
    with desk.world.core.change(desk.now):
        desk.world.store.run(broken)
    assert keys(subjects(desk)) == []
