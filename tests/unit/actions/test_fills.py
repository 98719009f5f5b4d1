"""What a booking leaves open: before and fills, leg by leg."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.actions.fills import Booked
from mesoflow.trading.orders import Contract, Order, OrderFacts, OrderLeg, Quote

PUT = Contract("SPX", "SPXW", "put", date(2025, 2, 13), Decimal(6000))
HELD = st.dictionaries(st.sampled_from("abcd"), st.integers(-5, 5).map(Decimal))


def booked(before: dict[str, Decimal], fills: dict[str, Decimal]) -> Booked:
    legs = tuple(OrderLeg(name, PUT, quantity, 1, Quote(None, None)) for name, quantity in fills.items())
    facts = OrderFacts(None, None, (), None)
    order = Order("ApplyPaperFills", "PAPER-1", "exit", 1, 7, 101, "SPX", legs, (), facts)
    return Booked(order, {}, before)


def test_an_exit_leaves_nothing() -> None:
    held = {"short": Decimal(-2), "long": Decimal(2)}
    assert booked(held, {"short": Decimal(2), "long": Decimal(-2)}).after == {}


@given(HELD, HELD)
def test_after_is_before_and_what_filled(before: dict[str, Decimal], fills: dict[str, Decimal]) -> None:
    after = booked(before, fills).after
    for name in "abcd":
        assert after.get(name, Decimal(0)) == before.get(name, Decimal(0)) + fills.get(name, Decimal(0))
    assert all(after.values())
