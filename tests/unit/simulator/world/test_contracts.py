from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.hubs.models.contracts import LiveContract
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.world.contracts import live_contract, option_of
from mesoflow.simulator.world.errors import Refused

PUT = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(5970), "Put")
WIRE: dict[str, Any] = {
    "contract_type": "Options",
    "underlying": {"symbol": "SPX"},
    "root": "SPXW",
    "option_type": "Put",
    "expiration": "2025-02-14T00:00:00Z",
    "strike": "5970.00",
}


@pytest.mark.parametrize("root", ["SPXW", "SPX"])
def test_a_contract_comes_back_as_it_went(root: str) -> None:
    option = Option("SPX", root, date(2025, 2, 21), Decimal(5970), "Call")
    assert option_of(LiveContract.model_validate(live_contract(option, Market(7)), context="write")) == option


def test_the_expiration_is_the_settlement_and_its_date_is_enough() -> None:
    assert live_contract(PUT, Market(7))["expiration"].isoformat() == "2025-02-14T21:00:00+00:00"
    assert option_of(LiveContract.read(WIRE)) == PUT


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"option_type": None}, "an option has a type, an expiration and a strike"),
        ({"strike": None}, "an option has a type, an expiration and a strike"),
        ({"underlying": {"symbol": "GLD"}}, "this market has no options SPXW on GLD"),
        ({"root": "XSP"}, "this market has no options XSP on SPX"),
    ],
)
def test_what_is_no_option_of_this_market(change: dict[str, Any], detail: str) -> None:
    with pytest.raises(Refused) as caught:
        option_of(LiveContract.read(WIRE | change))
    assert caught.value.detail == detail
