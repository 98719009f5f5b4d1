"""From the wire's contracts and figures to ours."""

from datetime import date
from decimal import Decimal

import pytest

from mesoflow.actions.contracts import contract_of, greek_set, shown_greeks, summed_greeks
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.prices import LiveGreeks
from mesoflow.trading.orders import Contract
from tests.support.answers import greeks, leg

D = Decimal


def test_an_option() -> None:
    live = LiveLeg.read(leg(1, "call", 1, strike=6100, option_type="Call"))
    assert contract_of(live) == Contract("SPX", "SPXW", "call", date(2025, 2, 13), D(6100), D(100))


def test_what_the_hub_leaves_out_is_the_usual() -> None:
    row = leg(1, "put", 1)
    row["live_contract"] |= {"root": None, "multiplier": None}
    assert contract_of(LiveLeg.read(row)) == Contract("SPX", "SPX", "put", date(2025, 2, 13), D(6000), D(100))


@pytest.mark.parametrize(
    "change", [{"option_type": None}, {"option_type": "Odd"}, {"strike": None}, {"expiration": None}]
)
def test_what_is_no_option(change: dict[str, object]) -> None:
    row = leg(1, "thing", 1)
    row["live_contract"] |= change
    with pytest.raises(StepError, match="bad_value: leg thing is no option, which mesoflow does not trade"):
        contract_of(LiveLeg.read(row))


def test_greeks_scale_and_add_up_and_gaps_stay_gaps() -> None:
    whole = shown_greeks(greek_set(LiveGreeks.read(greeks("-40", "57"))), D(2))
    assert (whole.delta, whole.theta) == (D(-80), D(114))
    assert summed_greeks([whole, whole]).delta == D(-160)
    none = shown_greeks(greek_set(None), D(2))
    assert (none.delta, summed_greeks([whole, none]).delta) == (None, None)
