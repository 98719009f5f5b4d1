"""Margins of the usual structures, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mesoflow.simulator.broker.margin import requirement
from mesoflow.simulator.market.chain import Option, Right

D = Decimal
NEAR, FAR = date(2025, 2, 14), date(2025, 3, 14)


def option(strike: int, right: Right, day: date = NEAR) -> Option:
    return Option("SPX", "SPXW", day, D(strike), right)


def needed(*held: tuple[Option, int]) -> Decimal:
    """Each contract is worth 10 points, the index stands at 6000."""
    return requirement([(o, D(q)) for o, q in held], lambda _: D(10), D(6000), D(100))


def put(strike: int, day: date = NEAR) -> Option:
    return option(strike, "Put", day)


def call(strike: int, day: date = NEAR) -> Option:
    return option(strike, "Call", day)


@pytest.mark.parametrize(
    ("held", "dollars"),
    [
        ((), 0),
        (((put(5900), 3),), 0),
        # 10 + 15 % of 6000 less 100 out of the money.
        (((put(5900), -1),), 81_000),
        # Far out of the money: at least 10 % of the strike, or of the index.
        (((put(5000), -1),), 51_000),
        (((call(7000), -2),), 122_000),
        # Spreads: the width.
        (((put(5900), -1), (put(5850), 1)), 5_000),
        (((put(5900), -2), (put(5850), 1)), 86_000),
        # A debit spread is paid for.
        (((put(5900), 1), (put(5850), -1)), 0),
        # An iron condor loses on one side only; the wider one counts.
        (((put(5900), -1), (put(5850), 1), (call(6100), -1), (call(6200), 1)), 10_000),
        # A strangle: the dearer side, and the other's value.
        (((put(5900), -1), (call(6200), -1)), 82_000),
        # Calendar and diagonal: the longer life covers; not the other way round.
        (((put(5900), -1), (put(5900, FAR), 1)), 0),
        (((put(5900), -1), (put(5880, FAR), 1)), 2_000),
        (((put(5900, FAR), -1), (put(5900), 1)), 81_000),
        # A butterfly: one long covers each short.
        (((put(5950), 1), (put(5900), -2), (put(5850), 1)), 5_000),
    ],
)
def test_margin_of_a_structure(held: tuple[tuple[Option, int], ...], dollars: int) -> None:
    assert needed(*held) == dollars
    assert needed(*reversed(held)) == dollars


def test_contracts_of_several_positions_net_out() -> None:
    assert needed((put(5900), -1), (put(5900), 1)) == 0
