"""Every quote that a snapshot shows: on tick, two-sided in the right order, consistent with its neighbours."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.market.pricing import pair
from mesoflow.simulator.market.ticks import from_cents, ticks

MOMENTS = [
    datetime(2025, 1, 16, 15, 0, tzinfo=UTC),  # the beginning of a world
    datetime(2025, 1, 16, 14, 30, tzinfo=UTC),  # the open
    datetime(2025, 1, 16, 20, 59, 30, tzinfo=UTC),  # half a minute before an expiry
    datetime(2025, 1, 18, 12, 0, tzinfo=UTC),  # a Saturday
    datetime(2025, 7, 3, 16, 30, tzinfo=UTC),  # shortly before an early close
]
MARKET = Market(7)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("seed", [7, 8])
def test_every_quote_is_on_tick_and_in_order(moment: datetime, seed: int) -> None:
    snapshot, ladder = Market(seed).at(moment), ticks("SPX")
    count = 0
    for expiry in snapshot.expiries("SPX"):
        for _, call_bid, call_ask, put_bid, put_ask in snapshot.chain("SPX", expiry):
            for bid, ask in ((call_bid, call_ask), (put_bid, put_ask)):
                assert 0 <= bid < ask
                assert ladder.allows(from_cents(bid)) and ladder.allows(from_cents(ask))
                count += 2
    assert count > 20_000


@pytest.mark.parametrize("moment", MOMENTS)
def test_call_and_put_are_in_parity(moment: datetime) -> None:
    snapshot = MARKET.at(moment)
    for expiry in snapshot.expiries("SPX"):
        smile = snapshot.slice_of(expiry)
        forward, discount = smile.terms.forward, smile.terms.discount
        for strike, call_bid, call_ask, put_bid, put_ask in snapshot.chain("SPX", expiry):
            worth = pair(smile, strike)
            assert worth.call - worth.put == pytest.approx(discount * (forward - strike), abs=1e-8)
            # Nobody can buy one side and sell the other for less than parity.
            value = discount * (forward - strike) * 100
            assert call_bid - put_ask <= value + 1e-6 and value - 1e-6 <= call_ask - put_bid


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_free(moment: datetime) -> None:
    """At the quotes, no vertical costs less than nothing or more than its width, and no butterfly pays at once."""
    snapshot = MARKET.at(moment)
    for expiry in snapshot.expiries("SPX"):
        chain = snapshot.chain("SPX", expiry)
        for (low, low_bid, low_ask, put_low_bid, put_low_ask), (high, bid, ask, put_bid, put_ask) in pairwise(
            chain
        ):
            width = (high - low) * 100
            assert low_ask >= bid and put_ask >= put_low_bid
            assert low_bid - ask <= width and put_bid - put_low_ask <= width
        worth = [pair(snapshot.slice_of(expiry), row[0]) for row in chain]
        for (a, x), (b, y), (c, z) in zip(
            zip(chain, worth, strict=True),
            zip(chain[1:], worth[1:], strict=True),
            zip(chain[2:], worth[2:], strict=True),
            strict=False,
        ):
            share = (c[0] - b[0]) / (c[0] - a[0])
            assert share * x.call + (1 - share) * z.call - y.call > -1e-7
            assert share * x.put + (1 - share) * z.put - y.put > -1e-7


def test_a_quote_is_the_chain_s(moment: datetime = MOMENTS[0]) -> None:
    snapshot = MARKET.at(moment)
    expiry = snapshot.expiries("SPX")[3]
    for strike, call_bid, call_ask, put_bid, put_ask in snapshot.chain("SPX", expiry)[::25]:
        call = snapshot.quote(Option("SPX", expiry.root, expiry.day, Decimal(int(strike)), "Call"))
        put = snapshot.quote(Option("SPX", expiry.root, expiry.day, Decimal(int(strike)), "Put"))
        assert call is not None and put is not None
        assert [call.bid, call.ask, put.bid, put.ask] == list(
            map(from_cents, (call_bid, call_ask, put_bid, put_ask))
        )
        assert call.mark == (from_cents(call_bid) + from_cents(call_ask)) / 2


def test_a_quote_is_a_function_of_the_second() -> None:
    option = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(6000), "Put")
    at = MOMENTS[0]
    fresh = [Market(7).at(at + timedelta(seconds=n)).quote(option) for n in range(20)]
    asked_backwards = [MARKET.at(at + timedelta(seconds=n)).quote(option) for n in reversed(range(20))]
    assert fresh == asked_backwards[::-1]
    assert MARKET.at(at + timedelta(milliseconds=999)) is MARKET.at(at)
    assert MARKET.next_step(at + timedelta(milliseconds=999)) == at + timedelta(seconds=1)


def test_a_closed_market_shows_its_last_quotes() -> None:
    option = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(6000), "Put")
    friday, sunday = datetime(2025, 1, 17, 21, 15, tzinfo=UTC), datetime(2025, 1, 19, 3, tzinfo=UTC)
    last = MARKET.at(friday).quote(option)
    assert last is not None and last.at == friday
    assert MARKET.at(sunday).quote(option) == last
    assert MARKET.next_step(sunday) == datetime(2025, 1, 21, 14, 30, tzinfo=UTC)


def test_what_has_expired_is_not_quoted() -> None:
    option = Option("SPX", "SPXW", date(2025, 1, 16), Decimal(6000), "Put")
    before, after = datetime(2025, 1, 16, 20, 59, 59, tzinfo=UTC), datetime(2025, 1, 16, 21, 0, tzinfo=UTC)
    assert MARKET.at(before).quote(option) is not None
    assert MARKET.at(after).quote(option) is None and MARKET.at(after).greeks(option) is None
    assert not [expiry for expiry in MARKET.at(after).expiries("SPX") if expiry.day == date(2025, 1, 16)]


def test_a_far_strike_has_no_bid_and_no_trades() -> None:
    quote = MARKET.at(MOMENTS[0]).quote(Option("SPX", "SPXW", date(2025, 1, 17), Decimal(4000), "Put"))
    assert quote is not None
    assert (quote.bid, quote.ask, quote.last, quote.last_at) == (Decimal("0.00"), Decimal("0.05"), None, None)


def test_greeks_of_a_quote_are_those_of_its_volatility() -> None:
    snapshot = MARKET.at(MOMENTS[0])
    option = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(6000), "Put")
    quote, mark = snapshot.quote(option), snapshot.greeks(option)
    assert quote is not None and quote.bid is not None and quote.ask is not None and mark is not None
    bid, ask = snapshot.greeks(option, quote.bid), snapshot.greeks(option, quote.ask)
    assert bid is not None and ask is not None
    assert bid.iv < mark.iv < ask.iv
    assert snapshot.greeks(option, Decimal("0.00")) is None


def test_indices_have_two_sides_and_nothing_else_is_known() -> None:
    snapshot = MARKET.at(MOMENTS[0])
    spx, vix = snapshot.underlying("SPX"), snapshot.underlying("VIX")
    assert spx is not None and vix is not None and spx.mark is not None
    assert spx.ask == spx.mark + Decimal("0.30") and spx.bid == spx.mark - Decimal("0.30")
    assert snapshot.underlying("AAPL") is None
    assert snapshot.quote(Option("VIX", "VIX", date(2025, 2, 14), Decimal(20), "Call")) is None
