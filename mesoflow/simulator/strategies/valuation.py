"""The `options` namespace: what a position would be worth some days ahead, at another level of the underlying.

Every leg keeps the volatility that it has now. A leg whose days are over is worth what it is in the money. `days` are counted
from now; those of a leg (`leg_<NAME>_dte`) lead to its expiration. The solver walks a range in the order of its ends, so that
the first crossing of zero is the one nearest to where it begins. Both give nil without a position, or without its market.

Only the whole position can be valued (`position`), and the model takes no parameters of its own: what else the language
has there is not in this version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import timedelta

from mesoflow.simulator.market import black76
from mesoflow.simulator.market.black76 import Sensitivities, Terms
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.strategies.legs import GREEKS, MarketLeg, scaled

NAMESPACE = "options"
TARGET = "position"
METRICS = ("pnl", *GREEKS)
GOALS = ("zero", "minimize", "maximize")
RETURNS = ("return_price", "return_value")
# Words that stand bare in an expression.
WORDS = (TARGET, *METRICS, *GOALS, *RETURNS)
FUNCTIONS = ("model", "model_solver")
# Points of the solver's walk: 0.25 % of a range from half to twice the level, refined after that.
_POINTS, _REFINEMENTS = 400, 50
_YEAR = timedelta(days=365)
# As the surface has it: nothing is nearer to its end.
_YEARS_LEAST = 5.0 / (365 * 24 * 60)
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Unsaid(Exception):
    """Arguments that mean nothing here; its text is told to the author."""


class Valuation:
    """One position at one moment. `realized`: what its closed legs have earned."""

    def __init__(self, legs: Iterable[MarketLeg], snapshot: Snapshot | None, realized: float = 0.0) -> None:
        self._legs = [leg for leg in legs if leg.qty]
        self._snapshot, self._realized = snapshot, realized

    # --- as the language calls it ----------------------------------------------------------------------------------

    def call(self, name: str, arguments: tuple[object, ...]) -> float | None:
        """Raises Unsaid."""
        if name == "model":
            target, days, level, metric = self._counted(name, arguments, 4)
            self._require(target, metric)
            return self.model(_number(days, "days"), _level(level), str(metric))
        target, days, start, end, metric, goal, what = self._counted(name, arguments, 7)
        self._require(target, metric)
        for word, known in ((goal, GOALS), (what, RETURNS)):
            if word not in known:
                raise Unsaid(f"{_said(word)} is none of {', '.join(known)}")
        found = self.solve(
            _number(days, "days"), (_level(start), _level(end)), metric=str(metric), goal=str(goal)
        )
        return None if found is None else found[0 if what == "return_price" else 1]

    @staticmethod
    def _counted(name: str, arguments: tuple[object, ...], count: int) -> tuple[object, ...]:
        if len(arguments) > count:
            raise Unsaid(f"parameters of the model in 'options.{name}' are not in this version")
        if len(arguments) < count:
            raise Unsaid(f"'options.{name}' takes {count} arguments, not {len(arguments)}")
        return arguments

    @staticmethod
    def _require(target: object, metric: object) -> None:
        if target != TARGET:
            raise Unsaid(f"'options' of {_said(target)} is not in this version, only of '{TARGET}'")
        if metric not in METRICS:
            raise Unsaid(f"{_said(metric)} is none of {', '.join(METRICS)}")

    # --- figures ---------------------------------------------------------------------------------------------------

    def model(self, days: float, level: float, metric: str) -> float | None:
        """A figure of the position so many days ahead."""
        values = self._values(days, metric)
        return None if values is None else values(level)

    def solve(
        self, days: float, ends: tuple[float, float], *, metric: str, goal: str
    ) -> tuple[float, float] | None:
        """Level and figure where the figure is zero, least or greatest; None where it is never zero."""
        values = self._values(days, metric)
        if values is None:
            return None
        start, end = ends
        walk = [start + (end - start) * n / _POINTS for n in range(_POINTS + 1)]
        found = [values(level) for level in walk]
        if goal == "zero":
            return _crossing(values, walk, found)
        sign = 1.0 if goal == "maximize" else -1.0
        best = max(range(len(walk)), key=lambda n: sign * found[n])
        low, high = walk[max(best - 1, 0)], walk[min(best + 1, _POINTS)]
        refined = _peak(lambda level: sign * values(level), low, high)
        return max((walk[best], found[best]), (refined, values(refined)), key=lambda pair: sign * pair[1])

    def _values(self, days: float, metric: str) -> Callable[[float], float] | None:
        """The figure as a function of the level."""
        parts = [self._leg_value(leg, days, metric) for leg in self._legs]
        known = [part for part in parts if part is not None]
        if not known or len(known) != len(parts):
            return None
        base = self._realized if metric == "pnl" else 0.0
        return lambda level: base + math.fsum(part(level) for part in known)

    def _leg_value(self, leg: MarketLeg, days: float, metric: str) -> Callable[[float], float] | None:
        assert self._snapshot is not None, "a leg stands in a market"
        expiry = self._snapshot.expiry_of(leg.option)
        if expiry is None or leg.greeks is None or leg.quote.mark is None or leg.pnl is None:
            return None
        known, volatility = self._snapshot.slice_of(expiry).terms, leg.greeks.iv
        strike, call, left = float(leg.option.strike), leg.option.call, leg.dte - days
        years = max((expiry.settles - self._snapshot.at) / _YEAR - days / 365.0, _YEARS_LEAST)

        def terms(level: float) -> Terms:
            return Terms.of(level, years, known.interest, known.dividend)

        if metric == "pnl":
            factor, mark, so_far = float(leg.qty) * 100.0, float(leg.quote.mark), leg.pnl

            def earned(level: float) -> float:
                if left <= 0:
                    worth = max(level - strike if call else strike - level, 0.0)
                else:
                    worth = black76.price(terms(level), strike, volatility, call)
                return so_far + (worth - mark) * factor

            return earned

        def greek(level: float) -> float:
            found = (
                _expired(level, strike, call)
                if left <= 0
                else black76.sensitivities(terms(level), strike, volatility, call)
            )
            return scaled(found, leg.qty, max(int(left), 0))[metric]

        return greek


# Where there is no position: every figure is nil.
NOTHING = Valuation((), None)


def _expired(level: float, strike: float, call: bool) -> Sensitivities:
    """What is left of an option at its end: its delta, if it is in the money."""
    inside = level > strike if call else level < strike
    delta = (1.0 if call else -1.0) if inside else 0.0
    return Sensitivities(delta=delta, gamma=0.0, theta=0.0, vega=0.0, rho=0.0, iv=0.0)


def _crossing(
    values: Callable[[float], float], walk: list[float], found: list[float]
) -> tuple[float, float] | None:
    for n in range(len(walk)):
        if found[n] == 0.0:
            return walk[n], 0.0
        if n and (found[n - 1] < 0.0) != (found[n] < 0.0):
            low, high = walk[n - 1], walk[n]
            below = found[n - 1] < 0.0
            for _ in range(_REFINEMENTS):
                middle = (low + high) / 2.0
                low, high = (middle, high) if (values(middle) < 0.0) == below else (low, middle)
            return (low + high) / 2.0, values((low + high) / 2.0)
    return None


def _peak(values: Callable[[float], float], low: float, high: float) -> float:
    """Golden section."""
    first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    for _ in range(_REFINEMENTS):
        if values(first) >= values(second):
            high = second
        else:
            low = first
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    return (low + high) / 2.0


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise Unsaid(f"{what} of the model are {_said(value)}")
    return float(value)


def _level(value: object) -> float:
    number = _number(value, "levels")
    # A level that is nothing has no logarithm, and no index is as high.
    if not 0 < number < 1e9:
        raise Unsaid(f"a level of {number:g} is none")
    return number


def _said(value: object) -> str:
    """Never where something lies in memory: what is told is written."""
    if value is None:
        return "nil"
    if isinstance(value, str):
        return repr(value)
    return str(value) if isinstance(value, int | float) else "what is no number"
