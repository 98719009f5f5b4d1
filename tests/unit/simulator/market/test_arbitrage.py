"""What a trader would check first in any snapshot: nothing is free, at the quotes, whatever the moment and the seed.

Each check is a function that names what it finds, and each has a mutant of a chain that it catches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.simulator.market.chain import Expiry
from mesoflow.simulator.market.market import Market, Snapshot
from mesoflow.simulator.market.pricing import QuotedPair
from mesoflow.simulator.market.ticks import from_cents, ticks

Chain = list[QuotedPair]
MARKETS = {seed: Market(seed) for seed in (7, 11, 23)}
NOON = datetime(2025, 1, 16, 17, 0, tzinfo=UTC)
# Sums of rounded cents against theory.
SLACK = 1e-6


def parity(chain: Chain, snapshot: Snapshot, expiry: Expiry) -> Iterator[str]:
    """Neither buying the call and selling the put nor the opposite beats the forward."""
    terms = snapshot.slice_of(expiry).terms
    for strike, call_bid, call_ask, put_bid, put_ask in chain:
        value = terms.discount * (terms.forward - strike) * 100
        if call_bid - put_ask > value + SLACK or call_ask - put_bid < value - SLACK:
            yield f"parity at {strike:g}"


def verticals(chain: Chain, snapshot: Snapshot, expiry: Expiry) -> Iterator[str]:
    """A spread costs something, and pays no more than it is wide."""
    for (low, lcb, lca, lpb, lpa), (high, hcb, hca, hpb, hpa) in pairwise(chain):
        width = (high - low) * 100
        if lca < hcb or hpa < lpb:
            yield f"free vertical at {low:g}"
        if lcb - hca > width or hpb - lpa > width:
            yield f"vertical above its width at {low:g}"


def butterflies(chain: Chain, snapshot: Snapshot, expiry: Expiry) -> Iterator[str]:
    """Wings bought and the body sold never pays at once."""
    for low, body, high in zip(chain, chain[1:], chain[2:], strict=False):
        share = (high[0] - body[0]) / (high[0] - low[0])
        for bid, ask in ((1, 2), (3, 4)):
            if share * low[ask] + (1 - share) * high[ask] < body[bid] - SLACK:
                yield f"free butterfly at {body[0]:g}"


def quotes(chain: Chain, snapshot: Snapshot, expiry: Expiry) -> Iterator[str]:
    """On tick, in order, and a wider market for what is dearer only by a step."""
    ladder = ticks("SPX")
    for strike, *sides in chain:
        for bid, ask in (sides[:2], sides[2:]):
            if not (ladder.allows(from_cents(bid)) and ladder.allows(from_cents(ask))):
                yield f"off tick at {strike:g}"
            if not 0 <= bid < ask:
                yield f"crossed at {strike:g}"


CHECKS = (parity, verticals, butterflies, quotes)


def shifted(column: int, by: int) -> Callable[[Chain], Chain]:
    """A mutant: one price of the middle strike, so many cents off."""

    def mutant(chain: Chain) -> Chain:
        row = list(chain[len(chain) // 2])
        row[column] += by
        return [*chain[: len(chain) // 2], tuple(row), *chain[len(chain) // 2 + 1 :]]  # type: ignore[list-item]

    return mutant


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(MARKETS)),
    st.integers(0, 200),
    st.integers(0, 24_000),
    st.integers(0, 60),
)
def test_nothing_is_free_at_any_moment(seed: int, days: int, seconds: int, number: int) -> None:
    market = MARKETS[seed]
    session = market.calendar.session(market.calendar.begun(NOON).index + days)
    snapshot = market.at(session.opens + timedelta(seconds=seconds))
    expiries = snapshot.expiries("SPX")
    expiry = expiries[number % len(expiries)]
    chain = snapshot.chain("SPX", expiry)
    assert [found for check in CHECKS for found in check(chain, snapshot, expiry)] == []


@pytest.mark.parametrize(
    ("check", "mutant"),
    [
        (parity, shifted(1, 3000)),
        (parity, shifted(4, -3000)),
        (verticals, shifted(2, -3000)),
        (verticals, shifted(3, 5000)),
        (butterflies, shifted(1, 3000)),
        (butterflies, shifted(3, 3000)),
        (quotes, shifted(1, 1)),
        (quotes, shifted(2, -100_000)),
    ],
)
def test_every_check_sees_its_mutant(
    check: Callable[..., Iterator[str]], mutant: Callable[[Chain], Chain]
) -> None:
    snapshot = MARKETS[7].at(NOON)
    expiry = snapshot.expiries("SPX")[12]
    chain = snapshot.chain("SPX", expiry)
    assert list(check(chain, snapshot, expiry)) == []
    assert list(check(mutant(chain), snapshot, expiry)) != []


def calendars(snapshot: Snapshot, variance: Callable[[Expiry, float], float]) -> Iterator[str]:
    """Total variance grows with time at every moneyness: a later option is worth more, forward by forward."""
    for near, far in pairwise(sorted(snapshot.expiries("SPX"), key=lambda expiry: expiry.settles)):
        for k in (-0.3, -0.1, -0.02, 0.0, 0.02, 0.1):
            if variance(far, k) < variance(near, k) - 1e-12:
                yield f"free calendar {near.day} {far.day} at {k}"


@pytest.mark.parametrize("seed", sorted(MARKETS))
@pytest.mark.parametrize("hours", [-2, 0, 2, 4, 4.2])
def test_no_calendar_is_free_between_listed_expirations(seed: int, hours: float) -> None:
    snapshot = MARKETS[seed].at(NOON + timedelta(hours=hours))

    def variance(expiry: Expiry, k: float) -> float:
        smile = snapshot.slice_of(expiry)
        return smile.volatility(smile.terms.forward * math.exp(k)) ** 2 * smile.terms.years

    assert list(calendars(snapshot, variance)) == []
    # The mutant: one expiration whose volatility is a tenth higher.
    odd = snapshot.expiries("SPX")[5]
    assert list(calendars(snapshot, lambda expiry, k: variance(expiry, k) * (1.9 if expiry == odd else 1)))


def test_spreads_widen_with_vix_and_at_the_edges_of_the_day() -> None:
    def width(snapshot: Snapshot) -> float:
        expiry = snapshot.expiries("SPX")[20]
        chain = snapshot.chain("SPX", expiry)
        near = min(chain, key=lambda row: abs(row[0] - snapshot.spot))
        return (near[4] - near[3]) / near[4]

    market = MARKETS[7]
    session = market.calendar.begun(NOON)
    middle = width(market.at(NOON))
    for edge in (session.opens + timedelta(minutes=1), session.closes - timedelta(minutes=1)):
        assert width(market.at(edge)) > 2 * middle
    by_vix = sorted(
        (snapshot.vix, snapshot.spread.price_factor)
        for seed, one in MARKETS.items()
        for n in range(8)
        if (snapshot := one.at(market.calendar.session(session.index + 9 * n).opens + timedelta(hours=2)))
    )
    assert [factor for _, factor in by_vix] == sorted(factor for _, factor in by_vix)
