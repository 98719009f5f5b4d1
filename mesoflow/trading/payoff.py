"""What legs are worth at expiry, and the worst that can come of them.

The payoff of legs of one underlying is piecewise linear in the underlying: its lowest value lies at zero, at a strike, or
nowhere (it falls without end when more calls are short than long). Cash is kept apart, so that the same payoff serves an
order's loss (cash: its limit), a position's (cash: what its legs were opened at) and the question whether an order only
reduces risk (no cash).

A calendar: the worst at its first expiry, later legs at intrinsic value. A short leg that outlives its cover stands alone
from then on, so the legs that are left after each expiry are looked at by themselves as well: for a calendar whose later
leg is long that changes nothing, for a reversed one it is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from mesoflow.trading.orders import Contract

_ZERO: Final = Decimal(0)


class Holding(NamedTuple):
    """A signed quantity of a contract. A tuple: each judged order makes some, in the send path."""

    contract: Contract
    quantity: Decimal


def net(holdings: Iterable[Holding]) -> tuple[Holding, ...]:
    """Quantities of the same contract added; what cancels out is left out."""
    totals: dict[Contract, Decimal] = {}
    for held in holdings:
        totals[held.contract] = totals.get(held.contract, _ZERO) + held.quantity
    return tuple(Holding(contract, quantity) for contract, quantity in totals.items() if quantity)


def intrinsic(holdings: Iterable[Holding], underlying: Decimal) -> Decimal:
    """The value of all legs at their intrinsic value, in money."""
    total = _ZERO
    for held in holdings:
        contract = held.contract
        inside = (
            contract.strike - underlying if contract.option_type == "put" else underlying - contract.strike
        )
        if inside > 0:
            total += inside * contract.multiplier * held.quantity
    return total


def worst_payoff(
    holdings: Sequence[Holding], between: tuple[Decimal, Decimal] | None = None
) -> Decimal | None:
    """The lowest payoff at expiry, cash left out; None: it has no lowest value. `between` bounds the underlying."""
    expiries = sorted({held.contract.expiration for held in holdings})
    worst: Decimal | None = _lowest(holdings, between)
    for expiry in expiries[1:]:
        left = _lowest([held for held in holdings if held.contract.expiration >= expiry], between)
        worst = None if worst is None or left is None else min(worst, left)
    return worst


def loss_at_expiry(holdings: Sequence[Holding], cash: Decimal) -> Decimal | None:
    """The worst loss, never negative; None: unbounded. `cash`: + received, − paid, in money."""
    worst = worst_payoff(holdings)
    return None if worst is None else max(_ZERO, -(worst + cash))


def stress_loss(holdings: Sequence[Holding], cash: Decimal, underlying: Decimal, move: Decimal) -> Decimal:
    """The worst loss anywhere within a move of the underlying, either way, all legs at intrinsic value. `move` 0.08: 8 %."""
    reach = underlying * move
    lowest = _lowest(holdings, (underlying - reach, underlying + reach))
    assert lowest is not None  # a bounded stretch has a lowest value
    return max(_ZERO, -(lowest + cash))


def _lowest(holdings: Iterable[Holding], between: tuple[Decimal, Decimal] | None) -> Decimal | None:
    """The lowest value over the underlying. This stands in the send path, so money a point is worked out once a leg."""
    puts: list[tuple[Decimal, Decimal]] = []
    calls: list[tuple[Decimal, Decimal]] = []
    strikes = set()
    for held in holdings:
        contract = held.contract
        strikes.add(contract.strike)
        side = puts if contract.option_type == "put" else calls
        side.append((contract.strike, held.quantity * contract.multiplier))
    if between is None:
        if sum(size for _, size in calls) < 0:
            return None
        points = [_ZERO, *strikes]
    else:
        low, high = max(_ZERO, between[0]), between[1]
        points = [low, high, *(strike for strike in strikes if low < strike < high)]
    lowest: Decimal | None = None
    for point in points:
        total = _ZERO
        for strike, size in puts:
            if strike > point:
                total += (strike - point) * size
        for strike, size in calls:
            if point > strike:
                total += (point - strike) * size
        if lowest is None or total < lowest:
            lowest = total
    return lowest
