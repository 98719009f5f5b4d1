"""Implied volatility by expiry and strike: SSVI, whose parameters are chosen so that no arbitrage is possible.

Total variance at the money grows like a mean-reverting variance that starts from VIX; the smile is SSVI with
phi = eta / sqrt(theta (1 + theta)), free of butterfly arbitrage because eta (1 + |rho|) <= 2 and of calendar arbitrage
because theta grows with time (Gatheral and Jacquier, 2014). It depends on k / sqrt(theta) near expiry, so that the last
minutes of an option show no explosion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mesoflow.simulator.market.black76 import Terms
from mesoflow.simulator.shared import data

_MONTH = 30.0 / 365.0


@dataclass(frozen=True, slots=True)
class Slice:
    """One expiry's smile."""

    terms: Terms
    theta: float
    phi: float
    rho: float

    def volatility(self, strike: float) -> float:
        x = self.phi * math.log(strike / self.terms.forward)
        rho = self.rho
        variance = self.theta / 2.0 * (1.0 + rho * x + math.sqrt((x + rho) ** 2 + 1.0 - rho * rho))
        return math.sqrt(variance / self.terms.years)


class Surface:
    """The smiles of one moment."""

    def __init__(self, spot: float, vix: float) -> None:
        constants: dict[str, Any] = data("market.json")
        self._rates, self._shape = constants["rates"], constants["surface"]
        self._spot = spot
        self._long = self._shape["long_run"] ** 2
        month = (self._shape["atm_of_vix"] * vix / 100.0) ** 2 * _MONTH
        self._excess = (month - self._long * _MONTH) / self._grown(_MONTH)

    def _grown(self, years: float) -> float:
        reversion: float = self._shape["reversion"]
        return -math.expm1(-reversion * years) / reversion

    def at(self, minutes: float) -> Slice:
        """The smile of the expiry that is so many minutes away; nothing is nearer than the floor."""
        shape = self._shape
        years = max(minutes, shape["minutes_least"]) / (365.0 * 24 * 60)
        theta = self._long * years + self._excess * self._grown(years)
        phi = shape["eta"] / (theta ** shape["gamma"] * (1.0 + theta) ** (1.0 - shape["gamma"]))
        terms = Terms.of(self._spot, years, self._rates["interest"], self._rates["dividend"])
        return Slice(terms, theta, phi, shape["rho"])
