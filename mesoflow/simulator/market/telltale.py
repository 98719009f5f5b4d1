"""How the hubs tell the quotes of options where a dial says otherwise than the market shows them (troubles.py, Misquote).

The brokers know nothing of it: they trade at the market's own quotes. What is told stays a function of the dial and of time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from mesoflow.simulator.faults import Faults
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market, Quote

_STUB_BID, _STUB_ASK = Decimal("0.01"), Decimal(9999)
_NAN = Decimal("NaN")


class Telltale:
    """By the dials."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def __call__(self, market: Market, option: Option, now: datetime) -> Quote | None:
        wrong = self._faults.misquote(now)
        quote = market.at(now if wrong is None or wrong.what != "stale" else wrong.when.start).quote(option)
        if quote is None or wrong is None:
            return quote
        match wrong.what:
            case "crossed":
                return replace(quote, bid=quote.ask, ask=quote.bid)
            case "stub":
                return replace(quote, bid=_STUB_BID, ask=_STUB_ASK)
            case "no_bid":
                return replace(quote, bid=None, mark=None)
            case "absent":
                return None
            case "nan":
                return replace(quote, bid=_NAN, ask=_NAN, mark=_NAN)
        return quote
