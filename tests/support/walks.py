"""Plans, prices and desks that tests of walks share: a put calendar to buy and to close, a put spread to sell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Refused
from tests.support.desk import Desk, Fate, Played, make_plan

D = Decimal
WALK = {"start": "mid", "step": D("0.05"), "every": "20s", "worst": {"from_mid": D("0.30")}}
QUOTES = {"short_put": ("97.70", "99.10"), "long_put": ("139.70", "141.60")}
# Puts sold for a credit: near 1.30, mid 1.10, natural 0.90.
CREDIT = {"short_put": ("4.10", "4.30"), "long_put": ("3.00", "3.20")}


def calendar(lots: int = 1, **changes: Any) -> dict[str, Any]:
    """A put calendar to buy: near 40.60, mid 42.25, natural 43.90."""
    legs = {"short_put": (-lots, 6000, "put", 28), "long_put": (lots, 6000, "put", 60)}
    return make_plan("entry", legs, QUOTES, lots=lots) | changes


def closing(lots: int = 1) -> dict[str, Any]:
    """The exit of it."""
    legs = {"short_put": (lots, 6000, "put", 28), "long_put": (-lots, 6000, "put", 60)}
    return make_plan("exit", legs, QUOTES, lots=lots, plan_id=9002)


def spread(lots: int = 1) -> dict[str, Any]:
    """A put spread to sell."""
    legs = {"short_put": (-lots, 5900, "put", 28), "long_put": (lots, 5850, "put", 28)}
    return make_plan("entry", legs, CREDIT, lots=lots)


def enter(*fates: Fate, desk: dict[str, Any] | None = None, **inputs: Any) -> Played:
    made = Desk(fates=list(fates) or [Fate()], quotes=QUOTES, **(desk or {}))
    return made.play("orders.work", {"exec_plan": calendar(), "price": WALK, "within": "5m"} | inputs)


def leave(*fates: Fate, lots: int = 1, desk: dict[str, Any] | None = None, **inputs: Any) -> Played:
    made = Desk(
        fates=list(fates) or [Fate()],
        quotes=QUOTES,
        held={"short_put": -lots, "long_put": lots},
        **(desk or {}),
    )
    return made.play("orders.work", {"exec_plan": closing(lots), "price": WALK, "within": "5m"} | inputs)


def limits(played: Played) -> list[Decimal]:
    """What the broker was sent, in its order."""
    return [one.row["limit_price"] for one in played.desk.orders]


def refusal(*controls: str, **details: Any) -> Refused:
    return Refused("rail_refused", f"{', '.join(controls)} refuses", {"rules": list(controls), **details})


# --- several groups ---------------------------------------------------------------------------------------------------

GROUP_WALK = {"start": "mid", "step": D("0.10"), "every": "20s", "worst": {"from_mid": D("0.20")}}
GROUP_QUOTES = {
    "short_put": ("30.00", "31.00"),
    "long_put": ("20.00", "21.00"),
    "short_call": ("25.00", "26.00"),
}
PUT, COVER, CALL = ("put", 28), ("put", 28), ("call", 28)


def covered(kind: str = "entry", sign: int = 1) -> dict[str, Any]:
    """A put spread whose two legs go to the broker one by one: the short is group 1, its cover group 2."""
    legs = {"short_put": (-sign, 5900, *PUT), "long_put": (sign, 5850, *COVER)}
    return make_plan(kind, legs, GROUP_QUOTES, groups={1: ["short_put"], 2: ["long_put"]})


def strangle(lots: int = 1) -> dict[str, Any]:
    legs = {"short_put": (-lots, 5700, *PUT), "short_call": (-lots, 6300, *CALL)}
    return make_plan("entry", legs, GROUP_QUOTES, groups={1: ["short_put"], 2: ["short_call"]}, lots=lots)


def play(plan: dict[str, Any], *fates: Fate, desk: dict[str, Any] | None = None, **inputs: Any) -> Played:
    made = Desk(fates=list(fates) or [Fate(fills=[(2, 10)])], quotes=GROUP_QUOTES, **(desk or {}))
    return made.play("orders.work", {"exec_plan": plan, "price": GROUP_WALK, "within": "1m"} | inputs)


def groups(played: Played) -> list[int]:
    """Groups in the order in which they were sent, each once."""
    return list(dict.fromkeys(order.row["leg_group_id"] for order in played.desk.orders))


UNWIND = {"unwind": {"price": {"start": "natural"}, "within": "2m"}}
