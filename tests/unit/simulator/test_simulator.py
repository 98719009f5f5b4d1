"""The simulator as one thing, under a loop whose time jumps, and served."""

import asyncio
from pathlib import Path

import pytest

from mesoflow.simulator.clock import ServedClock
from mesoflow.simulator.simulator import Simulator
from mesoflow.simulator.world.errors import WorldHeld
from tests.support.worlds import Desk, HandClock


def test_a_world_is_let_go_when_its_clock_cannot_be_made(tmp_path: Path) -> None:
    def broken(_: object) -> HandClock:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Simulator.open(tmp_path / "w", broken)
    Simulator.open(tmp_path / "w", HandClock).close()


def test_time_passes_also_when_nothing_happens(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.wait(77)
    desk.close()
    assert Desk(tmp_path / "w").now == desk.now


def test_jobs_of_an_earlier_process_are_waited_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.ok(
        "StartPreparePositionEntry",
        idempotency_key="k",
        position_name="p",
        strategy_id=101,
        broker_account_id="PAPER-1",
        leg_selection_constraint="FullyUnique",
        underlying=None,
        data_provider=None,
    )
    desk.close()
    again = Desk(tmp_path / "w")
    (timer,) = again.clock.timers
    again.go_to(timer.when)
    assert again.ok("GetLatestEventSeqId")["LatestEventSeqId"] == 3


def test_it_serves_and_stops(tmp_path: Path) -> None:
    async def serve() -> str:
        simulator = Simulator.open(tmp_path / "w", lambda start: ServedClock(10, start))
        server = await simulator.start()
        url = server.url
        with pytest.raises(WorldHeld):
            Simulator.open(tmp_path / "w", HandClock)
        await simulator.stop()
        return url

    assert asyncio.run(serve()).startswith("http://127.0.0.1:")
    Simulator.open(tmp_path / "w", HandClock).close()
