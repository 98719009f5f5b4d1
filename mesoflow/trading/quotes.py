"""The quote gate: whether a contract's quote can be traded on, and if not, why.

A quote passes when it is two-sided, not crossed, fresh, sanely wide and no stub, and when somebody bids for what we sell.
Facts in, faults out; what a fault leads to (refuse an entry, pause an exit) is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from mesoflow.trading.orders import OrderLeg, Quote

# SAFETY.md C07: what was quoted longer ago is no reference for a price.
AGE_MAX_MS: Final = 5_000
# A width up to here is ordinary whatever the price: 40 package ticks, wider than the usual market of a deep index option.
WIDTH_FREE: Final = Decimal("2.00")
# Above that a market as wide as half its own mid is a placeholder, not a market.
WIDTH_SHARE_MAX: Final = Decimal("0.5")
# A stub (0.05 bid, 10.00 asked) has a mid that nobody ever traded at.
STUB_RATIO: Final = 10
STUB_MID: Final = Decimal(1)
_TWO: Final = Decimal(2)

Fault: TypeAlias = Literal[
    "not_two_sided", "not_finite", "crossed", "age_unknown", "stale", "no_bid", "stub", "too_wide"
]

FAULTS: Final[dict[Fault, str]] = {
    "not_two_sided": "shows no bid or no ask",
    "not_finite": "shows a price that is no number",
    "crossed": "is crossed: the bid is above the ask",
    "age_unknown": "does not say how old it is",
    "stale": "is too old",
    "no_bid": "has no bidder for what is to be sold",
    "stub": "is a stub: the ask is more than ten times the bid",
    "too_wide": "is too wide to have a mid",
}


@dataclass(frozen=True, slots=True)
class LegFault:
    """What is wrong with the quote of a leg."""

    leg: str
    fault: Fault
    quote: Quote

    def __str__(self) -> str:
        return f"the quote of {self.leg} ({self.quote.bid} × {self.quote.ask}) {FAULTS[self.fault]}"


def quote_fault(quote: Quote, *, sold: bool, age_max_ms: int = AGE_MAX_MS, later_ms: int = 0) -> Fault | None:
    """The first fault, or None. `later_ms`: how long ago the quote's ages were read."""
    bid, ask = quote.bid, quote.ask
    if bid is None or ask is None:
        return "not_two_sided"
    if not (bid.is_finite() and ask.is_finite()):
        return "not_finite"
    if ask <= 0 or bid < 0:
        return "not_two_sided"
    if bid > ask:
        return "crossed"
    if quote.bid_age_ms is None or quote.ask_age_ms is None:
        return "age_unknown"
    if max(quote.bid_age_ms, quote.ask_age_ms) + later_ms > age_max_ms:
        return "stale"
    if sold and not bid:
        return "no_bid"
    mid = (bid + ask) / _TWO
    if mid > STUB_MID and ask > STUB_RATIO * bid:
        return "stub"
    width = ask - bid
    if width > WIDTH_FREE and width > WIDTH_SHARE_MAX * mid:
        return "too_wide"
    return None


def leg_faults(
    legs: Iterable[OrderLeg], *, age_max_ms: int = AGE_MAX_MS, later_ms: int = 0
) -> tuple[LegFault, ...]:
    """The faults of all legs that trade; a marker (quantity 0) needs no market."""
    found = []
    for leg in legs:
        if leg.quantity:
            fault = quote_fault(leg.quote, sold=leg.quantity < 0, age_max_ms=age_max_ms, later_ms=later_ms)
            if fault is not None:
                found.append(LegFault(leg.name, fault, leg.quote))
    return tuple(found)
