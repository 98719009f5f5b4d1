"""I8: an order that passed as one that only reduces risk never raises the most that can be lost.

What was held is added up from our own fills as they were known when the order was intended, not from what its rails were
shown; what others did to the position counts from when a person has looked at it (`clear`). The payoff is worked out here, not by the arithmetic of the rails. Each leg must close an open one without
crossing zero, and the lowest value at expiry, of all legs and of those that are left after each expiry, must be no lower.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from mesoflow.rehearsal.evidence import (
    Evidence,
    Sent,
    Violation,
    every_order,
    known_filled,
    packages_of,
    plans_of_positions,
)
from mesoflow.simulator.ledger import Fill
from mesoflow.trading.order_values import contract_of

# A contract in the journal's words → contracts held.
Held = Mapping[str, Decimal]

_ZERO = Decimal(0)
# How far beyond the highest strike calls are looked at: what is short without cover is lower there than anywhere nearer.
_FAR = 3


def check(evidence: Evidence) -> list[Violation]:
    """Every order whose verdict says that it only reduces."""
    orders = sorted(every_order(evidence), key=lambda one: one.home_seq)
    found: list[Violation] = []
    for index, one in enumerate(orders):
        if one.verdict.get("only_reduces") is True:
            held = _held(evidence, orders[:index], one)
            words = _raises(held, _traded(one, packages_of(one)))
            if words:
                found.append(Violation("I8", one.path, words))
    return found


def _held(evidence: Evidence, earlier: list[Sent], one: Sent) -> Held:
    """What our fills of the order's position had come to, as far as it was known."""
    plans = plans_of_positions(evidence).get(one.order["position_id"], frozenset())
    held: dict[str, Decimal] = {}
    names: dict[str, str] = {}
    for other in earlier:
        if other.order["exec_plan_id"] in plans:
            names |= {leg["name"]: leg["contract"] for leg in other.order["legs"]}
            for contract, quantity in _traded(other, known_filled(evidence, other, one.home_seq)).items():
                held[contract] = held.get(contract, _ZERO) + quantity
    for fill in _of_others(evidence, one):
        if fill.leg in names:
            held[names[fill.leg]] = held.get(names[fill.leg], _ZERO) + fill.qty
    return held


def _of_others(evidence: Evidence, one: Sent) -> list[Fill]:
    """A broker's or a person's own trades in the order's position, before a person last said what it holds."""
    position = one.order["position_id"]
    looked = [
        record.body["at"]
        for record in evidence.home
        if record.kind == "cleared"
        and record.home_seq < one.home_seq
        and str(position) in record.body["legs"]
    ]
    return [
        fill
        for fill in evidence.fills
        if looked and fill.position == position and not fill.key and fill.at <= max(looked)
    ]


def _traded(one: Sent, packages: int) -> dict[str, Decimal]:
    """The contracts of so many packages of an order."""
    traded: dict[str, Decimal] = {}
    for leg in one.order["legs"]:
        traded[leg["contract"]] = traded.get(leg["contract"], _ZERO) + leg[
            "quantity"
        ] * packages / packages_of(one)
    return traded


def _raises(held: Held, trade: Held) -> str:
    """Why an order raises risk, "" if it does not."""
    for contract, quantity in trade.items():
        open_ = held.get(contract, _ZERO)
        if quantity and (open_ * quantity >= 0 or abs(quantity) > abs(open_)):
            return f"{quantity:+f} of {contract}, of which {open_:+f} are held"
    after = {name: held.get(name, _ZERO) + trade.get(name, _ZERO) for name in {*held, *trade}}
    points = _points(held)
    for expiry in sorted({contract_of(name).expiration for name in held}):
        before, left = (
            {name: n for name, n in legs.items() if contract_of(name).expiration >= expiry}
            for legs in (held, after)
        )
        lowest, now = _lowest(before, points), _lowest(left, points)
        if now < lowest:
            return f"the lowest value from {expiry} on was {lowest}, and is {now} after it"
    return ""


def _points(held: Held) -> list[Decimal]:
    strikes = {contract_of(name).strike for name in held}
    return [_ZERO, *sorted(strikes), max(strikes, default=_ZERO) * _FAR]


def _lowest(legs: Held, points: list[Decimal]) -> Decimal:
    return min(sum((_value(name, at) * n for name, n in legs.items()), _ZERO) for at in points)


def _value(name: str, underlying: Decimal) -> Decimal:
    """One contract at expiry, in money."""
    contract = contract_of(name)
    inside = underlying - contract.strike if contract.option_type == "call" else contract.strike - underlying
    return max(inside, _ZERO) * contract.multiplier
