"""What an account must keep for its options by a portfolio's risk (SIMULATOR.md S11): the worst of a range of levels, today.

Every option keeps its volatility while the level goes down and up to the bounds, in ten steps each; what the whole would lose
at the worst of them is needed, at least a small amount a contract. Premiums count on both sides: what is paid for is lost at
most once.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from mesoflow.simulator.market import black76
from mesoflow.simulator.market.black76 import Terms
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Snapshot

_STEPS = 10
# Points of an option's multiplier: 37.50 dollars for a contract of a hundred.
_LEAST = Decimal("0.375")
_CENT = Decimal("0.01")


def scanned(
    held: Iterable[tuple[Option, Decimal]],
    snapshot: Snapshot,
    multiplier: Decimal,
    *,
    below: float = 10.0,
    above: float = 10.0,
) -> Decimal | None:
    """In dollars, of the contracts of one underlying; bounds in percent. None where one has no market any more."""
    net: dict[Option, Decimal] = {}
    for option, qty in held:
        net[option] = net.get(option, Decimal(0)) + qty
    held_now = {option: qty for option, qty in net.items() if qty}
    levels = [snapshot.spot * (1 + share / 100) for share in _shares(below, above)]
    totals = [0.0] * len(levels)
    for option, qty in held_now.items():
        changes = _changes(option, snapshot, levels)
        if changes is None:
            return None
        totals = [total + float(qty) * change for total, change in zip(totals, changes, strict=True)]
    worst = Decimal(f"{max(0.0, -min(totals, default=0.0)):.6f}")
    least = _LEAST * sum((abs(qty) for qty in held_now.values()), Decimal(0))
    return (max(worst, least) * multiplier).quantize(_CENT)


def _shares(below: float, above: float) -> list[float]:
    return [
        *(-below * n / _STEPS for n in range(_STEPS, 0, -1)),
        *(above * n / _STEPS for n in range(_STEPS + 1)),
    ]


def _changes(option: Option, snapshot: Snapshot, levels: list[float]) -> list[float] | None:
    """What one option is worth more or less at each level, in points."""
    expiry = snapshot.expiry_of(option)
    if expiry is None:
        return None
    smile, strike = snapshot.slice_of(expiry), float(option.strike)
    volatility, known = smile.volatility(strike), smile.terms
    now = black76.price(known, strike, volatility, option.call)
    return [
        black76.price(
            Terms.of(level, known.years, known.interest, known.dividend), strike, volatility, option.call
        )
        - now
        for level in levels
    ]
