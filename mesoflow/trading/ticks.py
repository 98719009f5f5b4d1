"""Ticks: the smallest step of an order's price, and rounding to it in our favour.

The tick of a package is not that of its legs: rounding a spread by a leg's tick gets it rejected. The table is data
(data/ticks.json). A symbol that is not listed has the coarsest grid: every price on it also lies on the finer ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

_DATA = Path(__file__).parent.parent / "data" / "ticks.json"
_UNLISTED: Final = {
    "package": "0.05",
    "contract": [{"below": "3.00", "tick": "0.05"}, {"below": None, "tick": "0.10"}],
}


def round_in_favour(price: Decimal, tick: Decimal) -> Decimal:
    """A signed price (+ debit, − credit) on the tick, never worse than it was: pay less, receive more."""
    return (price / tick).to_integral_value(ROUND_FLOOR) * tick


@dataclass(frozen=True, slots=True)
class Ticks:
    """The grid of one order: (below, tick) in rising order, the last without bound. A package has one step."""

    steps: tuple[tuple[Decimal | None, Decimal], ...]

    def at(self, price: Decimal) -> Decimal:
        """The tick at a price, whatever its sign."""
        size = abs(price)
        for below, tick in self.steps:
            if below is None or size < below:
                return tick
        raise AssertionError("the last step of a tick table has no bound; this is a bug in mesoflow")

    def favour(self, price: Decimal) -> Decimal:
        """The nearest price of the grid that is not worse.

        A grid whose bounds lie on both neighbouring ticks stays a grid when a price rounds across one: 2.98 received
        becomes 3.00, 3.05 paid becomes 3.00.
        """
        return round_in_favour(price, self.at(price))


@dataclass(frozen=True, slots=True)
class TickTable:
    """The ticks of a symbol's options."""

    package: Ticks
    contract: Ticks

    def for_order(self, legs: int) -> Ticks:
        """A package's tick for several legs, the contract's for a single one."""
        return self.contract if legs == 1 else self.package


@cache
def tick_table(symbol: str) -> TickTable:
    """The table of an underlying symbol."""
    entry = _tables().get(symbol, _UNLISTED)
    steps = entry["contract"]
    contract = tuple((Decimal(s["below"]) if s["below"] else None, Decimal(s["tick"])) for s in steps)
    return TickTable(Ticks(((None, Decimal(entry["package"])),)), Ticks(contract))


@cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return tables
