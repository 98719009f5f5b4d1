"""C04: what an order pays or receives, and what can be lost: by it, by all that is open, in a move of the underlying."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import StressLoss
from mesoflow.safety.rails.lines import at_most, fact_missing, line, money, not_set
from mesoflow.safety.unlimited import UNLIMITED
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.payoff import Holding, stress_loss, worst_payoff

_ZERO = Decimal(0)


def losses(case: Case) -> Iterator[RailLine]:
    """Premium a leg group; the loss that the order adds; the loss of all that is open; the stress loss."""
    premium = max((abs(each.cash) for each in case.groups), default=_ZERO)
    yield at_most(case, Code.ORDER_PREMIUM, "max_order_premium", case.limits.max_order_premium, premium)
    order_line, open_line = _order_loss(case), _open_loss(case)
    yield order_line
    yield open_line
    unbounded = _is_unbounded(order_line) or _is_unbounded(open_line)
    stresses = case.limits.stress_losses
    for stress in stresses:
        yield _stress_loss(case, stress)
    if unbounded and not stresses:
        yield not_set("C04", "max_stress_loss")


def _order_loss(case: Case) -> RailLine:
    limit = case.limits.max_order_loss
    if limit is None:
        return not_set("C04", "max_order_loss")
    before, after = case.worst_before, case.worst_after
    if after is None:
        return _unbounded("max_order_loss", limit is UNLIMITED)
    # What has no worst loss before and has one after is better off by any measure.
    added = _ZERO if before is None else max(_ZERO, before - after - case.cash)
    return at_most(case, Code.ORDER_LOSS, "max_order_loss", limit, added)


def _open_loss(case: Case) -> RailLine:
    limit = case.limits.max_open_loss
    if limit is None:
        return not_set("C04", "max_open_loss")
    total = _ZERO
    for book in case.books().values():
        # The order's own figure is known already, and most accounts hold nothing else.
        worst = case.worst_after if book.holdings is case.holdings else worst_payoff(book.holdings)
        if worst is None:
            return _unbounded("max_open_loss", limit is UNLIMITED)
        if limit is not UNLIMITED:
            if book.cash is None:
                return fact_missing("C04", "the price at which an open leg was opened")
            total += max(_ZERO, -(worst + book.cash))
    if limit is UNLIMITED:
        return line(Code.OPEN_LOSS, True, {"limit": "unlimited"})
    return at_most(case, Code.OPEN_LOSS, "max_open_loss", limit, total)


def _stress_loss(case: Case, stress: StressLoss) -> RailLine:
    """Everything on the order's underlying, at one level of it: here a hedge counts."""
    mark = case.order.facts.underlying_mark
    if mark is None or not mark.is_finite() or mark <= 0:
        return fact_missing("C04", "underlying_mark")
    bound = money(case, stress.loss)
    if bound is None:
        return fact_missing("C04", "net_liquidation")
    holdings: list[Holding] = []
    cash = _ZERO
    symbol = case.holdings[0].contract.underlying if case.holdings else case.order.symbol
    for book in case.books().values():
        here = [held for held in book.holdings if held.contract.underlying == symbol]
        if here and book.cash is None:
            return fact_missing("C04", "the price at which an open leg was opened")
        if here:
            holdings += here
            cash += book.cash or _ZERO
    loss = stress_loss(holdings, cash, mark, stress.move)
    return line(
        Code.STRESS_LOSS, loss <= bound, {"value": loss, "limit": bound, "move": stress.move, "mark": mark}
    )


def _unbounded(key: str, allowed: bool) -> RailLine:
    return line(Code.LOSS_UNBOUNDED, allowed, {"risk": key, "limit": "unlimited" if allowed else "a number"})


def _is_unbounded(said: RailLine) -> bool:
    return said.rule is Code.LOSS_UNBOUNDED and said.held == "held"
