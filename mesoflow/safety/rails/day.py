"""C14: once the day's loss has reached its limit, only what reduces risk goes on."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import fact_missing, line, money, not_set
from mesoflow.safety.unlimited import UNLIMITED
from mesoflow.safety.verdicts import RailLine


def day(case: Case) -> Iterator[RailLine]:
    """An exit is never refused by it, whatever its payoff says: a halt would stop the stops."""
    limit, pnl = case.limits.max_daily_loss, case.order.facts.day_pnl
    if case.order.kind == "exit":
        yield RailLine(Code.DAILY_LOSS, "skipped", {"kind": "exit"})
    elif limit is None:
        yield not_set("C14", "max_daily_loss")
    elif limit is UNLIMITED:
        yield line(Code.DAILY_LOSS, True, {"day_pnl": pnl, "limit": "unlimited"})
    elif pnl is None or not pnl.is_finite():
        yield line(Code.DAY_PNL_UNKNOWN, False, {"day_pnl": None})
    else:
        bound = money(case, limit)
        if bound is None:
            yield fact_missing("C14", "net_liquidation")
        else:
            yield line(Code.DAILY_LOSS, -pnl < bound, {"day_pnl": pnl, "limit": bound})
