"""How an unknown outcome is settled: the table of EXECUTION.md §4, one row a method. Generators never see unknown.

Theory. A call left and no readable answer came (time-out, disconnect, crash), or the hub answered only "read the record"
(DuplicateRequest, Conflict). Each row asks the hub and ends in one of four verdicts:

    Settle      it is proved what happened: done, or refused
    Resend      it is proved as far as can be that it did not arrive: the same bytes with the same key, once more
    Renew       no market effect, and the old try is dead: a new generation, with a new key
    Human       it cannot be settled from here: the run parks, exit 4

Absence never proves: a missing record is only one of the conditions of Resend. What the table lacks is a Human.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from mesoflow.engine.effects import Govern, Tell
from mesoflow.hubs.errors import CallRefused
from mesoflow.runtime.settling import prepares, strategies, trades, withdrawals
from mesoflow.runtime.settling.case import Case, HubAway, RecordOfAnother
from mesoflow.runtime.settling.verdicts import Human, Renew, Resend, Settle, Verdict

Row: TypeAlias = Callable[[Case], Awaitable[Verdict]]

ROWS: Mapping[str, Row] = {
    "SendOrder": trades.trade,
    "ApplyPaperFills": trades.trade,
    "CancelOrder": withdrawals.cancel_order,
    "StartPreparePositionEntry": prepares.prepare,
    "StartPreparePositionExit": prepares.prepare,
    "StartPreparePositionAdjustment": prepares.adjustment,
    "CancelPreparePositionEntry": prepares.repeat,
    "CancelPreparePositionExit": prepares.repeat,
    "CancelPreparePositionAdjustment": prepares.repeat,
    "CreateStrategy": strategies.create_strategy,
    "UpdateStrategy": strategies.changed_strategy,
    "RenameStrategy": strategies.changed_strategy,
    "DeleteStrategy": strategies.deleted_strategy,
}


async def settle_unknown(case: Case) -> Verdict:
    """Look the method up in the table."""
    if isinstance(case.effect, Tell):
        return Resend({"why": "a notification may arrive twice; it says so"})
    if isinstance(case.effect, Govern):
        return Resend({"why": "asked for twice it changes nothing more"})
    row = ROWS.get(case.intent.method)
    if row is None:
        return Human(f"no rule settles {case.intent.method}", {"method": case.intent.method})
    try:
        return await row(case)
    except RecordOfAnother as other:
        return Human(str(other), other.said)
    except CallRefused as refused:
        # Under whatever status: a look-up that is refused says nothing about the call.
        said = {"method": refused.method, "status": refused.status, "message": refused.message}
        return Human("the hub refuses to tell what became of it", said)


__all__ = ["ROWS", "Case", "HubAway", "Human", "Renew", "Resend", "Settle", "Verdict", "settle_unknown"]
