"""C03: how many contracts. An order is what goes to a broker at once, a leg group; one paper fill may hold several."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import counted, not_set
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
        yield counted(Code.CONTRACTS_PER_ORDER, limit, count, {"group": each.group.id})
    run = ledger.contracts(case.environment.run_id, sent) + total
    yield counted(Code.CONTRACTS_PER_RUN, of_run, run)
    day = ledger.contracts_of_day(order.account, case.day.session, sent) + total
    yield counted(Code.CONTRACTS_PER_DAY, of_day, day)
