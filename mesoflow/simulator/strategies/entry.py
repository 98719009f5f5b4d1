"""An entry is prepared by really evaluating its definition: expirations, legs, quantities, variables, conditions.

In this order, each step seeing what came before: expirations in the order of their list, legs in the order of theirs
(with all variables refreshed after each), QtyMultiplier, VarDefines, the exit's figures, AbortConditions, Conditions on the
preview with its legs. Any true condition lets go, any true abort condition drops; a condition that cannot be evaluated lets
nothing go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mesoflow.simulator.market.chain import Expiry, Option
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.strategies.definition import (
    NOT_IN_THIS_VERSION,
    Definition,
    ExpirationRule,
    LegRule,
)
from mesoflow.simulator.strategies.legs import MarketLeg, names_of
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua, Names, exact

# No account holds as many; what is above is an expression gone wrong.
CONTRACTS_MAX = 1_000_000
# Where a definition ranks no roots.
_ROOT_ORDER = {"SPX": ("SPXW", "SPX")}


class EntryImpossible(Exception):
    """Why an entry could not be prepared; its text is the job's error."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an entry depends on beside definition and market. `used`: contracts that no leg may take."""

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


@dataclass(frozen=True, slots=True)
class Preview:
    """An entry as it would be now. Quantities contain the multiplier."""

    legs: tuple[MarketLeg, ...]
    qty_multiplier: Decimal
    variables: dict[str, Decimal]
    conditions: tuple[Evaluated, ...]
    abort_conditions: tuple[Evaluated, ...]
    expirations: dict[str, date]

    @property
    def allowed(self) -> bool:
        goes = not self.conditions or any(condition.result for condition in self.conditions)
        return goes and all(condition.result is False for condition in self.abort_conditions)


def preview(definition: Definition, snapshot: Snapshot, circumstances: Circumstances, lua: Lua) -> Preview:
    """Raises EntryImpossible."""
    refuse_unbuilt(definition)
    try:
        return _Entry(definition, snapshot, circumstances, lua).preview()
    except ExpressionFailed as error:
        raise EntryImpossible(str(error)) from None


def refuse_unbuilt(definition: Definition) -> None:
    """What the format knows and this version does not do."""
    for leg in definition.legs:
        if leg.selector in NOT_IN_THIS_VERSION:
            raise EntryImpossible(
                f"leg {leg.name!r}: StrikeSelector.{leg.selector} is not in this version of the simulator"
            )


class _Entry:
    """One evaluation, variable by variable."""

    def __init__(self, definition: Definition, snapshot: Snapshot, around: Circumstances, lua: Lua) -> None:
        self.definition, self.snapshot, self.around, self.lua = definition, snapshot, around, lua
        self.names: dict[str, float | None] = dict(around.names)
        self.expiries: dict[str, Expiry] = {}
        self.legs: list[MarketLeg] = []

    def preview(self) -> Preview:
        for rule in self.definition.expirations:
            self.expiries[rule.name] = self._choose_expiry(rule)
        for leg in self.definition.legs:
            self.legs.append(self._choose_leg(leg))
            self.names |= names_of(self.legs)
        multiplier = self._multiplier()
        self.legs = [replace(leg, qty=leg.qty * multiplier) for leg in self.legs]
        self.names |= names_of(self.legs)
        variables = self._variables()
        return Preview(
            legs=tuple(self.legs),
            qty_multiplier=multiplier,
            variables=variables,
            conditions=self._evaluate(self.definition.conditions),
            abort_conditions=self._evaluate(self.definition.abort_conditions),
            expirations={alias: expiry.day for alias, expiry in self.expiries.items()},
        )

    def _number(self, expression: str) -> float:
        return self.lua.number(expression, self.names)

    def _optional(self, expression: str | None) -> float | None:
        return None if expression is None else self._number(expression)

    def _choose_expiry(self, rule: ExpirationRule) -> Expiry:
        wanted, least, most = self._number(rule.dte), self._optional(rule.least), self._optional(rule.most)
        order = rule.include if rule.include is not None else _ROOT_ORDER.get(self.definition.symbol, ())
        fitting = [
            expiry
            for expiry in self.snapshot.expiries(self.definition.symbol)
            if (rule.include is None or expiry.root in rule.include)
            and expiry.root not in rule.exclude
            and _within(self._dte(expiry), least, most)
        ]
        if not fitting:
            raise EntryImpossible(
                f"expiration {rule.name!r}: none is listed for DTE {wanted:g}{_bounds(least, most)}"
            )
        best = min(
            fitting,
            key=lambda expiry: (abs(self._dte(expiry) - wanted), _rank(order, expiry.root), expiry.day),
        )
        self.names[f"expiration_{rule.name}_dte"] = float(self._dte(best))
        return best

    def _dte(self, expiry: Expiry) -> int:
        return (expiry.day - self.around.today).days

    def _choose_leg(self, rule: LegRule) -> MarketLeg:
        wanted, least, most = self._number(rule.wanted), self._optional(rule.least), self._optional(rule.most)
        expiry = self.expiries[rule.expiration]
        if rule.selector == "Delta" and wanted < 0:
            raise EntryImpossible(f"leg {rule.name!r}: Delta came to {wanted:g}; it is given without a sign")
        scores = (
            (abs(value - wanted), option.strike, option)
            for option in self._candidates(rule, expiry)
            if (value := self._selected_by(rule, option)) is not None and _within(value, least, most)
        )
        best = min(scores, default=None)
        if best is None:
            raise EntryImpossible(
                f"leg {rule.name!r}: no free contract of {expiry.root} {expiry.day} has {rule.selector} {wanted:g}{_bounds(least, most)}"
            )
        return self._leg(rule, expiry, best[2])

    def _candidates(self, rule: LegRule, expiry: Expiry) -> Iterable[Option]:
        taken: Collection[Option] = self.around.used
        if self.around.unique_in_position:
            taken = self.around.used | {leg.option for leg in self.legs}
        for strike in self.snapshot.strikes(self.definition.symbol, expiry):
            option = Option(self.definition.symbol, expiry.root, expiry.day, Decimal(strike), rule.right)
            if option not in taken:
                yield option

    def _selected_by(self, rule: LegRule, option: Option) -> float | None:
        """The quantity that the selector compares."""
        if rule.selector == "StrikePrice":
            return float(option.strike)
        greeks = self.snapshot.greeks(option)
        return None if greeks is None else abs(greeks.delta) * 100.0

    def _leg(self, rule: LegRule, expiry: Expiry, option: Option) -> MarketLeg:
        quote = self.snapshot.quote(option)
        if quote is None:
            raise EntryImpossible(f"leg {rule.name!r}: {option} has no quotes")
        return MarketLeg(
            name=rule.name,
            option=option,
            qty=self._whole(rule.qty, f"Qty of leg {rule.name!r}"),
            group=0
            if rule.group is None
            else int(self._whole(rule.group, f"LegGroupId of leg {rule.name!r}")),
            dte=self._dte(expiry),
            quote=quote,
            greeks=self.snapshot.greeks(option),
        )

    def _whole(self, expression: str, what: str) -> Decimal:
        number = self._number(expression)
        if abs(number) > CONTRACTS_MAX:
            raise EntryImpossible(f"{what} came to {number:g}, more than {CONTRACTS_MAX}")
        if number != int(number):
            raise EntryImpossible(f"{what} came to {number:g}: contracts are whole")
        return Decimal(int(number))

    def _multiplier(self) -> Decimal:
        text = self.definition.qty_multiplier
        if text is None:
            return Decimal(1)
        found = self._whole(text, "QtyMultiplier")
        if found < 0:
            raise EntryImpossible(f"QtyMultiplier came to {found}")
        return found

    def _variables(self) -> dict[str, Decimal]:
        """VarDefines, then the exit's figures; later ones see earlier ones."""
        found: dict[str, Decimal] = {}
        for name, text in {**self.definition.var_defines, **self.definition.exit_vars}.items():
            number = self._number(text)
            self.names[name] = number
            found[name] = exact(number)
        for alias in self.expiries:
            found[f"expiration_{alias}_dte"] = exact(self.names[f"expiration_{alias}_dte"] or 0.0)
        return found

    def _evaluate(self, conditions: Iterable[str]) -> tuple[Evaluated, ...]:
        found: list[Evaluated] = []
        for text in conditions:
            try:
                found.append(Evaluated(text, self.lua.truth(text, self.names)))
            except ExpressionFailed as error:
                found.append(Evaluated(text, None, error.reason))
        return tuple(found)


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _bounds(least: float | None, most: float | None) -> str:
    if least is None and most is None:
        return ""
    return f" from {'any' if least is None else f'{least:g}'} to {'any' if most is None else f'{most:g}'}"


def _rank(order: Collection[str], root: str) -> int:
    ranked = list(order)
    return ranked.index(root) if root in ranked else len(ranked)
