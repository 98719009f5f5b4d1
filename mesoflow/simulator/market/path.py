"""Where SPX and VIX are at any second, from the seed alone: one Brownian path on a lattice, read by bisection.

Time is counted in cells, 2^15 to a session. The first cells of a session are the seconds since its open (24,300 of them),
the rest is the night, so nights move less than days. A value is found by descending from the whole lattice (2^11
sessions) to one cell, each midpoint a named draw between its neighbours: 26 draws, the same value whoever asks, in
whatever order. SPX adds drift and jumps, one at most in a session; VIX moves against SPX, has noise of its own, and is
drawn back because only the distance from its own recent mean counts.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from mesoflow.simulator.draws import normal, uniform
from mesoflow.simulator.market.sessions import Calendar
from mesoflow.simulator.shared import data

CELL_BITS = 15
CELLS = 1 << CELL_BITS
_SESSION_BITS = 11
_END = 1 << (CELL_BITS + _SESSION_BITS)
# Midpoints kept. Not needed for correctness; an hour asked second by second makes 7,000 of them.
_KEPT_MAX = 16_000


class Brownian:
    """Standard Brownian motion on the lattice: variance 1 a session, 0 at the first cell."""

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self._name = seed, name
        self._last = math.sqrt(_END / CELLS) * normal(seed, name, "end")
        self._kept: dict[int, float] = {}

    def at(self, cell: int) -> float:
        kept = self._kept
        if cell in kept:
            return kept[cell]
        low, high, left, right = 0, _END, 0.0, self._last
        if cell in (low, high):
            return left if cell == low else right
        while True:
            middle = (low + high) >> 1
            value = kept.get(middle)
            if value is None:
                deviation = math.sqrt((high - low) / (4 * CELLS))
                value = (left + right) / 2 + deviation * normal(self._seed, self._name, middle)
                if len(kept) >= _KEPT_MAX:
                    kept.clear()
                kept[middle] = value
            if cell == middle:
                return value
            if cell < middle:
                high, right = middle, value
            else:
                low, left = middle, value


class Path:
    """Levels of SPX and VIX by cell."""

    def __init__(self, seed: int, calendar: Calendar) -> None:
        self._seed = seed
        constants: dict[str, Any] = data("market.json")
        self._spx, self._vix, anchor = constants["path"], constants["vix"], constants["anchor"]
        self._anchor_spx, self._anchor_vix = anchor["spx"], math.log(anchor["vix"])
        index = next(i for i, day in enumerate(calendar.days) if day.isoformat() == anchor["date"])
        self._anchor_index = index
        self._spx_motion = Brownian(seed, "spx")
        self._vix_motion = Brownian(seed, "vix")
        self._jump_sums: dict[int, float] = {index: 0.0}

    @cached_property
    def _start(self) -> float:
        """The motion at the anchor, where every seed has the same level."""
        return self._spx_motion.at(self._anchor_index * CELLS)

    def spx(self, cell: int) -> float:
        terms = self._spx
        sessions = cell / CELLS - self._anchor_index
        motion = self._spx_motion.at(cell) - self._start
        drift = (terms["drift_session"] - terms["sigma_session"] ** 2 / 2) * sessions
        log = drift + terms["sigma_session"] * motion + self._jumps(cell)
        return float(self._anchor_spx * math.exp(log))

    def vix(self, cell: int) -> float:
        terms = self._vix
        log = (
            self._anchor_vix
            - terms["beta"] * self._apart(self._spx_motion, cell)
            + terms["own_sigma"] * self._apart(self._vix_motion, cell)
        )
        return float(min(max(math.exp(log), terms["least"]), terms["most"]))

    def _apart(self, motion: Brownian, cell: int) -> float:
        """How far a motion is from its mean at the opens of the sessions before."""
        session = cell >> CELL_BITS
        memory: int = min(self._vix["memory_sessions"], session)
        if not memory:
            return motion.at(cell)
        return (
            motion.at(cell) - sum(motion.at((session - back) << CELL_BITS) for back in range(memory)) / memory
        )

    def _jump(self, index: int) -> tuple[int, float]:
        """The jump of a session: after which cell of it, and how far; mostly none."""
        terms = self._spx
        if uniform(self._seed, "jump", index) >= terms["jump_probability"]:
            return 0, 0.0
        size = terms["jump_mean"] + terms["jump_sigma"] * normal(self._seed, "jump-size", index)
        return int(uniform(self._seed, "jump-cell", index) * CELLS), size

    def _jumps(self, cell: int) -> float:
        """Sum of the jumps from the anchor to a cell; negative direction before it."""
        index = cell >> CELL_BITS
        after, size = self._jump(index)
        return self._jumps_before(index) + (size if cell & (CELLS - 1) > after else 0.0)

    def _jumps_before(self, index: int) -> float:
        sums = self._jump_sums
        if index in sums:
            return sums[index]
        if index > self._anchor_index:
            start = max(known for known in sums if known <= index)
            for session in range(start, index):
                sums[session + 1] = sums[session] + self._jump(session)[1]
        else:
            start = min(known for known in sums if known >= index)
            for session in range(start - 1, index - 1, -1):
                sums[session] = sums[session + 1] - self._jump(session)[1]
        return sums[index]
