"""The world's clock, embedded and served."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mesoflow.runtime.idle_loop import new_idle_loop
from mesoflow.simulator.clock import EmbeddedClock, LoopClock, ServedClock

START = datetime(2025, 1, 16, 15, tzinfo=UTC)


@pytest.mark.parametrize("speed", [1, 10, 30])
def test_a_served_clock_is_faster_by_its_speed(speed: float) -> None:
    async def main() -> list[timedelta]:
        await asyncio.sleep(7)
        clock, seen = ServedClock(speed, START), []
        clock.call_at(START + timedelta(seconds=60), lambda: seen.append(clock.now() - START))
        await asyncio.sleep(60 / speed - 0.01)
        assert seen == []
        await asyncio.sleep(0.02)
        return seen

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        assert runner.run(main()) == [timedelta(seconds=60)]


def test_an_embedded_clock_is_the_loops() -> None:
    async def main() -> list[datetime]:
        await asyncio.sleep(7)
        clock = EmbeddedClock(asyncio.get_running_loop(), START)
        first = clock.now()
        await asyncio.sleep(0.25)
        return [first, clock.now()]

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        assert runner.run(main()) == [START, START + timedelta(milliseconds=250)]


@pytest.mark.parametrize("speed", [0, 0.5, 31, float("nan")])
def test_speeds_outside_one_to_thirty_are_refused(speed: float) -> None:
    with asyncio.Runner() as runner, pytest.raises(ValueError, match="a speed of 1 to 30"):
        ServedClock(speed, START, runner.get_loop())


def test_a_clock_starts_at_an_aware_time() -> None:
    with asyncio.Runner() as runner, pytest.raises(ValueError, match="an aware time"):
        LoopClock(runner.get_loop(), datetime(2025, 1, 16), 1)
