"""Legs with their market figures, and what the expression language calls them.

Greeks are those of the language, and of the wire: of the whole quantity and times 100. A long 40-delta put has delta −40,
theta is dollars a day, vega and rho are dollars a point, iv is a fraction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from mesoflow.simulator.market.black76 import Sensitivities
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Quote

GREEKS = ("delta", "gamma", "theta", "vega", "rho", "wvega")
# Vega is weighted to what it would be for this many days.
_WEIGHT_DAYS = 30.0
# A day less than this counts as this: an option's last hours have no infinite weight.
_DAYS_LEAST = 1.0


@dataclass(frozen=True, slots=True)
class MarketLeg:
    """One contract in a signed quantity, with its market at one moment.

    `role`: what the definition calls it. A leg that was moved has another name on its position than its role.
    """

    name: str
    role: str
    option: Option
    qty: Decimal
    group: int
    dte: int
    quote: Quote
    greeks: Sensitivities | None
    # Of a leg that is held: what it has earned on its mark, and for how many days it is there.
    pnl: float | None = 0.0
    days: float = 0.0


def scaled(greeks: Sensitivities, qty: Decimal, dte: int) -> dict[str, float]:
    """Greeks of a quantity, as the language has them."""
    factor = float(qty) * 100.0
    found = {name: getattr(greeks, name) * factor for name in ("delta", "gamma", "theta", "vega", "rho")}
    found["wvega"] = found["vega"] * math.sqrt(_WEIGHT_DAYS / max(float(dte), _DAYS_LEAST))
    return found


def names_of(legs: Iterable[MarketLeg], realized: float = 0.0) -> dict[str, float | None]:
    """`leg_*` and `pos_*`; `realized`: what legs have earned that are closed. Of a preview nothing has been earned.

    `open_trades_cnt` counts the legs that are held, markers not: no page tells, the one sample fits it.
    """
    names: dict[str, float | None] = {f"pos_{name}": 0.0 for name in GREEKS}
    names["pos_pnl"] = realized
    held = list(legs)
    names["open_trades_cnt"] = float(sum(1 for leg in held if leg.qty))
    for leg in held:
        prefix = f"leg_{leg.role}_"
        figures: dict[str, float | None] = dict.fromkeys((*GREEKS, "iv"))
        if leg.greeks is not None:
            figures.update(scaled(leg.greeks, leg.qty, leg.dte))
            figures["iv"] = leg.greeks.iv
        figures |= {
            "price": None if leg.quote.mark is None else float(leg.quote.mark),
            "strike": float(leg.option.strike),
            "qty": float(leg.qty),
            "pnl": leg.pnl,
            "dit": leg.days,
            "dte": float(leg.dte),
        }
        names |= {prefix + name: value for name, value in figures.items()}
        for name in (*GREEKS, "pnl"):
            so_far, more = names[f"pos_{name}"], figures[name]
            names[f"pos_{name}"] = None if so_far is None or more is None else so_far + more
    return names
