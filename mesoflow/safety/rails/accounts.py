"""C01: which accounts an order may go to. Paper and simulated ones; a live one under all conditions of SAFETY.md §1.

Approvals (C19) are not in this version, so an account that is neither paper nor simulated is refused even then, by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import holds, line
from mesoflow.safety.verdicts import RailLine


def accounts(case: Case) -> Iterator[RailLine]:
    """The account is named under risk, and it is paper by what the hub says, or simulated by what the hub is."""
    order, environment = case.order, case.environment
    account = order.account
    yield holds(Code.ACCOUNT_NOT_ALLOWED, account in case.limits.accounts, lambda: {"account": account})
    paper = order.facts.is_paper is True or environment.simulator
    if not paper:
        yield from _live(case)
    numbers = {"account": account, "paper": order.facts.is_paper, "simulator": environment.simulator}
    yield line(Code.LIVE_REFUSED, paper, numbers)


def _live(case: Case) -> Iterator[RailLine]:
    """Every condition has its line, so that a refusal says all that is missing."""
    here, account = case.environment, {"account": case.order.account}
    yield line(Code.LIVE_NOT_LISTED, case.order.account in here.live_accounts, account)
    yield line(Code.LIVE_NOT_ACKNOWLEDGED, here.acknowledged, account)
    yield line(Code.LIVE_NOT_ASKED_FOR, here.allow_live, account)
    yield line(Code.LIVE_NOT_IN_PLAYBOOK, case.limits.live == "allowed", account)
