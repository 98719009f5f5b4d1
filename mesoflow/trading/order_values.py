"""An order as a Value, and back: what the journal keeps of it, so that the ledger can be folded anew.

It stands in the send path of each order, so it holds what was sent and no more. `args` are left out, for their exact bytes
stand in the same intent; so are the facts and the quotes, which the journal holds as the outcomes that the action read: the
verdict beside the order says what came of them. A contract is one text: `SPX SPXW 2025-02-14 put 5900 100`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, TypeAlias, cast

from mesoflow.trading.orders import Contract, Order, OrderFacts, OrderGroup, OrderLeg, Quote

# engine.effects.Value by another name: the engine stands above this package.
Value: TypeAlias = Any

_ORDER = ("method", "account", "kind", "exec_plan_id", "position_id", "strategy_id", "symbol")
_UNKNOWN_QUOTE = Quote(None, None)
_UNKNOWN_FACTS = OrderFacts(None, None, (), None)


def order_to_value(order: Order) -> dict[str, Value]:
    """What was to be traded, where, and at what prices."""
    return {
        "method": order.method,
        "account": order.account,
        "kind": order.kind,
        "exec_plan_id": order.exec_plan_id,
        "position_id": order.position_id,
        "strategy_id": order.strategy_id,
        "symbol": order.symbol,
        "legs": [_leg_value(leg) for leg in order.legs],
        "groups": [_group_value(group) for group in order.groups],
        # Only a rung has these.
        **({"walk": order.walk, "target": order.target} if order.walk else {}),
    }


def order_from_value(value: Mapping[str, Value]) -> Order:
    """The order again, without `args`; facts and quotes are not known."""
    return Order(
        **{name: value[name] for name in _ORDER},
        walk=value.get("walk", ""),
        target=value.get("target", 0),
        legs=tuple(_leg(leg) for leg in value["legs"]),
        groups=tuple(OrderGroup(**{**group, "legs": tuple(group["legs"])}) for group in value["groups"]),
        facts=_UNKNOWN_FACTS,
    )


def contract_text(contract: Contract) -> str:
    """A contract in one text."""
    return (
        f"{contract.underlying} {contract.root} {contract.expiration!s} {contract.option_type} "
        f"{contract.strike!s} {contract.multiplier!s}"
    )


@lru_cache(1_000)
def contract_of(text: str) -> Contract:
    """The contract of a text. Raises ValueError for another text."""
    underlying, root, expiration, option_type, strike, multiplier = text.split(" ")
    if option_type not in ("put", "call"):
        raise ValueError(f"{text!r} is no contract")
    side = cast(Literal["put", "call"], option_type)
    return Contract(
        underlying, root, side, date.fromisoformat(expiration), Decimal(strike), Decimal(multiplier)
    )


def _leg_value(leg: OrderLeg) -> dict[str, Value]:
    return {
        "name": leg.name,
        "quantity": leg.quantity,
        "group": leg.group,
        "price": leg.price,
        "contract": contract_text(leg.contract),
    }


def _leg(value: Mapping[str, Value]) -> OrderLeg:
    return OrderLeg(**{**value, "contract": contract_of(value["contract"])}, quote=_UNKNOWN_QUOTE)


def _group_value(group: OrderGroup) -> dict[str, Value]:
    return {
        "id": group.id,
        "packages": group.packages,
        "limit": group.limit,
        "worst": group.worst,
        "near": group.near,
        "mid": group.mid,
        "natural": group.natural,
        "legs": list(group.legs),
    }
