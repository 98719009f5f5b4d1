"""The signals of one subject at one moment: the market and the account are asked only for what its rules speak of."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias, cast

from mesoflow.hubs.models.enums import ConditionType
from mesoflow.simulator.signals.levels import (
    Found,
    Trouble,
    adjustment_levels,
    entry_level,
    exit_level,
)
from mesoflow.simulator.strategies.entry import preview
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.lua import Names
from mesoflow.simulator.strategies.margins import MarginRule
from mesoflow.simulator.strategies.selection import Circumstances, Evaluated, Selection
from mesoflow.simulator.world.adjustments import market_leg
from mesoflow.simulator.world.agents import all_away, serving
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.store import moment_of
from mesoflow.simulator.world.subjects import Subject

# What the language knows of an account and of the market, looked up name by name (known.py).
AccountNames: TypeAlias = Callable[[str, datetime, MarginRule | None], Names]
# Words that need the legs' market; `options` values them.
_MARKET = ("leg_", "pos_", "options")
_DAY = timedelta(days=1)


class Levels:
    """Evaluates subjects."""

    def __init__(self, core: Core, positions: Positions, names: AccountNames) -> None:
        self._core, self._positions, self._names = core, positions, names

    def agent_gone(self, subject: Subject, at: datetime) -> str | None:
        """Why there are no quotes for an account; None: there are. Paper is served by any agent."""
        return all_away(serving(subject.broker), at, self._core.faults)

    @staticmethod
    def settles(subject: Subject, at: datetime) -> bool:
        """Whether a leg has come to its settlement, which happens after the look of the same time."""
        ends = (leg.live_contract.expiration for leg in subject.legs)
        return any(end is not None and end <= at for end in ends)

    def of(self, subject: Subject, at: datetime) -> Mapping[str, Found]:
        """By kind of signal: entry, or exit and adjustment."""
        return {"entry": self._entry(subject, at)} if subject.position is None else self._held(subject, at)

    # --- entries ---------------------------------------------------------------------------------------------------

    def _entry(self, subject: Subject, at: datetime) -> Found:
        rules, session = subject.rules, self._core.market.calendar.begun(at)

        def conditions() -> tuple[Evaluated, ...]:
            around = Circumstances(
                today=session.day,
                names=self._names(subject.account, at, rules.definition.margin),
                used=self._positions.used(),
                unique_in_position=True,
            )
            return preview(rules.definition, self._core.market.at(at), around, self._core.lua).conditions

        gate = partial(self._gate, subject, at)
        return entry_level(rules.definition, rules.signals, at, session, gate, conditions)

    def _gate(self, subject: Subject, at: datetime) -> bool:
        """ReentryDays after the last exit, EntryShiftDays after the last entry, MaxPositionsInFlight."""
        rules, find = subject.rules.signals, self._core.store.row
        row = find(
            "SELECT sum(open), max(json_extract(doc, '$.CreatedAt')), max(json_extract(doc, '$.ClosedAt')) "
            "FROM positions WHERE strategy = ? AND account = ?",
            (subject.strategy, subject.account),
        )
        count, entered, left = row or (None, None, None)
        if rules.in_flight_max is not None and (count or 0) >= rules.in_flight_max:
            return False
        return not (
            self._too_soon(rules.shift_days, entered, at) or self._too_soon(rules.reentry_days, left, at)
        )

    def _too_soon(self, days: float | None, last: str | None, at: datetime) -> bool:
        if days is None or last is None:
            return False
        local = self._core.market.calendar.local_date
        return (local(at) - local(moment_of(last))).days < days

    # --- positions -------------------------------------------------------------------------------------------------

    def _held(self, subject: Subject, at: datetime) -> Mapping[str, Found]:
        rules, session = subject.rules, self._core.market.calendar.begun(at)
        found: dict[str, Found] = {}
        try:
            legs = self._legs(subject, at)
        except Refused as refusal:
            return {"exit": Found((), (Trouble(ConditionType.EXIT, refusal.detail),))}
        chosen = Selection(
            rules.definition.symbol,
            self._core.market.at(at),
            Circumstances(session.day, self._known(subject, at), frozenset(), unique_in_position=False),
            self._core.lua,
            legs,
            float(subject.realized),
            rules.definition.margin,
        )
        found["exit"] = exit_level(rules.signals, at, session, chosen)
        if rules.definition.adjustments:
            roles = {leg.role for leg in legs}
            found["adjustment"] = adjustment_levels(
                rules.definition, rules.signals, at, session, chosen, roles
            )
        return found

    def _legs(self, subject: Subject, at: datetime) -> tuple[MarketLeg, ...]:
        """Nothing, where no rule speaks of legs. Raises Refused."""
        speaks = any(word.startswith(_MARKET) for word in subject.rules.needed)
        if not speaks and not subject.rules.definition.adjustments:
            return ()
        roles = subject.rules.definition.leg_names
        return tuple(market_leg(self._core.market, leg, roles, at) for leg in subject.legs)

    def _known(self, subject: Subject, at: datetime) -> Names:
        position = subject.position
        assert position is not None, "a position is looked at"
        today = self._core.market.calendar.local_date(at)
        own: dict[str, float | int | None] = {
            "days_in_trade": (at - position.created_at) / _DAY,
            **subject.variables,
            **{
                f"expiration_{alias}_dte": float((day - today).days)
                for alias, day in subject.expirations.items()
            },
        }
        known = self._names(subject.account, at, subject.rules.definition.margin)
        return ChainMap(own, cast("MutableMapping[str, int | float | None]", known))
