"""What is left of a walk, and how the hub is told: by the multiplier of its next order (hubs/inferred.py, qty_multiplier).

A multiplier replaces the strategy's own, so the order's quantity of a leg is its quantity in one lot times the multiplier.
That is a way to say the remainder only where every leg comes out whole, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

# A multiplier with more decimals is one that somebody on the way rounds.
_PLACES = Decimal("0.000001")


def remainder_multiplier(
    lots: Decimal, rest: int, packages: int, quantities: Iterable[Decimal]
) -> Decimal | None:
    """The multiplier of `rest` of `packages` packages, `quantities` being those of all packages; None: legs would not
    come out whole."""
    exact = Fraction(lots) * rest / packages
    multiplier = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_PLACES)
    if Fraction(multiplier) != exact:
        return None
    parts = (Fraction(quantity) / Fraction(lots) * exact for quantity in quantities)
    if any(part.denominator != 1 for part in parts):
        return None
    return (
        multiplier.to_integral_value()
        if multiplier == multiplier.to_integral_value()
        else multiplier.normalize()
    )
