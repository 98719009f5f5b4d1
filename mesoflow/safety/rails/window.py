"""C13: when entries may leave: inside the session, not right after its open nor right before its close, not on dates that
somebody has struck out. Early closes and holidays come with the calendar; a day outside its years is no session."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import DEFAULT_WINDOW
from mesoflow.safety.rails.lines import held, line, skipped
from mesoflow.safety.unlimited import Unlimited
from mesoflow.safety.verdicts import RailLine


def window(case: Case) -> Iterator[RailLine]:
    """Entries only: an exit leaves whenever somebody takes it."""
    if case.order.kind == "exit":
        yield skipped(Code.SESSION_WINDOW)
        return
    yield _window(case)
    if case.limits.no_trade_dates:
        today = case.day.today
        yield line(Code.NO_TRADE_DATE, today not in case.limits.no_trade_dates, {"today": today})


def _window(case: Case) -> RailLine:
    limit, day = case.limits.session_window or DEFAULT_WINDOW, case.day
    if isinstance(limit, Unlimited):
        return held(Code.SESSION_WINDOW)
    if day.opens is None or day.closes is None:
        return line(Code.SESSION_WINDOW, False, {"now": case.now, "session": "none on this day"})
    first, last = day.opens + limit.after_open, day.closes - limit.before_close
    if first <= case.now < last:
        return held(Code.SESSION_WINDOW)
    return line(Code.SESSION_WINDOW, False, {"now": case.now, "from": first, "to": last})
