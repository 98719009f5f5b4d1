"""C03: how many contracts. An order is what goes to a broker at once, a leg group; one paper fill may hold several."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import UNLIMITED
from mesoflow.safety.rails.lines import line, not_set
from mesoflow.safety.verdicts import RailLine


def contracts(case: Case) -> Iterator[RailLine]:
    """Each leg group against the limit, all orders of the run against ten times that."""
    limit, run_limit = case.limits.max_contracts_per_order, case.limits.max_contracts_per_run
    if limit is None or run_limit is None:
        yield not_set("C03", "max_contracts_per_order")
        return
    for each in case.groups:
        count = each.contracts
        numbers = {"group": each.group.id, "value": count, "limit": _shown(limit)}
        yield line(Code.CONTRACTS_PER_ORDER, limit is UNLIMITED or count <= limit, numbers)
    run = case.ledger.contracts(case.environment.run_id, case.order) + case.order.contracts
    yield line(
        Code.CONTRACTS_PER_RUN,
        run_limit is UNLIMITED or run <= run_limit,
        {"value": run, "limit": _shown(run_limit)},
    )


def _shown(limit: object) -> Decimal | str:
    return limit if isinstance(limit, Decimal) else str(limit)
