"""Making lines: what every rail does the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import Count, Money, Tightest
from mesoflow.safety.unlimited import UNLIMITED, Unlimited
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.amounts import Amount, NotMeasured

_NOTHING: Mapping[str, Any] = {}
_HELD: Mapping[Code, RailLine] = {code: RailLine(code, "held") for code in Code}
_SKIPPED: Mapping[Code, RailLine] = {code: RailLine(code, "skipped") for code in Code}


def held(code: Code) -> RailLine:
    """Held, and there are no numbers to it. Made once: it stands in the send path."""
    return _HELD[code]


def holds(code: Code, there: bool, numbers: Callable[[], Mapping[str, Any]]) -> RailLine:
    """Held without numbers, or refused with them: for rules of which nobody asks how near they were."""
    return _HELD[code] if there else RailLine(code, "refused", numbers())


def skipped(code: Code) -> RailLine:
    """The rule does not apply to an order that only reduces risk."""
    return _SKIPPED[code]


def line(code: Code, holds: bool, numbers: Mapping[str, Any]) -> RailLine:
    """Held or refused, with the numbers."""
    return RailLine(code, "held" if holds else "refused", numbers)


def not_set(control: str, key: str) -> RailLine:
    """The rail applies and `risk` does not set it."""
    return RailLine(Code.RAIL_NOT_SET, "refused", {"risk": key}, control)


def fact_missing(control: str, what: str) -> RailLine:
    """The rail applies and what it needs is not known."""
    return RailLine(Code.FACT_MISSING, "refused", {"fact": what}, control)


def at_most(case: Case, code: Code, key: str, limit: Money, value: Decimal) -> RailLine:
    """A figure in money against its limit in `risk`."""
    if limit is None:
        return not_set(code.control, key)
    if limit is UNLIMITED:
        return line(code, True, {"value": value, "limit": "unlimited"})
    bound = money(case, limit)
    if bound is None:
        return fact_missing(code.control, "net_liquidation")
    return line(code, value.is_finite() and value <= bound, {"value": value, "limit": bound})


def money(case: Case, limit: Money) -> Decimal | None:
    """A limit in money; None where it is a share of a net liquidation that is not known, or not positive."""
    assert limit is not None and not isinstance(limit, Unlimited)
    if isinstance(limit, Amount) and limit.unit == "number":
        return limit.value
    try:
        if isinstance(limit, Tightest):
            bound = min(amount.money(case.measures) for amount in limit.amounts)
        else:
            bound = limit.money(case.measures)
    except NotMeasured:
        return None
    return bound if bound >= 0 else None


def counted(code: Code, limit: Count, value: Decimal | int, about: Mapping[str, Any] = _NOTHING) -> RailLine:
    """A count against its limit, both among the numbers; UNLIMITED holds whatever there is."""
    assert limit is not None
    numbers = {"value": value, "limit": shown(limit)}
    return line(code, within(limit, value), {**about, **numbers} if about else numbers)


def within(limit: Count, value: Decimal | int) -> bool:
    """A count against its limit; UNLIMITED holds whatever there is."""
    assert limit is not None
    return isinstance(limit, Unlimited) or value <= limit


def shown(limit: object) -> Decimal | str:
    """A limit among a line's numbers."""
    return limit if isinstance(limit, Decimal) else str(limit)
