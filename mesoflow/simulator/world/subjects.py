"""Whose signals are looked at: strategies on the accounts where they are active, and open positions.

An entry's signal is of a strategy that is active on an account; an exit's and an adjustment's of a position that is open,
whether or not its strategy is still active (inferred: only of entries it is said that they need it). A position whose strategy
was deleted has no rules any more, and no signals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.simulator.signals.levels import EXIT_RULES, words_of
from mesoflow.simulator.signals.rules import SignalRules, read_signal_rules
from mesoflow.simulator.strategies.definition import Definition
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.strategies import Strategies, definition_of, document_of


@dataclass(frozen=True, slots=True)
class Rules:
    """A definition, read once. `words`: the names that its exit and its adjustments speak of."""

    definition: Definition
    signals: SignalRules
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """An account for an entry, or a position with its open legs and what its closed ones have earned."""

    strategy: int
    strategy_name: str
    account: str
    rules: Rules
    position: LivePosition | None = None
    legs: tuple[LiveLeg, ...] = ()
    realized: Decimal = Decimal(0)

    @property
    def key(self) -> tuple[int, str, int]:
        """0: no position."""
        return self.strategy, self.account, 0 if self.position is None else self.position.id


class Subjects:
    """All of a world; read anew when something has changed."""

    def __init__(self, core: Core, strategies: Strategies, positions: Positions) -> None:
        self._store, self._strategies, self._positions = core.store, strategies, positions
        self._rules = lru_cache(maxsize=256)(_read)
        self._found: tuple[int, tuple[Subject, ...]] = (-1, ())

    def all(self) -> tuple[Subject, ...]:
        if self._found[0] != self._store.version:
            self._found = self._store.version, (*self._entries(), *self._held())
        return self._found[1]

    def _entries(self) -> Iterator[Subject]:
        for strategy in self._strategies.active():
            rules = self._rules(self._strategies.text(strategy.id))
            for account in strategy.active_on_accounts or ():
                yield Subject(strategy.id, strategy.name, account, rules)

    def _held(self) -> Iterator[Subject]:
        for _, position in self._positions.documents.find("open"):
            try:
                rules = self._rules(self._strategies.text(position.live_strategy_id))
            except Refused:
                continue
            ever = self._positions.legs(position.id)
            yield Subject(
                strategy=position.live_strategy_id,
                strategy_name=position.strategy_name,
                account=position.broker_account_id,
                rules=rules,
                position=position,
                legs=tuple(leg for leg in ever if leg.closed_at is None),
                realized=sum((realized_of(leg) for leg in ever), Decimal(0)),
            )


def _read(text: str) -> Rules:
    """What is stored was read once already, and cannot be refused now."""
    document: Any = document_of(text)
    definition, signals = definition_of(document), read_signal_rules(document)
    spoken = (*definition.adjustments, *signals.exit_conditions)
    known = definition.exit_vars.keys() | definition.var_defines.keys()
    given = (rule for name, rule in EXIT_RULES.items() if name in known)
    updates = any("UpdateVars" in under for under in definition.adjustments.values())
    return Rules(definition, signals, words_of([*spoken, *(EXIT_RULES.values() if updates else given)]))
