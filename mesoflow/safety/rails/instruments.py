"""C02: what may be traded. Where nothing narrows it, what the playbook's own plan names: its symbol, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import held, line
from mesoflow.safety.unlimited import Unlimited
from mesoflow.safety.verdicts import RailLine


def instruments(case: Case) -> Iterator[RailLine]:
    """Underlyings, roots, the strategy, expiries; what is not narrowed has a line only where it is wrong."""
    limits, order = case.limits, case.order
    symbols = (order.symbol,) if limits.symbols is None else limits.symbols
    strange = sorted({held.contract.underlying for held in case.holdings} - set(symbols))
    if strange or order.symbol not in symbols:
        yield line(Code.SYMBOL_NOT_ALLOWED, False, {"symbols": strange or [order.symbol]})
    else:
        yield held(Code.SYMBOL_NOT_ALLOWED)
    if limits.roots is not None:
        roots = sorted({held.contract.root for held in case.holdings} - set(limits.roots))
        yield line(Code.ROOT_NOT_ALLOWED, not roots, {"roots": roots} if roots else {})
    if limits.strategies is not None:
        named = {"strategy": order.strategy_id}
        yield line(Code.STRATEGY_NOT_ALLOWED, order.strategy_id in limits.strategies, named)
    yield _expiries(case)


def _expiries(case: Case) -> RailLine:
    today, days = case.day.today, case.limits.max_days_to_expiry
    expiries = [held.contract.expiration for held in case.holdings]
    if min(expiries) < today:
        return line(Code.EXPIRY_NOT_ALLOWED, False, {"expiry": min(expiries), "today": today})
    if days is None or isinstance(days, Unlimited):
        return held(Code.EXPIRY_NOT_ALLOWED)
    last = max(expiries)
    numbers = {"value": (last - today).days, "limit": days}
    return line(Code.EXPIRY_NOT_ALLOWED, last <= today + timedelta(days=int(days)), numbers)
