"""In which order the leg groups of a plan are traded.

Between the first group and the last the position is a part of what is wanted, and the last may never fill. `safest` is the
order in which the worst that can come of any such part is smallest: the greatest loss at expiry along the way, or, where a
part has none (it falls without end), the loss within a move of the underlying, which counts as greater than any bounded
one. Ties go by group id. When opening that puts longs first, when closing shorts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from typing import Final, NamedTuple

from mesoflow.trading.payoff import Holding, net, worst_payoff

# How far the underlying is moved for a part without a worst loss: as for orders that only reduce risk (SAFETY.md §3).
MOVE: Final = Decimal("0.20")
# 5,040 orders of seven groups; brokers' structures have four. Beyond that each next group is the safest one.
_GROUPS_MAX: Final = 7
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A leg group: what it adds to the position, and the cash it costs or brings (+ received)."""

    id: int
    legs: tuple[Holding, ...]
    cash: Decimal


class Worst(NamedTuple):
    """How bad a part of a position can get; compares as it should."""

    unbounded: bool
    loss: Decimal


def safest(pieces: Sequence[Piece], held: Iterable[Holding], underlying: Decimal) -> tuple[int, ...]:
    """The ids in the safest order. `held` is what is open before the first."""
    before = tuple(held)
    by_id = sorted(pieces, key=lambda piece: piece.id)
    if len(by_id) > _GROUPS_MAX:
        return tuple(piece.id for piece in _greedy(by_id, before, underlying))
    # `min` takes the first of equals, and permutations come in the order of ids.
    best = min(permutations(by_id), key=lambda order: greatest(order, before, underlying))
    return tuple(piece.id for piece in best)


def greatest(order: Sequence[Piece], held: Iterable[Holding], underlying: Decimal) -> Worst:
    """The worst of all parts on the way, the whole included."""
    return max(_parts(order, tuple(held), underlying), default=Worst(False, _ZERO))


def _parts(order: Sequence[Piece], held: tuple[Holding, ...], underlying: Decimal) -> Iterator[Worst]:
    legs, cash = held, _ZERO
    for piece in order:
        legs, cash = (*legs, *piece.legs), cash + piece.cash
        yield _worst(legs, cash, underlying)


def _worst(legs: Iterable[Holding], cash: Decimal, underlying: Decimal) -> Worst:
    """What `held` was opened at shifts every part alike, so it is left out."""
    holdings = net(legs)
    lowest = worst_payoff(holdings)
    if lowest is not None:
        return Worst(False, -(lowest + cash))
    reach = underlying * MOVE
    within = worst_payoff(holdings, (underlying - reach, underlying + reach))
    assert within is not None, "a bounded stretch has a lowest value"
    return Worst(True, -(within + cash))


def _greedy(by_id: Sequence[Piece], held: tuple[Holding, ...], underlying: Decimal) -> Iterator[Piece]:
    left, legs, cash = list(by_id), held, _ZERO
    while left:
        following = min(left, key=lambda piece: _worst((*legs, *piece.legs), cash + piece.cash, underlying))
        left.remove(following)
        legs, cash = (*legs, *following.legs), cash + following.cash
        yield following
