"""C05 and C06: the limit against an independent reference, and against the frozen worst price.

The reference is the mid of the legs' own quotes, computed here anew; what the order says of its mid is not believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case, GroupCase
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import COLLAR_TICKS_MIN
from mesoflow.safety.rails.lines import fact_missing, line, not_set
from mesoflow.safety.unlimited import UNLIMITED
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.amounts import Amount, Measures, NotMeasured
from mesoflow.trading.combos import NoPrice, PackageQuote, package_quote, strike_width
from mesoflow.trading.ticks import tick_table

_ZERO = Decimal(0)


def collar(case: Case) -> Iterator[RailLine]:
    """C05. Both ways: a limit far better than the market is a wrong sign more often than a bargain."""
    limit = case.limits.max_distance_from_mid
    for each in case.groups:
        reference = _reference(each)
        if reference is None:
            yield line(Code.REFERENCE_MISSING, False, {"group": each.group.id})
        elif limit is None:
            yield not_set("C05", "max_distance_from_mid")
        elif limit is UNLIMITED:
            numbers = {"group": each.group.id, "mid": reference.mid, "limit": "unlimited"}
            yield line(Code.DISTANCE_FROM_MID, each.group.limit.is_finite(), numbers)
        else:
            yield _distance(each, reference, limit)


def _reference(each: GroupCase) -> PackageQuote | None:
    packages = each.group.packages
    try:
        quote = package_quote((int(leg.quantity) // packages, leg.quote) for leg in each.legs)
    except (NoPrice, ArithmeticError):
        return None
    return quote if quote.mid.is_finite() and quote.mid else None


def _distance(each: GroupCase, reference: PackageQuote, limit: tuple[Amount, ...]) -> RailLine:
    tick = tick_table(each.legs[0].contract.underlying).package.at(reference.mid)
    measures = Measures(
        mid=reference.mid,
        quote_width=reference.width,
        strike_width=_strike_width(each) if any(amount.unit == "strike_width" for amount in limit) else None,
        tick=tick,
    )
    try:
        tightest = min(amount.points(measures) for amount in limit)
    except NotMeasured as missing:
        return fact_missing("C05", str(missing))
    allowed = max(tightest, COLLAR_TICKS_MIN * tick)
    price = each.group.limit
    distance = abs(price - reference.mid) if price.is_finite() else price
    numbers = {
        "group": each.group.id,
        "price": price,
        "mid": reference.mid,
        "value": distance,
        "limit": allowed,
    }
    return line(Code.DISTANCE_FROM_MID, price.is_finite() and distance <= allowed, numbers)


def _strike_width(each: GroupCase) -> Decimal | None:
    return strike_width(leg.contract for leg in each.legs)


def worst(case: Case) -> Iterator[RailLine]:
    """C06. A signed price is worse when it is more; on paper the prices of the legs have to add up to no more either."""
    for each in case.groups:
        group = each.group
        if group.worst is None or not group.worst.is_finite():
            yield line(Code.PRICE_MISSING, False, {"group": group.id, "worst": None})
            continue
        filled = group.limit if case.order.method == "SendOrder" else _paper_price(each)
        if filled is None:
            yield line(Code.PRICE_MISSING, False, {"group": group.id, "worst": group.worst})
            continue
        holds = group.limit.is_finite() and group.limit <= group.worst and filled <= group.worst
        yield line(
            Code.BEYOND_WORST,
            holds,
            {"group": group.id, "price": max(group.limit, filled), "worst": group.worst},
        )


def _paper_price(each: GroupCase) -> Decimal | None:
    total = _ZERO
    for leg in each.legs:
        if leg.price is None or not leg.price.is_finite() or leg.price < 0:
            return None
        total += leg.quantity * leg.price
    return total / each.group.packages
