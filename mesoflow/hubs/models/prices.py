"""Blocks of market figures: prices, greeks and profit, each on the quote bases bid, ask, last and mark.

A value is null where the market shows nothing or where it was not asked for; then its age is null too. Ages are
milliseconds at `snapshot_time`.
"""

from decimal import Decimal

from mesoflow.hubs.models.base import Instant, Wire


class Aged(Wire):
    """What the three blocks share."""

    snapshot_time: Instant | None = None  # when the hub computed it
    bid_age_ms: int | None = None
    ask_age_ms: int | None = None
    last_age_ms: int | None = None
    mark_age_ms: int | None = None


class LivePrices(Aged):
    """Prices in points. `mark` follows the hub's own rule of preference."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    mark: Decimal | None = None


class LivePnL(Aged):
    """Profit in currency: the realized part, and the running part on each basis. Total = realized + running."""

    realized: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    mark: Decimal | None = None


class Greeks(Wire):
    """Greeks on one basis; the set is inferred. `wvega` is vega weighted by time."""

    delta: Decimal | None = None
    gamma: Decimal | None = None
    theta: Decimal | None = None
    vega: Decimal | None = None
    rho: Decimal | None = None
    wvega: Decimal | None = None
    iv: Decimal | None = None  # a fraction: 0.16


class LiveGreeks(Aged):
    """Greeks on each quote basis; that they come by basis is documented, the layout inferred."""

    bid: Greeks | None = None
    ask: Greeks | None = None
    last: Greeks | None = None
    mark: Greeks | None = None
