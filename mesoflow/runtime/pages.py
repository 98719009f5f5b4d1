"""What a person is told who has to look at a broker: exactly what to look for, and how to tell mesoflow what was found."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Effect, Place
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.views import OrderView
from mesoflow.trading.orders import Contract, Order, OrderGroup, OrderLeg


def unknown_page(run_id: str, intent: Intent, effect: Effect, why: str) -> str:
    """An outcome that could not be settled. The first line says what, the last ones what to do."""
    lines = [f"what became of {intent.path} {why}", f"  sent     {intent.at:%a %d %b %Y %H:%M:%S} UTC"]
    if isinstance(effect, Place):
        lines += _order_lines(effect.order)
    lines += [f"  key      {intent.key}", "look at the hub and at the broker; then"]
    if intent.method == "SendOrder":
        lines.append(f"  mesoflow settle {run_id} {intent.path} --happened LIVE_ORDER_ID --reason …")
    elif intent.method == "ApplyPaperFills":
        lines.append(f"  mesoflow settle {run_id} {intent.path} --happened POSITION_ID --reason …")
    lines.append(f"  mesoflow settle {run_id} {intent.path} --did-not-happen --reason …")
    lines.append(f"  mesoflow resume {run_id}")
    return "\n".join(lines)


def _order_lines(order: Order) -> list[str]:
    lines = [
        f"  account  {order.account}",
        f"  order    {order.kind} of exec plan {order.exec_plan_id}, {order.symbol}",
    ]
    for group in order.groups:
        lines.append(f"  group    {group.id}: {group.packages} at {_price(group)}")
        lines += [f"    leg    {_leg(leg)}" for leg in order.legs if leg.name in group.legs]
    return lines


def _price(group: OrderGroup) -> str:
    word = "debit" if group.limit >= 0 else "credit"
    return f"{abs(group.limit)} {word}"


def _leg(leg: OrderLeg) -> str:
    return f"{leg.quantity:+f} {contract_text(leg.contract)} ({leg.name})"


def contract_text(contract: Contract) -> str:
    """A contract as people read it."""
    day = contract.expiration
    strike = f"{contract.strike.normalize():f}"
    return f"{contract.root} {day.day} {day:%b %Y} {strike} {contract.option_type}"


# What a person does once he has looked.
RESUME = "then mesoflow resume {}"


def late_fill_page(run_id: str, view: OrderView) -> str:
    """A fill of an order that was called over: what the position holds is more than the walk counted on."""
    lines = [f"order {view.order_id} had been reported {view.state}, and then filled: {view.filled} in all"]
    if view.order is not None:
        lines += _order_lines(view.order)
    lines.append(f"  at       {view.path}")
    return "\n".join([*lines, "look at the order and its position at the broker", RESUME.format(run_id)])


def differing_page(run_id: str, mark: Mapping[str, Any]) -> str:
    """Legs that are not those before and what filled, after a trade of this very run."""
    where = f"position {mark['position_id']}" if mark.get("position_id") is not None else "the account"
    lines = [
        str(mark["summary"]),
        f"  account  {mark['account']}; entries there are refused until a person has cleared it",
        f"look at {where} at the broker: mend it there, or take what it shows with",
        f"  mesoflow clear {mark['position_id'] if mark.get('position_id') is not None else mark['account']}",
        RESUME.format(run_id),
    ]
    return "\n".join(lines)


def repair_page(differing: Mapping[int, Mapping[str, tuple[Decimal, Decimal]]]) -> str:
    """Legs that are not those of the fills known: what would have to be traded. Nothing trades by itself."""
    lines = ["the legs at the hub are not those that the fills add up to; nothing is traded to mend it"]
    for position, legs in sorted(differing.items()):
        for name, (intended, actual) in sorted(legs.items()):
            missing = intended - actual
            verb = "buy" if missing > 0 else "sell"
            where = (
                f"position {position}" if position > 0 else f"exec plan {-position}, which shows no position"
            )
            lines.append(
                f"{where}, leg {name}: {actual:+f} at the hub, {intended:+f} by our fills; {verb} {abs(missing):f}"
            )
    lines.append("look at the broker: mend it there, or take what it shows with `mesoflow clear POSITION`")
    return "\n".join(lines)


def working_text(details: Mapping[str, Any]) -> str:
    """Orders that are left alive, "" without any."""
    orders = ", ".join(str(order) for order in details.get("working", ()))
    return f"working: {orders}" if orders else ""
