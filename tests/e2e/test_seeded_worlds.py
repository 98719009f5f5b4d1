"""Worlds drawn from seeds: faults, a kill, a cancel or a park somewhere; then everything settles, and no checker finds anything.

python -m pytest tests/e2e/test_seeded_worlds.py --worlds 3000 -s         more of them
python -m pytest tests/e2e/test_seeded_worlds.py --first-world 4711 --worlds 1 -s        one by its number
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.support.seeded import World, play


def _play(task: tuple[int, str]) -> World:
    seed, folder = task
    return play(seed, Path(folder) / str(seed))


def test_every_world_settles_and_breaks_no_invariant(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    first, count = request.config.getoption("--first-world"), request.config.getoption("--worlds")
    print(f"seeds {first} to {first + count - 1}")
    begun = time.perf_counter()
    forked = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(os.cpu_count() or 2, mp_context=forked) as pool:
        worlds = list(pool.map(_play, [(seed, str(tmp_path)) for seed in range(first, first + count)]))
    minutes = (time.perf_counter() - begun) / 60
    ends = Counter(world.codes[-1] for world in worlds)
    print(f"{count} worlds, {count / minutes:.0f} a minute, ends {dict(sorted(ends.items()))}")
    broken = [world for world in worlds if world.problems]
    assert not broken, "\n".join(
        f"seed {world.seed} ({world.story}, {world.codes}): {world.problems}" for world in broken
    )
    assert count < 100 or len(ends) > 3, "the draws reach done, failed, parked and cancelled"
