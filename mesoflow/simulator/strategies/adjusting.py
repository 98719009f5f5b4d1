"""An adjustment is prepared by evaluating one operation under one key against what its position holds.

The key is evaluated on the position as it is; then legs go and come; then variables are computed, on the position as it will
be. It is allowed when the key is true and no abort condition is, or cannot be told; new variables alone are always allowed.
One operation is evaluated at a time: what else stands under the key is another request.

A leg that is opened while its role has, or ever had, a leg on the position gets a name of its own (`short_call_2`): legs of a
position and of a plan are told apart by name. In expressions it keeps the name of its role.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import count

from mesoflow.simulator.market.chain import Expiry, Option
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.strategies.adjustments import Operation
from mesoflow.simulator.strategies.definition import Definition
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua
from mesoflow.simulator.strategies.selection import Circumstances, Evaluated, Impossible, Selection

_NUMBERED = re.compile(r"(.+)_\d+")


@dataclass(frozen=True, slots=True)
class Holds:
    """What a position holds: open legs by role, names that any of its legs ever had, and its aliases' days."""

    legs: tuple[MarketLeg, ...]
    names: frozenset[str]
    realized: float
    expirations: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjustment as it would be now. Quantities are what is traded: a leg that closes has the opposite of what is held.

    `variables` and `expirations` are what the position remembers of it.
    """

    condition: Evaluated
    closing: tuple[MarketLeg, ...] = ()
    opening: tuple[MarketLeg, ...] = ()
    abort_conditions: tuple[Evaluated, ...] = ()
    variables: dict[str, Decimal] = field(default_factory=dict)
    expirations: dict[str, date] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        if not self.closing and not self.opening:
            return True
        return self.condition.result is True and all(one.result is False for one in self.abort_conditions)


def adjusted(
    definition: Definition,
    key: str,
    operation: str,
    snapshot: Snapshot,
    around: Circumstances,
    lua: Lua,
    holds: Holds,
) -> Adjusted:
    """Raises Impossible. The key and its operation are there."""
    chosen = Selection(
        definition.symbol, snapshot, around, lua, holds.legs, holds.realized, definition.margin
    )
    try:
        condition = chosen.evaluate((key,))[0]
        asked = definition.adjustments[key][operation]
        for rule in asked.expirations:
            chosen.choose_expiry(rule)
        found = _Adjusting(definition, asked, chosen, holds).done(operation)
        return replace(
            found,
            condition=condition,
            abort_conditions=chosen.evaluate(asked.abort_conditions),
            variables=chosen.define(asked.var_defines.items()),
            expirations={rule.name: chosen.expiries[rule.name].day for rule in asked.expirations},
        )
    except ExpressionFailed as error:
        raise Impossible(str(error)) from None


def role_of(name: str, roles: Collection[str]) -> str:
    """What the definition calls a leg of this name."""
    numbered = _NUMBERED.fullmatch(name)
    if name not in roles and numbered is not None and numbered[1] in roles:
        return numbered[1]
    return name


def free_name(role: str, taken: Collection[str], roles: Collection[str]) -> str:
    """Its own, or the first numbered one that nobody has."""
    if role not in taken:
        return role
    numbered = (f"{role}_{number}" for number in count(2))
    return next(name for name in numbered if name not in taken and name not in roles)


class _Adjusting:
    """One operation, evaluated."""

    def __init__(self, definition: Definition, asked: Operation, chosen: Selection, holds: Holds) -> None:
        self._definition, self._asked, self._chosen, self._holds = definition, asked, chosen, holds

    def done(self, operation: str) -> Adjusted:
        """Without what is evaluated after it."""
        match operation:
            case "RemoveLegs":
                return self._remove()
            case "MoveLeg":
                return self._move()
            case "AddLegs":
                return self._add()
            case _:
                return Adjusted(Evaluated("", None))

    def _remove(self) -> Adjusted:
        gone = tuple(leg for leg in self._holds.legs if leg.role in self._asked.legs)
        if not gone:
            raise Impossible(f"the position holds none of {', '.join(self._asked.legs)}")
        self._chosen.legs = [leg for leg in self._chosen.legs if leg not in gone]
        self._chosen.refresh()
        return Adjusted(Evaluated("", None), closing=_closing(gone))

    def _move(self) -> Adjusted:
        (role,), rule, chosen = self._asked.legs, self._asked.strike, self._chosen
        assert rule is not None, "a move has a selector"
        old = next((leg for leg in self._holds.legs if leg.role == role), None)
        if old is None:
            raise Impossible(f"the position holds no leg {role!r}")
        expiry, name = self._expiry_of(old), self._name(role)

        def moved(option: Option) -> MarketLeg:
            return chosen.market_leg(role, option, old.qty, old.group, name)

        # A move to where the leg is would be none.
        chosen.around = replace(chosen.around, used=chosen.around.used | {old.option})
        new = moved(chosen.choose_contract(role, old.option.right, rule, expiry, moved))
        chosen.legs = [leg for leg in chosen.legs if leg is not old] + [new]
        chosen.refresh()
        return Adjusted(Evaluated("", None), closing=_closing((old,)), opening=(new,))

    def _expiry_of(self, old: MarketLeg) -> Expiry:
        """Where a leg moves to: where it is, unless the operation says otherwise."""
        alias = self._asked.expiration
        if alias is not None:
            return self._aliased(alias)
        found = self._chosen.expiry_of(old.option.expiration, (old.option.root,))
        if found is None or found.root != old.option.root:
            raise Impossible(f"{old.option.root} {old.option.expiration} is not listed any more")
        return found

    def _aliased(self, alias: str) -> Expiry:
        """Of the operation's own aliases, else of the position's."""
        if alias in self._chosen.expiries:
            return self._chosen.expiries[alias]
        day = self._holds.expirations.get(alias)
        roots = [leg.option.root for leg in self._holds.legs if leg.option.expiration == day]
        found = None if day is None else self._chosen.expiry_of(day, roots)
        if found is None:
            raise Impossible(f"expiration {alias!r}: {day or 'unknown'} is not listed any more")
        self._chosen.expiries[alias] = found
        return found

    def _add(self) -> Adjusted:
        new: list[MarketLeg] = []
        for rule in self._asked.added:
            if any(leg.role == rule.name for leg in self._chosen.legs):
                raise Impossible(f"leg {rule.name!r} is held already")
            self._aliased(rule.expiration)
            leg = self._chosen.choose_leg(rule, self._name(rule.name))
            new.append(leg)
            self._chosen.legs.append(leg)
            self._chosen.refresh()
        return Adjusted(Evaluated("", None), opening=tuple(new))

    def _name(self, role: str) -> str:
        return free_name(role, self._holds.names, self._definition.leg_names)


def _closing(legs: tuple[MarketLeg, ...]) -> tuple[MarketLeg, ...]:
    return tuple(replace(leg, qty=-leg.qty) for leg in legs)
