from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.order_values import contract_of, contract_text, order_from_value, order_to_value
from mesoflow.trading.orders import Contract, Order, OrderFacts, Quote
from tests.unit.safety.making import CONDOR, closing, order

contracts = st.builds(
    Contract,
    st.sampled_from(["SPX", "BRK.B"]),
    st.sampled_from(["SPX", "SPXW"]),
    st.sampled_from(["put", "call"]),
    st.dates(),
    st.decimals(min_value=0, max_value=10**6, places=3),
    st.decimals(min_value=1, max_value=1000, places=0),
)


def as_sent(made: Order) -> Order:
    """Without what the journal holds elsewhere."""
    legs = tuple(replace(leg, quote=Quote(None, None)) for leg in made.legs)
    return replace(made, legs=legs, facts=OrderFacts(None, None, (), None), args={})


def test_an_order_reads_back_as_it_was_sent() -> None:
    for made in (
        order(CONDOR, args={"exec_plan_id": 7001}),
        closing(),
        order(walk="enter/group-1", target=3),
    ):
        assert order_from_value(order_to_value(made)) == as_sent(made)


def test_its_value_is_plain() -> None:
    value = order_to_value(order())
    assert list(value) == [
        "method", "account", "kind", "exec_plan_id", "position_id", "strategy_id", "symbol", "legs", "groups",
    ]  # fmt: skip
    assert value["groups"][0]["legs"] == ["near_put", "far_put"]
    assert value["legs"][1]["contract"] == contract_text(order().legs[1].contract)


def test_a_contract_is_one_text() -> None:
    text = "SPX SPXW 2025-02-14 put 5900 100"
    assert contract_text(contract_of(text)) == text
    assert (contract_of(text).option_type, contract_of(text).strike) == ("put", D(5900))


@given(contracts)
def test_every_contract_comes_back(contract: Contract) -> None:
    assert contract_of(contract_text(contract)) == contract


@pytest.mark.parametrize(
    "text", ["", "SPX SPXW 2025-02-14 put 5900", "SPX SPXW 2025-02-14 straddle 5900 100"]
)
def test_another_text_is_no_contract(text: str) -> None:
    with pytest.raises(ValueError):
        contract_of(text)
