"""C12: how many orders are open at once on an account, and how much they come to. Unknown counts as alive."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import OPEN_ORDERS
from mesoflow.safety.rails.lines import at_most, counted, held, line, money
from mesoflow.safety.unlimited import UNLIMITED, Unlimited
from mesoflow.safety.verdicts import RailLine

_ZERO, _ORDERS = Decimal(0), Decimal(OPEN_ORDERS)


def open_orders(case: Case) -> Iterator[RailLine]:
    """This one included."""
    others = case.ledger.open_orders(case.order.account, case.sent)
    limit = case.limits.max_open_orders or _ORDERS
    yield counted(Code.OPEN_ORDERS, limit, len(others) + 1)
    if not others and case.limits.max_open_orders_value is None:
        # One order by itself is within the premium that C04 holds it to.
        yield held(Code.OPEN_ORDERS_VALUE)
        return
    value = sum([abs(each.cash) for each in case.groups], _ZERO)
    yield _value(case, limit, value + sum([sent.value for sent in others], _ZERO))


def _value(case: Case, orders: Decimal | Unlimited, value: Decimal) -> RailLine:
    said = case.limits.max_open_orders_value
    if said is not None:
        return at_most(case, Code.OPEN_ORDERS_VALUE, "max_open_orders_value", said, value)
    premium = case.limits.max_order_premium
    if premium is None or premium is UNLIMITED or isinstance(orders, Unlimited):
        # Without a premium's limit an order that is no exit is refused by C04 anyway.
        return line(Code.OPEN_ORDERS_VALUE, True, {"value": value, "limit": "unlimited"})
    bound = money(case, premium)
    if bound is None:
        return at_most(case, Code.OPEN_ORDERS_VALUE, "max_order_premium", premium, value)
    bound *= orders * max(1, len(case.groups))
    return line(Code.OPEN_ORDERS_VALUE, value <= bound, {"value": value, "limit": bound})
