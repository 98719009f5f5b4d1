"""Whose signals are looked at: strategies on the accounts where they are active, and open positions.

An entry's signal is of a strategy that is active on an account; an exit's and an adjustment's of a position that is open,
whether or not its strategy is still active (inferred: only of entries it is said that they need it). A position whose strategy
was deleted has no rules any more, and no signals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.simulator.signals.levels import EXIT_RULES, words_of
from mesoflow.simulator.signals.rules import SignalRules, read_signal_rules
from mesoflow.simulator.strategies.definition import Definition
from mesoflow.simulator.strategies.reading import DefinitionRefused
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.strategies import Strategies, definition_of, document_of


@dataclass(frozen=True, slots=True)
class Rules:
    """A definition, read once. `needed`: the names without which its exit and its adjustments cannot be judged."""

    definition: Definition
    signals: SignalRules
    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """An account for an entry, or a position with its open legs, what its closed ones have earned, and its variables."""

    strategy: int
    strategy_name: str
    account: str
    broker: str
    rules: Rules
    position: LivePosition | None = None
    legs: tuple[LiveLeg, ...] = ()
    realized: Decimal = Decimal(0)
    variables: Mapping[str, float] = field(default_factory=dict)
    expirations: Mapping[str, date] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str, int]:
        """0: no position."""
        return self.strategy, self.account, 0 if self.position is None else self.position.id


class Subjects:
    """All of a world; read anew when something has changed."""

    def __init__(self, core: Core, accounts: Accounts, strategies: Strategies, positions: Positions) -> None:
        self._store, self._accounts = core.store, accounts
        self._strategies, self._positions = strategies, positions
        self._rules = lru_cache(maxsize=256)(_read)
        self._found: tuple[int, tuple[Subject, ...]] = (-1, ())

    def all(self) -> tuple[Subject, ...]:
        if self._found[0] != self._store.version:
            self._found = self._store.version, (*self._entries(), *self._held())
        return self._found[1]

    def any(self) -> bool:
        """Whether there may be one. Asked after every change, so it costs little."""
        held = "SELECT 1 FROM legs WHERE open LIMIT 1"
        return self._store.row(held) is not None or self._strategies.any_active()

    def _entries(self) -> Iterator[Subject]:
        for strategy in self._strategies.active():
            rules = self._rules_of(strategy.id)
            if rules is None:
                continue
            for account in strategy.active_on_accounts or ():
                yield Subject(strategy.id, strategy.name, account, self._broker(account), rules)

    def _rules_of(self, strategy: int) -> Rules | None:
        """None where it was deleted, or comes from an older world that took what this version would refuse."""
        try:
            return self._rules(self._strategies.text(strategy))
        except (Refused, DefinitionRefused):
            return None

    def _broker(self, account: str) -> str:
        return str(self._accounts.kept(account)[1].broker_type)

    def _held(self) -> Iterator[Subject]:
        for _, position in self._positions.documents.find("open"):
            rules = self._rules_of(position.live_strategy_id)
            if rules is None:
                continue
            ever, expirations = self._positions.legs(position.id), self._positions.expirations(position.id)
            yield Subject(
                strategy=position.live_strategy_id,
                strategy_name=position.strategy_name,
                account=position.broker_account_id,
                broker=self._broker(position.broker_account_id),
                rules=rules,
                position=position,
                legs=tuple(leg for leg in ever if leg.closed_at is None),
                realized=sum((realized_of(leg) for leg in ever), Decimal(0)),
                variables={name: float(value) for name, value in self._positions.stored(position.id).items()},
                expirations={alias: date.fromisoformat(day) for alias, day in expirations.items()},
            )


def _read(text: str) -> Rules:
    document: Any = document_of(text)
    definition, signals = definition_of(document), read_signal_rules(document)
    spoken = (*definition.adjustments, *signals.exit_conditions)
    known = definition.exit_vars.keys() | definition.var_defines.keys()
    given = (rule for name, rule in EXIT_RULES.items() if name in known)
    updates = any("UpdateVars" in under for under in definition.adjustments.values())
    return Rules(definition, signals, words_of([*spoken, *(EXIT_RULES.values() if updates else given)]))
