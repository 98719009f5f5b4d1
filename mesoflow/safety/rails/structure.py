"""C08: the order hangs together, and is one that a broker takes and a sane market fills."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case, GroupCase, is_coherent
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import LEGS_MAX
from mesoflow.safety.rails.lines import held, line, shown, skipped, within
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.orders import Order
from mesoflow.trading.payoff import Holding, worst_payoff

_ZERO = Decimal(0)


def structure(order: Order) -> RailLine:
    """Judged before all others, and never skipped: an exit whose legs do not fit its groups cannot be judged as one. Every
    other rail counts by group, so no leg may stand outside of one."""
    numbers = {"legs": len(order.legs), "groups": len(order.groups)}
    return line(Code.ORDER_INCOHERENT, is_coherent(order), numbers)


def package(case: Case) -> Iterator[RailLine]:
    """Sign, credit against width, overlap, and how many legs a broker takes."""
    for each in case.groups:
        yield from _price(case, each)
    yield _overlap(case)
    if case.order.method == "SendOrder":
        yield from _legs(case)


def _price(case: Case, each: GroupCase) -> Iterator[RailLine]:
    """A signed limit against the payoff at expiry, a package. Legs that outlive others have worth beyond their payoff, so only
    groups of one expiry have bounds."""
    limit = each.group.limit
    if limit == 0 or len({leg.contract.expiration for leg in each.legs}) > 1:
        yield held(Code.LIMIT_SIGN)
        return
    bound = _bound(case, each, paid=limit > 0)
    numbers = {"group": each.group.id, "price": limit, "bound": bound}
    # What can only pay out is never received for, what can only cost is never paid for.
    if bound is not None and (bound >= 0 if limit < 0 else bound <= 0):
        yield line(Code.LIMIT_SIGN, False, numbers)
        return
    yield held(Code.LIMIT_SIGN)
    if case.reduces:
        yield skipped(Code.CREDIT_BEYOND_WIDTH)
    elif bound is not None:
        yield line(Code.CREDIT_BEYOND_WIDTH, limit <= bound if limit > 0 else limit >= bound, numbers)


def _bound(case: Case, each: GroupCase, *, paid: bool) -> Decimal | None:
    """The most that a package can bring, for a debit; the least, for a credit; None: there is no such."""
    if not paid and len(case.groups) == 1 and case.holdings is case.after:
        worst = case.worst_after
    else:
        sign = -1 if paid else 1
        worst = worst_payoff([Holding(leg.contract, sign * leg.quantity) for leg in each.legs])
        worst = -worst if paid and worst is not None else worst
    if worst is None:
        return None
    return worst / (each.group.packages * each.legs[0].contract.multiplier)


def _overlap(case: Case) -> RailLine:
    order = case.order
    others = [
        leg
        for leg in order.facts.open_legs
        if leg.position_id != order.position_id or order.position_id is None
    ]
    if not others or case.closes:
        return held(Code.LEGS_OVERLAP)
    open_elsewhere = {(leg.contract, leg.quantity > 0) for leg in others if leg.quantity}
    same_side = case.limits.overlap == "same_side"
    for each in case.holdings:
        bought = each.quantity > 0
        if (each.contract, not bought) in open_elsewhere:
            return line(Code.LEGS_OVERLAP, False, {"contract": _named(each), "held": "the other way"})
        if not same_side and (each.contract, bought) in open_elsewhere:
            return line(Code.LEGS_OVERLAP, False, {"contract": _named(each), "held": "the same way"})
    return held(Code.LEGS_OVERLAP)


def _named(each: Holding) -> str:
    what = each.contract
    return f"{what.root} {what.expiration} {what.option_type} {what.strike}"


def _legs(case: Case) -> Iterator[RailLine]:
    limit = case.limits.max_legs_per_order or Decimal(LEGS_MAX)
    for each in case.groups:
        numbers = {"group": each.group.id, "value": len(each.legs), "limit": shown(limit)}
        yield line(Code.LEGS_PER_ORDER, within(limit, len(each.legs)), numbers)
