from decimal import Decimal as D

from tests.unit.safety.making import CONDOR, order


def test_contracts_are_counted_over_the_legs() -> None:
    assert order(CONDOR).contracts == D(8)
