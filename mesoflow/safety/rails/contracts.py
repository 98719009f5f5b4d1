"""C03: how many contracts. An order is what goes to a broker at once, a leg group; one paper fill may hold several."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import line, not_set, shown, within
from mesoflow.safety.verdicts import RailLine

_ZERO = Decimal(0)


def contracts(case: Case) -> Iterator[RailLine]:
    """Each leg group; all orders of the run; all orders on the account in this session."""
    limits, ledger, order, sent = case.limits, case.ledger, case.order, case.sent
    limit, of_run, of_day = limits.max_contracts_per_order, limits.contracts_per_run, limits.contracts_per_day
    if limit is None or of_run is None or of_day is None:
        yield not_set("C03", "max_contracts_per_order")
        return
    total = _ZERO
    for each in case.groups:
        count = each.contracts
        total += count
        numbers = {"group": each.group.id, "value": count, "limit": shown(limit)}
        yield line(Code.CONTRACTS_PER_ORDER, within(limit, count), numbers)
    run = ledger.contracts(case.environment.run_id, sent) + total
    yield line(Code.CONTRACTS_PER_RUN, within(of_run, run), {"value": run, "limit": shown(of_run)})
    day = ledger.contracts_of_day(order.account, case.day.session, sent) + total
    yield line(Code.CONTRACTS_PER_DAY, within(of_day, day), {"value": day, "limit": shown(of_day)})
