from decimal import Decimal
from pathlib import Path

import pytest

from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.positions import holding_of, realized_of
from tests.support.worlds import Desk


def test_what_a_person_set_counts_before_what_was_tracked(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.fill(desk.prepare_entry())
    leg = desk.world.positions.leg(2001)
    tracked = leg.model_copy(update={"tracked_realized_pnl": Decimal("5.00")})
    by_hand = tracked.model_copy(update={"user_set_realized_pnl": Decimal("0")})
    assert [realized_of(one) for one in (leg, tracked, by_hand)] == [Decimal(0), Decimal("5.00"), Decimal(0)]


def test_a_closed_leg_holds_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    position = desk.fill(desk.prepare_entry())["PositionId"]
    assert [holding_of(leg).qty for leg in desk.world.positions.legs(position)] == [-1, 1]
    assert len(desk.world.positions.used()) == len(desk.world.positions.held("PAPER-1")) == 2
    desk.fill(desk.prepare_exit(position), key="fill-2")
    assert [holding_of(leg).qty for leg in desk.world.positions.legs(position)] == [0, 0]
    assert desk.world.positions.used() == frozenset()
    assert desk.world.positions.legs(position, open_only=True) == []


def test_positions_are_counted_by_account_and_strategy(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.fill(desk.prepare_entry())
    positions = desk.world.positions
    assert [positions.count_open(account) for account in ("PAPER-1", "IB-1")] == [1, 0]
    assert [positions.open_of_strategy(strategy) for strategy in (101, 102)] == [1, 0]
    with pytest.raises(Refused, match="there is no position 5"):
        positions.get(5)
