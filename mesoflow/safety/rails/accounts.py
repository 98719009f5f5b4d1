"""C01: which accounts an order may go to. This version trades paper accounts, and the accounts of a simulator, only."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import line
from mesoflow.safety.verdicts import RailLine


def accounts(case: Case) -> Iterator[RailLine]:
    """The account is named under risk, and it is paper by what the hub says, or simulated by what the hub is."""
    order, environment = case.order, case.environment
    yield line(Code.ACCOUNT_NOT_ALLOWED, order.account in case.limits.accounts, {"account": order.account})
    paper = order.facts.is_paper is True
    numbers = {"account": order.account, "paper": order.facts.is_paper, "simulator": environment.simulator}
    yield line(Code.LIVE_REFUSED, paper or environment.simulator, numbers)
