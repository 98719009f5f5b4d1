"""C18 and C22: whether anybody has said that only closing is wanted, and whether what we believe to hold is what is held."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import RECONCILE_EVERY
from mesoflow.safety.rails.lines import fact_missing, held, line, skipped
from mesoflow.safety.unlimited import Unlimited
from mesoflow.safety.verdicts import RailLine

# The numbers of a line are read by people: so many differences are enough to go and look.
_TOLD_MAX = 5


def reducing(case: Case) -> Iterator[RailLine]:
    """REDUCING: only what closes. An exit that closes its legs in an order that raises the worst loss in between is one too."""
    state = case.ledger.trading_state(case.order.account, case.day.session)
    if state.state == "ACTIVE":
        yield held(Code.REDUCING)
        return
    numbers = {"state": state.state, "owner": state.owner, "reason": state.reason, "since": state.at}
    yield line(Code.REDUCING, case.reduces or (case.order.kind == "exit" and case.closes), numbers)


def reconciled(case: Case) -> Iterator[RailLine]:
    """Before what may open risk. An older comparison than `reconcile_every` is made anew, here, with what this order's action
    has just read of the account."""
    order, facts = case.order, case.order.facts
    if order.kind == "exit":
        yield skipped(Code.NOT_RECONCILED)
        return
    every, positions = case.limits.reconcile_every or RECONCILE_EVERY, case.ledger.positions
    agreed = positions.agreed_at(order.account)
    if isinstance(every, Unlimited) or (agreed is not None and case.now - agreed <= every):
        yield held(Code.NOT_RECONCILED)
    elif facts.as_of is None:
        yield fact_missing("C22", "as_of")
    else:
        found = positions.differences(order.account, facts.open_legs, facts.as_of)
        numbers = {"differences": found[:_TOLD_MAX]} if found else {"compared_at": facts.as_of}
        yield line(Code.NOT_RECONCILED, not found, numbers)
