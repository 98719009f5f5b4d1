"""C07: the quotes that an order rests on can be traded on, and the clock by which their age is told runs forwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import fact_missing, line
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.quotes import AGE_MAX_MS, FAULTS, leg_faults

_MILLISECOND = timedelta(milliseconds=1)


def quotes(case: Case) -> Iterator[RailLine]:
    """Every leg that trades passes the quote gate, with its age counted up to now."""
    read_at = case.order.facts.as_of
    if read_at is None:
        yield fact_missing("C07", "as_of")
        return
    newest = _newest(read_at, case.ledger.last_at(case.environment.run_id))
    if case.now < newest:
        yield line(Code.CLOCK_BACKWARDS, False, {"now": case.now, "before": newest})
        return
    faults = leg_faults(case.order.legs, later_ms=(case.now - read_at) // _MILLISECOND)
    for fault in faults:
        numbers = {
            "leg": fault.leg,
            "fault": FAULTS[fault.fault],
            "bid": fault.quote.bid,
            "ask": fault.quote.ask,
        }
        yield line(Code.QUOTE_UNUSABLE, False, numbers)
    if not faults:
        yield line(Code.QUOTE_UNUSABLE, True, {"read_at": read_at, "age_max_ms": AGE_MAX_MS})


def _newest(read_at: datetime, last_at: datetime | None) -> datetime:
    return read_at if last_at is None else max(read_at, last_at)
