"""How far bid and ask stand from the theoretical price (SIMULATOR.md S5). The constants are in data/market.json."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mesoflow.simulator.market.sessions import Session
from mesoflow.simulator.shared import data


@dataclass(frozen=True, slots=True)
class Spread:
    """The spread of one moment."""

    price_factor: float
    price_power: float
    vega_factor: float
    deep_from: float
    deep_factor: float
    edge: float

    @classmethod
    def of(cls, vix: float, session: Session, at: timedelta) -> Spread:
        """`at`: time since the session's open. Near open and close the spread is wider, and around announcements."""
        constants: dict[str, Any] = data("market.json")["spread"]
        margin = timedelta(minutes=constants["edge_minutes"])
        inside = margin <= at < session.closes - session.opens - margin
        return cls(
            price_factor=constants["price_factor"] * (vix / 16.0) ** constants["vix_power"],
            price_power=constants["price_power"],
            vega_factor=constants["vega_factor"],
            deep_from=constants["deep_from_delta"],
            deep_factor=constants["deep_factor"],
            edge=(1.0 if inside else constants["edge_factor"]) * _event_factor(session, at),
        )

    def half_width(self, price: float, delta: float, vega: float, tick: float) -> float:
        """Half of it, in points; `vega` for a point of volatility, `delta` in [0, 1]."""
        half: float = max(
            tick / 2.0, self.price_factor * math.pow(price, self.price_power), self.vega_factor * vega
        )
        if delta > self.deep_from:
            half *= 1.0 + self.deep_factor * (delta - self.deep_from)
        return half * self.edge


def _event_factor(session: Session, at: timedelta) -> float:
    """By days on which rates are announced, so many minutes after the open."""
    own: dict[str, Any] = data("market.json")["events"]
    begins = timedelta(minutes=own["after_open_minutes"])
    if session.day.isoformat() not in own["days"] or not begins <= at < begins + timedelta(
        minutes=own["minutes"]
    ):
        return 1.0
    return float(own["factor"])
