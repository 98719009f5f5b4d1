"""An order as a Value, and back: what the journal keeps of it, so that the ledger can be folded anew.

`args` are left out: their exact bytes stand in the same intent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from mesoflow.trading.orders import Contract, OpenLeg, Order, OrderFacts, OrderGroup, OrderLeg, Quote

# engine.effects.Value by another name: the engine stands above this package.
Value: TypeAlias = Any

_FACTS = ("day_pnl", "net_liquidation", "underlying_mark", "as_of", "is_paper")
_GROUP = ("id", "packages", "limit", "worst", "near", "mid", "natural")
_CONTRACT = ("underlying", "root", "option_type", "expiration", "strike", "multiplier")
_QUOTE = ("bid", "ask", "mark", "bid_age_ms", "ask_age_ms")
_ORDER = ("method", "account", "kind", "exec_plan_id", "position_id", "strategy_id", "symbol")


def order_to_value(order: Order) -> dict[str, Value]:
    """Everything but `args`."""
    facts = order.facts
    return {
        **_fields(order, _ORDER),
        "legs": [_leg_value(leg) for leg in order.legs],
        "groups": [{**_fields(group, _GROUP), "legs": list(group.legs)} for group in order.groups],
        "facts": {**_fields(facts, _FACTS), "open_legs": [_open_leg_value(leg) for leg in facts.open_legs]},
    }


def order_from_value(value: Mapping[str, Value]) -> Order:
    """The order again, without `args`."""
    facts = value["facts"]
    return Order(
        **{name: value[name] for name in _ORDER},
        legs=tuple(_leg(leg) for leg in value["legs"]),
        groups=tuple(OrderGroup(**{**group, "legs": tuple(group["legs"])}) for group in value["groups"]),
        facts=OrderFacts(
            **{name: facts[name] for name in _FACTS},
            open_legs=tuple(_open_leg(leg) for leg in facts["open_legs"]),
        ),
    )


def _fields(source: object, names: tuple[str, ...]) -> dict[str, Value]:
    return {name: getattr(source, name) for name in names}


def _leg_value(leg: OrderLeg) -> dict[str, Value]:
    return {
        **_fields(leg, ("name", "quantity", "group", "price")),
        "contract": _fields(leg.contract, _CONTRACT),
        "quote": _fields(leg.quote, _QUOTE),
    }


def _leg(value: Mapping[str, Value]) -> OrderLeg:
    return OrderLeg(**{**value, "contract": Contract(**value["contract"]), "quote": Quote(**value["quote"])})


def _open_leg_value(leg: OpenLeg) -> dict[str, Value]:
    return {
        **_fields(leg, ("position_id", "name", "quantity", "price")),
        "contract": _fields(leg.contract, _CONTRACT),
    }


def _open_leg(value: Mapping[str, Value]) -> OpenLeg:
    return OpenLeg(**{**value, "contract": Contract(**value["contract"])})
