"""Each checker of the walk has a mutant that it catches: the properties of test_walk.py would see these mistakes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.actions import rungs, sent, walk
from mesoflow.actions.sent import Sent
from mesoflow.actions.way import Walk
from tests.support.desk import Fate, Played
from tests.support.mutants import nothing, original_size_again
from tests.support.walks import calendar, enter, limits

D = Decimal


def one_too_many(played: Played) -> bool:
    """More was sent than was left (I1)."""
    left = 10
    for order in played.desk.orders:
        if abs(order.row["qty"]) > left:
            return True
        left -= int(order.row["cum_qty"])
    return False


def beyond_worst(played: Played) -> bool:
    """A price beyond the frozen worst, or better than the one before (I6)."""
    prices = limits(played)
    return prices != sorted(prices) or any(price > D("42.55") for price in prices)


def two_alive(played: Played) -> bool:
    """Two orders of one leg group at a time."""
    return max(played.desk.most_alive.values()) > 1


def left_alive(played: Played) -> bool:
    """An order outlived its run (I17)."""
    return not all(order.over for order in played.desk.orders)


def anchored_anew(patch: pytest.MonkeyPatch) -> None:
    original = rungs.order_of

    def mutant(ctx: Any, way: Walk, market: Any, price: Decimal) -> Any:
        return original(ctx, way, market, price + D("0.30") * len(way.orders))

    patch.setattr(rungs, "order_of", mutant)


def never_taken_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(walk, "take_back", nothing)
    patch.setattr(Walk, "live", property(lambda way: None))


def taken_for_cancelled(patch: pytest.MonkeyPatch) -> None:
    """What is asked for counts as done: the cancel is not confirmed (lesson A2)."""

    def mutant(ctx: Any, order: Sent, name: str) -> Any:
        if not order.over:
            yield from sent.ask_back(order, name)
            order.state = "Cancelled"

    patch.setattr(walk, "take_back", mutant)


PIECES = [Fate(fills=[(3, 2)]), Fate(fills=[(5, 1)], race=2), Fate()]


@pytest.mark.parametrize(
    ("mutant", "caught"),
    [
        (original_size_again, one_too_many),
        (anchored_anew, beyond_worst),
        (never_taken_back, two_alive),
        (taken_for_cancelled, two_alive),
        (never_taken_back, left_alive),
    ],
)
def test_a_mutant_is_caught(
    monkeypatch: pytest.MonkeyPatch,
    mutant: Callable[[pytest.MonkeyPatch], None],
    caught: Callable[[Played], bool],
) -> None:
    def played() -> Played:
        return enter(*PIECES, exec_plan=calendar(10), within="70s", if_incomplete="keep")

    assert not caught(played())
    mutant(monkeypatch)
    assert caught(played())
