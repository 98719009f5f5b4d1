import itertools
import math
import random
from datetime import date

from mesoflow.simulator.market.path import CELLS, Brownian, Path
from mesoflow.simulator.market.sessions import calendar

ANCHOR = calendar().days.index(date(2025, 1, 16))


def path(seed: int = 7) -> Path:
    return Path(seed, calendar())


def test_the_path_does_not_know_who_asked_before() -> None:
    cells = [ANCHOR * CELLS + n * 977 for n in range(300)]
    forwards, backwards, shuffled = path(), path(), path()
    in_order = [(forwards.spx(c), forwards.vix(c)) for c in cells]
    reverse = {c: (backwards.spx(c), backwards.vix(c)) for c in reversed(cells)}
    order = random.Random(1).sample(cells, len(cells))
    mixed = {c: (shuffled.spx(c), shuffled.vix(c)) for c in order}
    assert in_order == [reverse[c] for c in cells] == [mixed[c] for c in cells]


def test_forgetting_midpoints_changes_nothing() -> None:
    motion = Brownian(7, "spx")
    before = [motion.at(c) for c in range(1000, 2000)]
    motion._kept.clear()
    assert [motion.at(c) for c in range(1000, 2000)] == before


def test_every_seed_begins_at_the_anchor_and_goes_its_own_way() -> None:
    assert {round(path(seed).spx(ANCHOR * CELLS), 6) for seed in range(5)} == {6000.0}
    assert len({path(seed).spx((ANCHOR + 1) * CELLS) for seed in range(5)}) == 5


def test_a_session_moves_as_much_as_the_data_file_says() -> None:
    levels = [path(seed).spx((ANCHOR + day) * CELLS) for seed in range(8) for day in range(60)]
    moves = [math.log(b / a) for n, (a, b) in enumerate(itertools.pairwise(levels)) if (n + 1) % 60]
    deviation = math.sqrt(sum(move * move for move in moves) / len(moves))
    assert 0.0075 < deviation < 0.0105


def test_vix_moves_against_spx() -> None:
    walk = path()
    cells = [(ANCHOR + day) * CELLS for day in range(250)]
    spx = [math.log(walk.spx(c)) for c in cells]
    vix = [math.log(walk.vix(c)) for c in cells]
    ds = [b - a for a, b in itertools.pairwise(spx)]
    dv = [b - a for a, b in itertools.pairwise(vix)]
    covariance = sum(x * y for x, y in zip(ds, dv, strict=True))
    correlation = covariance / math.sqrt(sum(x * x for x in ds) * sum(y * y for y in dv))
    assert -0.85 < correlation < -0.55
    assert all(9 <= walk.vix(c) <= 85 for c in cells)


def test_a_jump_stays_in_the_path() -> None:
    """The sum of jumps is the same whichever way it was added up."""
    ahead, back = path(3), path(3)
    late, early = (ANCHOR + 400) * CELLS, (ANCHOR - 200) * CELLS
    first = ahead.spx(late), ahead.spx(early)
    for day in range(-200, 401):
        back.spx((ANCHOR + day) * CELLS)
    assert (back.spx(late), back.spx(early)) == first
