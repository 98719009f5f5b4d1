"""C11 and C20: a playbook that is started over and over, and runs that fail over and over, stop opening risk."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import ERRORS_PER_DAY, RUNS_PER_SESSION
from mesoflow.safety.rails.lines import fact_missing, line, shown, within
from mesoflow.safety.verdicts import RailLine


def runs(case: Case) -> Iterator[RailLine]:
    """Which run of its playbook this is in its session; judged at the start too (runtime/starts.py)."""
    number, limit = case.environment.run_number, case.limits.max_runs_per_session or Decimal(RUNS_PER_SESSION)
    if number is None:
        yield fact_missing("C11", "how many runs of the playbook began in this session")
    else:
        yield line(Code.RUNS_PER_SESSION, within(limit, number), {"value": number, "limit": shown(limit)})


def errors(case: Case) -> Iterator[RailLine]:
    """Runs of this session that ended failed, of every playbook."""
    limit = case.limits.max_errors_per_day or Decimal(ERRORS_PER_DAY)
    count = case.ledger.errors(case.day.session)
    yield line(Code.ERROR_BUDGET, within(limit, count + 1), {"value": count, "limit": shown(limit)})
