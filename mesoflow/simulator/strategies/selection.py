"""How expirations, contracts and quantities are chosen: what entries and adjustments have in common.

A Selection is one evaluation, variable by variable: each choice sees what was chosen before it.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

from mesoflow.simulator.market.chain import Expiry, Option
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.strategies.legs import MarketLeg, names_of
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua, Names, exact
from mesoflow.simulator.strategies.margins import MarginRule
from mesoflow.simulator.strategies.rules import ExpirationRule, LegRule, Right, StrikeRule
from mesoflow.simulator.strategies.valuation import Valuation

# No account holds as many; what is above is an expression gone wrong.
CONTRACTS_MAX = 1_000_000
# Where a definition ranks no roots.
_ROOT_ORDER = {"SPX": ("SPXW", "SPX")}
# What a quantity may read of its own leg.
_OWN = ("price", "strike", "iv")
_ONE = Decimal(1)
_Names = ChainMap[str, float | None]


class Impossible(Exception):
    """Why something could not be prepared; its text is the job's error."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a choice depends on beside definition and market. `used`: contracts that no leg may take."""

    today: date
    names: Names
    used: frozenset[Option]
    unique_in_position: bool


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One condition and what it came to."""

    text: str
    result: bool | None
    error: str | None = None


class Selection:
    """Names, expirations and legs as they are chosen. `legs` may begin with those that are held already."""

    def __init__(
        self,
        symbol: str,
        snapshot: Snapshot,
        around: Circumstances,
        lua: Lua,
        held: Iterable[MarketLeg] = (),
        realized: float = 0.0,
        margin: MarginRule | None = None,
    ) -> None:
        self.symbol, self.snapshot, self.around, self.lua = symbol, snapshot, around, lua
        self.realized, self.margin = realized, margin
        # What is known beside the position may be computed when it is asked for: it is a layer of its own.
        self.names: _Names = ChainMap({}, cast("MutableMapping[str, float | None]", around.names))
        self.expiries: dict[str, Expiry] = {}
        self.legs: list[MarketLeg] = list(held)
        if self.legs:
            self.refresh()

    def refresh(self) -> None:
        """Let the names say what the legs are now; names of legs that are gone stay as they were."""
        self.names.update(self._named(self.legs))

    def _named(self, legs: list[MarketLeg]) -> dict[str, float | None]:
        found = names_of(legs, self.realized)
        if self.margin is not None:
            found["pos_margin"] = self.margin.of_legs(legs, self.snapshot)
        return found

    def _valuation(self) -> Valuation:
        return Valuation(self.legs, self.snapshot, self.realized)

    # --- expressions -----------------------------------------------------------------------------------------------

    def number(self, expression: str) -> float:
        return self.lua.number(expression, self.names, self._valuation())

    def optional(self, expression: str | None) -> float | None:
        return None if expression is None else self.number(expression)

    def whole(self, expression: str, what: str, more: Names | None = None) -> Decimal:
        layer = cast("dict[str, float | None]", dict(more or {}))
        number = self.lua.number(expression, self.names.new_child(layer), self._valuation())
        if abs(number) > CONTRACTS_MAX:
            raise Impossible(f"{what} came to {number:g}, more than {CONTRACTS_MAX}")
        if number != int(number):
            raise Impossible(f"{what} came to {number:g}: contracts are whole")
        return Decimal(int(number))

    def evaluate(self, conditions: Iterable[str]) -> tuple[Evaluated, ...]:
        found: list[Evaluated] = []
        for text in conditions:
            try:
                found.append(Evaluated(text, self.lua.truth(text, self.names, self._valuation())))
            except ExpressionFailed as error:
                found.append(Evaluated(text, None, error.reason))
        return tuple(found)

    def define(self, defines: Iterable[tuple[str, str]]) -> dict[str, Decimal]:
        """Variables in order; later ones see earlier ones."""
        found: dict[str, Decimal] = {}
        for name, text in defines:
            number = self.number(text)
            self.names[name] = number
            found[name] = exact(number)
        return found

    def days_left(self) -> dict[str, Decimal]:
        """Of each alias that was chosen."""
        return {
            f"expiration_{alias}_dte": exact(float(self._dte(expiry)))
            for alias, expiry in self.expiries.items()
        }

    # --- expirations -----------------------------------------------------------------------------------------------

    def choose_expiry(self, rule: ExpirationRule) -> Expiry:
        wanted, least, most = self.number(rule.dte), self.optional(rule.least), self.optional(rule.most)
        self.names.update({f"expiration_{rule.name}_min": least, f"expiration_{rule.name}_max": most})
        order = rule.include if rule.include is not None else _ROOT_ORDER.get(self.symbol, ())
        fitting = [
            expiry
            for expiry in self.snapshot.expiries(self.symbol)
            if (rule.include is None or expiry.root in rule.include)
            and expiry.root not in rule.exclude
            and _within(self._dte(expiry), least, most)
        ]
        if not fitting:
            raise Impossible(
                f"expiration {rule.name!r}: none is listed for DTE {wanted:g}{_bounds(least, most)}"
            )
        best = min(
            fitting,
            key=lambda expiry: (abs(self._dte(expiry) - wanted), _rank(order, expiry.root), expiry.day),
        )
        self.take_expiry(rule.name, best)
        return best

    def take_expiry(self, alias: str, expiry: Expiry) -> None:
        self.expiries[alias] = expiry
        self.names[f"expiration_{alias}_dte"] = float(self._dte(expiry))

    def expiry_of(self, day: date, roots: Iterable[str]) -> Expiry | None:
        """The listed one of a day, of the first root that has it."""
        listed = [expiry for expiry in self.snapshot.expiries(self.symbol) if expiry.day == day]
        order = (*roots, *_ROOT_ORDER.get(self.symbol, ()))
        return min(listed, key=lambda expiry: _rank(order, expiry.root), default=None)

    def _dte(self, expiry: Expiry) -> int:
        return (expiry.day - self.around.today).days

    # --- legs ------------------------------------------------------------------------------------------------------

    def choose_leg(self, rule: LegRule, name: str | None = None) -> MarketLeg:
        """A leg of the definition; `name`: what it is called on its position, if not like that."""
        expiry = self.expiries[rule.expiration]
        what = rule.name

        def leg_on(option: Option) -> MarketLeg:
            leg = self.market_leg(what, option, _ONE, 0, name)
            own = names_of([leg])
            qty = self.whole(
                rule.qty,
                f"Qty of leg {what!r}",
                {f"leg_{what}_{key}": own[f"leg_{what}_{key}"] for key in _OWN},
            )
            return self.market_leg(what, option, qty, 0, name)

        option = self.choose_contract(what, rule.right, rule.strike, expiry, leg_on)
        leg = leg_on(option)
        group = 0 if rule.group is None else int(self.whole(rule.group, f"LegGroupId of leg {what!r}"))
        return self.market_leg(what, option, leg.qty, group, name)

    def choose_contract(
        self,
        what: str,
        right: Right,
        rule: StrikeRule,
        expiry: Expiry,
        leg_on: Callable[[Option], MarketLeg],
    ) -> Option:
        """`leg_on`: the leg as it would be on a contract, for selectors that judge the whole."""
        least, most = self.optional(rule.least), self.optional(rule.most)
        scored = [
            (value, option)
            for option in self._candidates(right, expiry)
            if (value := self._score(rule, option, expiry, leg_on)) is not None
            and _within(value, least, most)
        ]
        wanted = self.number(rule.wanted)
        if rule.selector == "Delta" and wanted < 0:
            raise Impossible(f"leg {what!r}: Delta came to {wanted:g}; it is given without a sign")
        best = min(((abs(value - wanted), option.strike, option) for value, option in scored), default=None)
        if best is None:
            raise Impossible(
                f"leg {what!r}: no free contract of {expiry.root} {expiry.day} has "
                f"{rule.selector} {wanted:g}{_bounds(least, most)}"
            )
        return best[2]

    def market_leg(
        self, role: str, option: Option, qty: Decimal, group: int, name: str | None = None
    ) -> MarketLeg:
        quote = self.snapshot.quote(option)
        if quote is None:
            raise Impossible(f"leg {role!r}: {option} has no quotes")
        return MarketLeg(
            name=name or role,
            role=role,
            option=option,
            qty=qty,
            group=group,
            dte=(option.expiration - self.around.today).days,
            quote=quote,
            greeks=self.snapshot.greeks(option),
        )

    def _candidates(self, right: Right, expiry: Expiry) -> Iterable[Option]:
        taken: Collection[Option] = self.around.used
        if self.around.unique_in_position:
            taken = self.around.used | {leg.option for leg in self.legs}
        if self.snapshot.at >= expiry.until:
            return
        for strike in self.snapshot.strikes(self.symbol, expiry):
            option = Option(self.symbol, expiry.root, expiry.day, Decimal(strike), right)
            if option not in taken:
                yield option

    def _score(
        self, rule: StrikeRule, option: Option, expiry: Expiry, leg_on: Callable[[Option], MarketLeg]
    ) -> float | None:
        """The quantity that the selector compares; None where the candidate does not count."""
        match rule.selector:
            case "StrikePrice":
                return float(option.strike)
            case "Delta":
                return abs(self.snapshot.delta(expiry, float(option.strike), option.call)) * 100.0
            case "Complex":
                return self._complex(rule, leg_on(option))
            case _:
                bid, ask = self.snapshot.sides(option, expiry)
                return {"BidPrice": bid, "AskPrice": ask, "MidPrice": (bid + ask) / 2}[rule.selector] / 100

    def _complex(self, rule: StrikeRule, leg: MarketLeg) -> float | None:
        """The statement with the candidate as the leg, where all constraints hold. What it cannot judge does not count."""
        legs = [*self.legs, leg]
        names = self.names.new_child(self._named(legs))
        model = Valuation(legs, self.snapshot, self.realized)
        try:
            if not all(self.lua.truth(text, names, model) for text in rule.constraints):
                return None
            return self.lua.number(rule.statement, names, model)
        except ExpressionFailed:
            return None


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _bounds(least: float | None, most: float | None) -> str:
    if least is None and most is None:
        return ""
    return f" from {'any' if least is None else f'{least:g}'} to {'any' if most is None else f'{most:g}'}"


def _rank(order: Collection[str], root: str) -> int:
    ranked = list(order)
    return ranked.index(root) if root in ranked else len(ranked)
