"""Draws of one seeded world: each is a function of the seed and of what is drawn, never of what was drawn before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from mesoflow.simulator.draws import uniform, whole

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draw:
    """`name` is what stands before each purpose: `draw.of("fault", 2).choice("kind", …)`."""

    seed: int
    name: tuple[object, ...] = ()

    def of(self, *name: object) -> Draw:
        """The draws of one thing among several."""
        return Draw(self.seed, (*self.name, *name))

    def choice(self, purpose: str, options: Sequence[T]) -> T:
        """One of them; what is listed twice is drawn twice as often."""
        return options[whole(self.seed, *self.name, purpose, below=len(options))]

    def between(self, purpose: str, least: float, most: float) -> float:
        """A figure, to the millisecond."""
        return round(least + (most - least) * uniform(self.seed, *self.name, purpose), 3)

    def seconds(self, purpose: str, *options: float) -> timedelta:
        """One of these, as a duration."""
        return timedelta(seconds=self.choice(purpose, options))
