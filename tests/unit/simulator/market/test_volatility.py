import math
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from mesoflow.simulator.market.market import Market
from mesoflow.simulator.market.volatility import Volatility

MARKET = Market(7)
VOLATILITY = Volatility(MARKET)
NOW = MARKET.at(datetime(2025, 3, 14, 15, 0, tzinfo=UTC))


def test_implied_follows_the_vix() -> None:
    assert VOLATILITY.implied(NOW) == pytest.approx(NOW.vix / 100, rel=0.2)


def test_rank_and_percentile_are_those_of_a_year_of_closes() -> None:
    year = [
        VOLATILITY.implied(MARKET.at(MARKET.calendar.session(NOW.session.index - back).closes))
        for back in range(1, 253)
    ]
    now = VOLATILITY.implied(NOW)
    low, high = min(*year, now), max(*year, now)
    assert VOLATILITY.rank(NOW) == pytest.approx((now - low) / (high - low) * 100)
    assert VOLATILITY.percentile(NOW) == pytest.approx(sum(v < now for v in year) / 252 * 100)


def test_realised_is_of_thirty_days_of_closes_before_today() -> None:
    days = MARKET.calendar.days
    closes = [
        MARKET.close(index)[0]
        for index, day in enumerate(days)
        if day >= datetime(2025, 2, 12).date() and index < NOW.session.index
    ]
    returns = [math.log(b / a) for a, b in pairwise(closes)]
    mean = sum(returns) / len(returns)
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / len(returns))
    assert VOLATILITY.realised(NOW) == pytest.approx(deviation * math.sqrt(252))
    later = MARKET.at(datetime(2025, 3, 14, 19, 0, tzinfo=UTC))
    assert VOLATILITY.realised(later) == VOLATILITY.realised(NOW), "not intraday"


def test_a_calendar_that_has_just_begun_has_no_year() -> None:
    early = MARKET.at(datetime(2024, 1, 3, 15, 0, tzinfo=UTC))
    assert [VOLATILITY.rank(early), VOLATILITY.percentile(early), VOLATILITY.realised(early)] == [None] * 3


def test_a_close_is_the_last_step_of_its_session() -> None:
    session = MARKET.calendar.session(300)
    snapshot = MARKET.at(session.closes)
    assert MARKET.close(300) == (snapshot.spot, snapshot.vix)
