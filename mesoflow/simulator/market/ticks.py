"""Price steps: the simulator's own reading of data/ticks.json. Prices are whole cents here; every tick is a whole cent."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from mesoflow.simulator.shared import data


class Ticks:
    """The ladder of one class of contracts."""

    def __init__(self, name: str) -> None:
        steps = data("ticks.json")[name]["contract"]
        self._steps = [
            (None if step["below"] is None else to_cents(step["below"]), to_cents(step["tick"]))
            for step in steps
        ]

    def at(self, cents: float) -> int:
        """The tick at a price."""
        for below, tick in self._steps:
            if below is None or cents < below:
                return tick
        raise AssertionError("the last step of a ladder has no end")

    def down(self, cents: float) -> int:
        """The dearest allowed price that is not above."""
        tick = self.at(cents)
        return int(cents // tick) * tick

    def up(self, cents: float) -> int:
        """The cheapest allowed price that is not below."""
        tick = self.at(cents)
        return -int(-cents // tick) * tick

    def allows(self, price: Decimal) -> bool:
        cents = price * 100
        return cents == int(cents) and int(cents) % self.at(float(cents)) == 0


@cache
def ticks(name: str) -> Ticks:
    return Ticks(name)


def to_cents(price: str) -> int:
    return int(Decimal(price) * 100)


def from_cents(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
