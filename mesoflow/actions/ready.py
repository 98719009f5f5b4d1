"""When a watch is over: named pure predicates over (answer, params, now). An explicit list; a watch names one of them.

Answers are Values as the hub's models give them: snake_case, enums by name, keys of dicts as text, times aware. What an
answer does not tell counts as not ready: an unknown age is no fresh quote, half a list agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from mesoflow.engine.effects import Value
from mesoflow.trading.orders import Quote
from mesoflow.trading.quotes import quote_fault

Predicate: TypeAlias = Callable[[Value, Mapping[str, Value], datetime], bool]

# Expired is no documented state; a DAY order at the close must end somehow, and a state that is not here is alive.
ORDER_ENDS = frozenset({"Filled", "Cancelled", "Rejected", "Expired"})
JOB_ENDS = frozenset({"Completed", "Failed", "Cancelled"})


def always(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """Whatever the answer is."""
    return True


def job_terminal(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """A prepare job has ended, one way or another."""
    return str(answer["status"]) in JOB_ENDS


def agent_connected(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """An agent of `connector` (null: any) is connected."""
    return bool(connected_agents(answer["agents"], params["connector"]))


def agent_fresh(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """A connected agent of `connector` (null: any) has a snapshot that is at most `max_age_s` old."""
    oldest = now - timedelta(seconds=float(params["max_age_s"]))
    agents = connected_agents(answer["agents"], params["connector"])
    return any(
        agent["last_snapshot_at"] is not None and agent["last_snapshot_at"] >= oldest for agent in agents
    )


def underlying_fresh(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The mark of an underlying is there and at most `max_age_ms` old."""
    return is_fresh(answer["prices"], ("mark",), params["max_age_ms"], now)


def contract_fresh(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """A contract has two sides that are at most `max_age_ms` old and not crossed."""
    return is_two_sided(answer["prices"], params["max_age_ms"], now)


def legs_fresh(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """Each leg of `leg_ids` has two sides, as contract_fresh."""
    prices = answer["leg_prices"] or {}
    return all(is_two_sided(prices.get(str(leg)), params["max_age_ms"], now) for leg in params["leg_ids"])


def contract_tradable(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """A contract's quote passes the gate of an order; `sold`: we sell it."""
    return passes_gate(answer["prices"], bool(params["sold"]), now)


def legs_tradable(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The quote of each leg of `leg_ids` passes the gate of an order; `sold` are those that we sell."""
    prices = answer["leg_prices"] or {}
    return all(passes_gate(prices.get(str(leg)), leg in params["sold"], now) for leg in params["leg_ids"])


def order_moved(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """An order's state or cumulative fill is not the one that is `known` ({state, cum_qty})."""
    order, known = answer["order"], params["known"]
    return (order["state"], order["cum_qty"]) != (known["state"], known["cum_qty"])


def order_terminal(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """An order is over: nothing of it can fill any more."""
    return str(answer["order"]["state"]) in ORDER_ENDS


def order_reason(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """Why an order was rejected is told."""
    return answer["order"].get("rejection") is not None


def listed_order_terminal(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The order `order_id` is among those listed, and over."""
    return any(
        order["order_id"] == params["order_id"] and str(order["state"]) in ORDER_ENDS
        for order in answer["orders"]
    )


def order_listed(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The leg group `group` has an order that is not `known`."""
    return any(
        order["leg_group_id"] == params["group"] and order["order_id"] not in params["known"]
        for order in answer["orders"]
    )


def position_found(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The exec plan has made a position: `position_id`, where the hub named one (else null)."""
    ids = [position["id"] for position in answer["positions"]]
    return params["position_id"] in ids if params["position_id"] is not None else bool(ids)


def position_closed(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The position is closed."""
    return bool(answer["position"]["state"] == "Closed")


def legs_agree(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The open legs are exactly those of `legs` (name → quantity)."""
    return not answer["continuation_token"] and open_quantities(answer["legs"]) == params["legs"]


def executions_agree(answer: Value, params: Mapping[str, Value], now: datetime) -> bool:
    """The executions add up to `fills` (leg name → quantity), each at its price of `prices` where there is one, give or
    take `tolerance`. Those that tell no leg or no quantity cannot be judged. No fills: no executions."""
    executions = [row for row in answer["executions"] if row["qty"] != 0]  # a marker's says nothing
    if answer["continuation_token"] or bool(executions) != bool(params["fills"]):
        return False
    if any(row["leg_name"] is None or row["qty"] is None for row in executions):
        return True
    if _sums((row["leg_name"], row["qty"]) for row in executions) != params["fills"]:
        return False
    prices, tolerance = params["prices"], params["tolerance"]
    judged = [row for row in executions if row["leg_name"] in prices]
    return all(abs(row["price"] - prices[row["leg_name"]]) <= tolerance for row in judged)


READY: Mapping[str, Predicate] = MappingProxyType(
    {
        "always": always,
        "job_terminal": job_terminal,
        "agent_connected": agent_connected,
        "agent_fresh": agent_fresh,
        "underlying_fresh": underlying_fresh,
        "contract_fresh": contract_fresh,
        "legs_fresh": legs_fresh,
        "contract_tradable": contract_tradable,
        "legs_tradable": legs_tradable,
        "order_moved": order_moved,
        "order_terminal": order_terminal,
        "order_reason": order_reason,
        "listed_order_terminal": listed_order_terminal,
        "order_listed": order_listed,
        "position_found": position_found,
        "position_closed": position_closed,
        "legs_agree": legs_agree,
        "executions_agree": executions_agree,
    }
)


# --- what the predicates share with the actions ------------------------------------------------------------------------


def connected_agents(agents: list[Value], connector: str | None) -> list[Value]:
    """Those connected, of one connector if it is given."""
    return [agent for agent in agents if agent["is_connected"] and connector in (None, agent["connector"])]


def is_fresh(block: Value, bases: tuple[str, ...], max_age_ms: int, now: datetime) -> bool:
    """Every basis of a block of prices is there and at most so old."""
    return block is not None and all(
        block[basis] is not None and (age := age_ms(block, basis, now)) is not None and age <= max_age_ms
        for basis in bases
    )


def is_two_sided(block: Value, max_age_ms: int, now: datetime) -> bool:
    """Bid and ask are there, fresh, and not crossed; somebody asks."""
    fresh = is_fresh(block, ("bid", "ask"), max_age_ms, now)
    return fresh and bool(0 <= block["bid"] <= block["ask"] and block["ask"] > 0)


def passes_gate(block: Value, sold: bool, now: datetime) -> bool:
    """Whether an order may be priced with this block (trading/quotes.py)."""
    return block is not None and quote_fault(quote_of_block(block, now), sold=sold) is None


def quote_of_block(block: Value, now: datetime) -> Quote:
    """A block of prices as the arithmetic and the rails take it; ages are by now."""
    ages = {side: age_ms(block, side, now) for side in ("bid", "ask")}
    return Quote(block["bid"], block["ask"], block["mark"], ages["bid"], ages["ask"])


def age_ms(block: Value, basis: str, now: datetime) -> int | None:
    """How old a figure is by now: its age when the hub looked, and the time since. None where the hub does not tell."""
    age = block[f"{basis}_age_ms"]
    if age is None or block["snapshot_time"] is None:
        return None
    since = now - block["snapshot_time"]
    return int(age) + max(0, int(since / timedelta(milliseconds=1)))


def open_quantities(legs: list[Value]) -> dict[str, Value]:
    """Open contracts by leg name; markers and closed legs hold nothing."""
    return _sums((leg["name"], leg["qty"]) for leg in legs if leg["closed_at"] is None)


def _sums(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for name, quantity in pairs:
        sums[name] = sums.get(name, Decimal(0)) + quantity
    return {name: total for name, total in sums.items() if total}
