"""C11 and C20: a playbook that is started over and over, and runs that fail over and over, stop opening risk."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import ERRORS_PER_DAY, RUNS_PER_SESSION
from mesoflow.safety.rails.lines import counted, fact_missing, held, line, shown, within
from mesoflow.safety.verdicts import RailLine

_RUNS, _ERRORS = Decimal(RUNS_PER_SESSION), Decimal(ERRORS_PER_DAY)


def runs(case: Case) -> Iterator[RailLine]:
    """Which run of its playbook this is in its session; judged at the start too (runtime/starts.py)."""
    number, limit = case.environment.run_number, case.limits.max_runs_per_session or _RUNS
    if number is None:
        yield fact_missing("C11", "how many runs of the playbook began in this session")
    else:
        yield counted(Code.RUNS_PER_SESSION, limit, number)


def errors(case: Case) -> Iterator[RailLine]:
    """Runs of this session that ended failed, of every playbook."""
    limit = case.limits.max_errors_per_day or _ERRORS
    count = case.ledger.errors(case.day.session)
    if not count:
        yield held(Code.ERROR_BUDGET)
    else:
        yield line(Code.ERROR_BUDGET, within(limit, count + 1), {"value": count, "limit": shown(limit)})
