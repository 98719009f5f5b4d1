"""What a step gave, in one line, by action: an explicit table. What is not in it says its outputs, shortened.

Used while a run goes on, and by the report afterwards, so that both tell the same story.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias

from mesoflow.review.words import clock, count, gain, moment, money, points, price, quantity

Outputs: TypeAlias = Mapping[str, Any]

LINE_MAX = 100


def said(action: str | None, outputs: Any) -> str:  # noqa: ANN401 - a step's outputs are a Value
    """One line; empty where there is nothing to say."""
    if action == "assert":
        return "holds"
    if not isinstance(outputs, Mapping) or not outputs:
        return ""
    teller = _TELLERS.get(action or "", _anything)
    try:
        return teller(outputs)
    except (KeyError, TypeError, AttributeError):  # a stored output of another version: say it as it is
        return _anything(outputs)


def _account(out: Outputs) -> str:
    kind = "paper" if out["is_paper"] else "live"
    worth = f", net liquidation {money(out['net_liquidation'])}" if out["net_liquidation"] is not None else ""
    return f"{out['broker_account_id']}, {kind}, {out['currency']}{worth}"


def _agent(out: Outputs) -> str:
    return f"{out['connector']} is connected, data from {out['provider']}"


def _strategy(out: Outputs) -> str:
    how = "" if "created" not in out else ", created" if out["created"] else ", was there already"
    active = f", active on {', '.join(out['active_on'])}" if out["active_on"] else ""
    return f"“{out['name']}” ({out['strategy_id']}){how}{active}"


def _waited(out: Outputs) -> str:
    at: datetime = out["at"] if "at" in out else out["ended_at"]
    return moment(at) + (", moved to the next session" if out.get("moved") else "")


def _plan(out: Outputs) -> str:
    legs = ", ".join(leg_text(leg) for leg in out["legs"].values())
    return f"plan {out['exec_plan_id']}: {legs}; mid {price(out['quote']['mid'])}"


def leg_text(leg: Mapping[str, Any]) -> str:
    """+1 SPXW 14 Feb 2025 6000 put."""
    expiration = leg["expiration"]
    when = f"{expiration.day} {expiration:%b %Y}"
    return f"{quantity(leg['quantity'])} {leg['root']} {when} {leg['strike']:f} {leg['option_type']}"


def _execution(out: Outputs) -> str:
    kept = "" if out["ended"] == "filled" else ", a part was kept"
    return f"position {out['position_id']}: filled at {price(out['price'])}, cash {gain(out['cash'])}{kept}"


def _sent(out: Outputs) -> str:
    if not out["live"]:
        return f"plan {out['exec_plan_id']} is booked on paper"
    return f"{count(len(out['orders']), 'order')} of plan {out['exec_plan_id']} at the broker"


def _cancelled(out: Outputs) -> str:
    meanwhile = f", {out['filled_meanwhile']} filled meanwhile" if out["filled_meanwhile"] else ""
    return f"{count(out['cancelled'], 'order')} cancelled{meanwhile}"


def _closed(out: Outputs) -> str:
    at, cash = price(out["price"]), gain(out["cash"])
    return f"position {out['position_id']}: closed at {at}, cash {cash}, P&L {gain(out['realized_pnl'])}"


def _positions(out: Outputs) -> str:
    return count(out["count"], "position")


def _position(out: Outputs) -> str:
    legs = count(len(out["legs"]), "leg")
    return f"position {out['position_id']} is {out['state']}, {legs}, P&L {gain(out['pnl']['total'])}"


def _underlying(out: Outputs) -> str:
    return f"{out['symbol']} {points(out['mark'])}"


def _session(out: Outputs) -> str:
    return f"{moment(out['now'])}, {'open' if out['is_open'] else 'closed'}"


def _told(out: Outputs) -> str:
    return "told " + (", ".join(out["delivered"]) or "nobody")


def _anything(out: Outputs) -> str:
    line = ", ".join(f"{name} {_short(value)}" for name, value in out.items())
    return line if len(line) <= LINE_MAX else line[: LINE_MAX - 1] + "…"


def _short(value: Any) -> str:  # noqa: ANN401
    match value:
        case datetime():
            return clock(value)
        case list():
            return f"[{len(value)}]"
        case Mapping():
            return f"{{{len(value)}}}"
        case bool():
            return "true" if value else "false"
    return str(value)


_TELLERS: Mapping[str, Callable[[Outputs], str]] = MappingProxyType(
    {
        "account.select": _account,
        "agent.require": _agent,
        "strategy.get": _strategy,
        "strategy.clone": _strategy,
        "strategy.create": _strategy,
        "strategy.update": _strategy,
        "wait.for": _waited,
        "wait.until": _waited,
        "entry.prepare": _plan,
        "exit.prepare": _plan,
        "adjustment.prepare": _plan,
        "orders.work": _execution,
        "orders.send": _sent,
        "fills.wait": _execution,
        "orders.cancel": _cancelled,
        "position.exit": _closed,
        "position.list": _positions,
        "position.get": _position,
        "data.underlying": _underlying,
        "session.get": _session,
        "notify": _told,
    }
)

__all__ = ["leg_text", "said"]
