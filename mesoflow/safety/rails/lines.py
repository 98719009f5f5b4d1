"""Making lines: what every rail does the same way."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import UNLIMITED, Money
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.amounts import NotMeasured


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
    assert limit is not None and limit is not UNLIMITED
    try:
        bound = limit.money(case.measures)
    except NotMeasured:
        return None
    return bound if bound >= 0 else None
