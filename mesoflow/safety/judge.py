"""Judging: every rail on one order, pure, between the last settle and the commit (EXECUTION.md §2).

No rail stops another: a verdict names everything that is wrong. An order that does not hang together is the exception,
since the other rails could not count it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mesoflow.safety.case import Case
from mesoflow.safety.environment import Environment
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.safety.rails.catalogue import RAILS, Rail
from mesoflow.safety.rails.lines import fact_missing, skipped
from mesoflow.safety.rails.structure import structure
from mesoflow.safety.verdicts import RailLine, Verdict
from mesoflow.trading.orders import Order


def judge(
    order: Order,
    limits: Limits,
    ledger: Ledger,
    now: datetime,
    environment: Environment,
    *,
    path: str = "",
    rails: Iterable[Rail] = RAILS,
) -> Verdict:
    """Judge an order. `path` is where it stands in its run; `rails` is for the tests of the rails."""
    shape = structure(order)
    if shape.held == "refused":
        return Verdict(order, (shape,), policy=environment.policy)
    try:
        case = Case(order, limits, ledger, now, environment, path)
    except ArithmeticError:
        return Verdict(order, (shape, _no_number("C04")), policy=environment.policy)
    return Verdict(order, (shape, *_lines(case, rails)), case.reduces, environment.policy)


def _lines(case: Case, rails: Iterable[Rail]) -> list[RailLine]:
    lines: list[RailLine] = []
    reduces = case.reduces
    for rail in rails:
        if reduces and rail.skipped is not None:
            lines.append(skipped(rail.skipped))
            continue
        try:
            # What a rail has said before a figure that is no number stays said.
            lines.extend(rail.judge(case))
        except ArithmeticError:
            lines.append(_no_number(rail.control))
    return lines


def _no_number(control: str) -> RailLine:
    """ArithmeticError is Decimal's answer to a comparison with what is no number. What cannot be compared does not hold."""
    return fact_missing(control, "a figure that is a number")
