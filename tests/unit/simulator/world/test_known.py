"""What the language knows of an account and its underlying, in a world that holds something."""

from pathlib import Path

import pytest

from mesoflow.simulator.market.volatility import Volatility
from mesoflow.simulator.strategies.legs import scaled
from mesoflow.simulator.strategies.margins import MarginRule
from mesoflow.simulator.world.contracts import option_of
from mesoflow.simulator.world.known import Known
from tests.support.broker_desk import CONDOR, BrokerDesk


@pytest.fixture
def desk(tmp_path: Path) -> BrokerDesk:
    found = BrokerDesk(tmp_path / "world", profile="kind")
    plan = found.plan(CONDOR)
    found.ended(found.send(plan, found.price(plan, "1")), within=600)
    return found


def known(desk: BrokerDesk, account: str = "IB-1", margin: MarginRule | None = None) -> Known:
    world = desk.simulator.world
    return Known(world.core, world.accounts, world.positions, account, desk.now, margin)


def test_an_accounts_greeks_are_those_of_its_legs(desk: BrokerDesk) -> None:
    world = desk.simulator.world
    snapshot, today = world.market.at(desk.now), world.market.calendar.local_date(desk.now)
    delta = 0.0
    for _, leg in world.positions.leg_documents.find("open"):
        option = option_of(leg.live_contract)
        greeks = snapshot.greeks(option)
        assert greeks is not None
        delta += scaled(greeks, leg.qty, (option.expiration - today).days)["delta"]
    assert known(desk)["acc_delta"] == pytest.approx(delta) and delta != 0
    assert known(desk, "TT-1")["acc_delta"] == 0.0
    assert (known(desk)["pos_in_flight"], known(desk, "TT-1")["pos_in_flight"]) == (1.0, 0.0)


def test_margin_is_known_where_a_definition_has_a_model(desk: BrokerDesk) -> None:
    assert "acc_margin" not in known(desk)
    assert known(desk, margin=MarginRule("RegT"))["acc_margin"] == 5000.0
    assert known(desk, "TT-1", MarginRule("PMLike"))["acc_margin"] == 0.0


def test_the_underlying_is_the_markets(desk: BrokerDesk) -> None:
    market, found = desk.simulator.world.market, known(desk)
    snapshot = market.at(desk.now)
    before = market.calendar.session(snapshot.session.index - 1)
    assert found["underlying_price"] == snapshot.spot
    assert found["underlying_prevday_close"] == market.at(before.closes).spot
    assert found["underlying_iv_rank"] == Volatility(market).rank(snapshot)
    assert found["timing.day_of_week"] == 4.0
    with pytest.raises(KeyError):
        found["underlying_color"]
    assert len(found) == len(set(found))
