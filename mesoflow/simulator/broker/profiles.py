"""The constants of data/broker.json: how kind the market is (by profile), how long things take, what a broker is like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from mesoflow.simulator.draws import log_normal, uniform
from mesoflow.simulator.shared import data


@dataclass(frozen=True, slots=True)
class MarketProfile:
    """strict: somebody must trade through a limit, by a tick; realistic: at it is enough; kind: more often, and inside."""

    rate: float
    growth: float
    from_way: float
    adverse: float
    adverse_window: timedelta
    through_ticks: int
    improvement: float
    piece_mean: float

    @classmethod
    def of(cls, name: str) -> MarketProfile:
        constants: dict[str, Any] = data("broker.json")
        hazard, own = constants["hazard"], constants["profiles"][name]
        return cls(
            rate=hazard["rate"] * own["rate_factor"],
            growth=hazard["growth"],
            from_way=hazard["from_way"],
            adverse=hazard["adverse"],
            adverse_window=timedelta(seconds=hazard["adverse_window"]),
            through_ticks=own["through_ticks"],
            improvement=own["improvement"],
            piece_mean=own["piece_mean"],
        )

    def hazard(self, way: float, against: float = 0.0) -> float:
        """Fills a second of a limit at `way` from the near (0) to the far side (1).

        `against`: how far the middle has come towards the limit lately, in half widths: who is filled then has paid too
        much a moment later.
        """
        if way < self.from_way:
            return 0.0
        return self.rate * math.exp(self.growth * way + self.adverse * min(max(against, -1.0), 1.0))


@dataclass(frozen=True, slots=True)
class BrokerTraits:
    """How one broker differs from the other."""

    name: str
    legs_most: int
    legs_refused: frozenset[int]
    commission_open: Decimal
    commission_close: Decimal
    contracts_most: int
    reason_late: bool
    id_prefix: str

    def takes(self, legs: int) -> bool:
        return legs <= self.legs_most and legs not in self.legs_refused


@cache
def broker_traits(name: str) -> BrokerTraits:
    own = data("broker.json")["brokers"][name]
    return BrokerTraits(
        name=name,
        legs_most=own["legs_most"],
        legs_refused=frozenset(own["legs_refused"]),
        commission_open=Decimal(own["commission_open"]),
        commission_close=Decimal(own["commission_close"]),
        contracts_most=own["contracts_most"],
        reason_late=own["reason_late"],
        id_prefix=own["id_prefix"],
    )


class Delays:
    """How long things take, drawn by what they are and by the order's key."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._constants: dict[str, Any] = data("broker.json")["delays"]

    def acknowledge(self, key: str) -> timedelta:
        """Mostly less than a second; sometimes several."""
        own = self._constants["acknowledge"]
        if uniform(self._seed, "acknowledge tail", key) < own["tail_probability"]:
            return self._between("acknowledge long", key, own["most"], own["tail_most"])
        return self._log_normal("acknowledge", key)

    def id_late(self, key: str) -> timedelta | None:
        """By how much the broker's id comes after the acknowledgement; None: with it."""
        own = self._constants["id"]
        if uniform(self._seed, "id late", key) >= own["late_probability"]:
            return None
        return self._between("id", key, own["least"], own["most"])

    def report(self, key: str, what: str) -> timedelta:
        return self._log_normal("report", key, what)

    def cancel(self, key: str) -> timedelta:
        return self._log_normal("cancel", key)

    def reason(self, key: str) -> timedelta:
        own = self._constants["reason"]
        return self._between("reason", key, own["least"], own["most"])

    def _log_normal(self, what: str, *name: str) -> timedelta:
        own = self._constants[what]
        drawn = log_normal(self._seed, what, *name, median=own["median"], sigma=own["sigma"])
        return _milliseconds(min(max(drawn, own["least"]), own["most"]))

    def _between(self, what: str, key: str, least: float, most: float) -> timedelta:
        return _milliseconds(least + (most - least) * uniform(self._seed, what, key))


def _milliseconds(seconds: float) -> timedelta:
    return timedelta(milliseconds=round(seconds * 1000))
