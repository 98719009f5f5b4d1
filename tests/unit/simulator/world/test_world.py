"""A world is a function of its seed and of what was asked, and its folder is all there is of it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesoflow.simulator.world.errors import WorldHeld, WorldOther
from mesoflow.simulator.world.world import World
from tests.support.worlds import Desk

LIVED = """
import sys
from pathlib import Path
from tests.support.worlds import Desk
desk = Desk(Path(sys.argv[1]), seed=int(sys.argv[2]))
desk.ok("CreateStrategy", strategy_definition=None, clone_strategy_id=101, name="mine", active_on_accounts=["PAPER-1"])
position = desk.fill(desk.prepare_entry(strategy=201), qty_multiplier=2)["PositionId"]
desk.wait(3 * 3600)
desk.fill(desk.prepare_exit(position), key="fill-2", at="Bid")
print(desk.world.fingerprint())
"""

TRADED = """
import sys
from datetime import timedelta
from pathlib import Path
from mesoflow.simulator.faults import Faults
from tests.support.broker_desk import CONDOR, BrokerDesk, mishap
desk = BrokerDesk(Path(sys.argv[1]), seed=int(sys.argv[2]), profile="realistic", faults=Faults())
desk.faults.halt(desk.now + timedelta(minutes=5), timedelta(minutes=7))
desk.faults.orders.append(mishap("fills", 1.0, packages=1))
desk.faults.broker_restart("IBKR", desk.now + timedelta(minutes=20), timedelta(minutes=1))
plan = desk.plan(CONDOR, lots=4)
first = desk.send(plan, desk.price(plan, "0"))
desk.until(lambda: desk.state(first) == "PartiallyFilled")
desk.send(plan, desk.price(plan, "0.7"), "second", replaces_order=first)
strategy = desk.plan(((("p"), -1, "Put", -100, 1),), lots=1)
desk.send(strategy, None, "stop", order_type="Stop", stop_price=desk.price(strategy, "0.5") + 3)
desk.prepare_entry("hedged", 108, "IB-1")
desk.prepare_entry("boxcar", 107, "IB-1")
desk.wait(3 * 3600)
desk.prepare_exit(desk.position(plan)["Id"])
print(desk.world.fingerprint())
"""


def lived(folder: Path, seed: int, hash_seed: str, script: str = LIVED) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(seed)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())},
    )
    return done.stdout.strip()


def test_one_seed_makes_the_same_bytes_in_two_processes(tmp_path: Path) -> None:
    first, second, other = (
        lived(tmp_path / "a", 7, "1"),
        lived(tmp_path / "b", 7, "2"),
        lived(tmp_path / "c", 8, "1"),
    )
    assert first == second != other


def test_so_does_a_day_of_orders_halts_and_restarts(tmp_path: Path) -> None:
    first, second, other = (
        lived(tmp_path / name, seed, hashes, TRADED)
        for name, seed, hashes in (("a", 7, "1"), ("b", 7, "2"), ("c", 8, "1"))
    )
    assert first == second != other


def test_a_new_world_is_as_the_book_says(tmp_path: Path) -> None:
    world = World(tmp_path / "w")
    assert (world.seed, world.profile, world.last_time) == (
        7,
        "strict",
        datetime(2025, 1, 16, 15, 0, tzinfo=UTC),
    )
    assert world.market.calendar.is_open(world.last_time)
    assert world.identity == World(tmp_path / "x").identity != World(tmp_path / "y", seed=8).identity


def test_reading_changes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    position = desk.fill(desk.prepare_entry())["PositionId"]
    before = desk.world.fingerprint()
    desk.wait(500)
    for method, args in (
        ("ListAgents", {}),
        ("ListAccounts", {}),
        ("ListStrategies", {}),
        ("GetStrategy", {"strategy_id": 101}),
        ("ListPositions", {}),
        ("GetPosition", {"position_id": position}),
        ("ListLegs", {}),
        ("ListOrders", {}),
        ("ListExecutions", {}),
        ("GetEventsSince", {"event_seq_id": 0}),
        ("GetLatestEventSeqId", {}),
        ("GetIdempotencyRecord", {"idempotency_key": "fill-1"}),
    ):
        desk.ok(method, **args)
    assert desk.world.fingerprint() == before


def test_a_reopened_world_begins_at_its_last_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    position = desk.fill(desk.prepare_entry())["PositionId"]
    desk.wait(100)
    ended = desk.now
    before = desk.ok("GetPosition", position_id=position)
    desk.close()
    again = Desk(tmp_path / "w")
    assert again.now == ended
    assert again.ok("GetPosition", position_id=position) == before


def test_a_world_that_was_not_closed_begins_at_its_last_change(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.fill(desk.prepare_entry())
    changed = desk.now
    desk.wait(100)
    desk.world.store.close()
    assert Desk(tmp_path / "w").now == changed


def test_a_world_is_continued_only_as_what_it_was_made(tmp_path: Path) -> None:
    World(tmp_path / "w", seed=9, profile="kind").close()
    with pytest.raises(WorldOther, match="was made with seed 9, not 7"):
        World(tmp_path / "w", seed=7)
    with pytest.raises(WorldOther, match="was made with profile kind, not strict"):
        World(tmp_path / "w", profile="strict")
    world = World(tmp_path / "w")
    assert (world.seed, world.profile) == (9, "kind")
    with pytest.raises(WorldHeld):
        World(tmp_path / "w")
    with pytest.raises(ValueError, match="there is no profile 'gentle': strict, realistic, kind"):
        World(tmp_path / "x", profile="gentle")  # type: ignore[arg-type]


def test_time_may_pass_without_anything_happening(tmp_path: Path) -> None:
    world = World(tmp_path / "w")
    later = world.last_time + timedelta(hours=2)
    world.close(later)
    assert World(tmp_path / "w").last_time == later
