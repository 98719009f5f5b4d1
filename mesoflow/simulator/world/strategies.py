"""Strategies: created from definitions or as clones, changed, renamed, deleted. A definition is kept as it came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from mesoflow.hubs.models.strategies import CreateStrategyArgs, LiveStrategy, UpdateStrategyArgs
from mesoflow.simulator.shared import data
from mesoflow.simulator.signals.rules import read_signal_rules
from mesoflow.simulator.strategies.definition import Definition, read_definition
from mesoflow.simulator.strategies.reading import DefinitionRefused
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import bad, missing
from mesoflow.simulator.world.paging import page
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.store import Documents

TEMPLATES = (101, 102, 103, 104, 105, 106, 107, 108)
# A definition's numbers keep their digits and stay numbers.
_WRITER = msgspec.json.Encoder(decimal_format="number")
_READER = msgspec.json.Decoder(float_hook=Decimal)
# Longer than any real definition; the wire's own bound is above it.
DEFINITION_BYTES_MAX = 1_000_000
NAME_LENGTH_MAX = 128
_IS_ACTIVE = "json_array_length(doc, '$.ActiveOnAccounts') > 0"


class Strategies:
    """The strategies of a world."""

    def __init__(self, core: Core, accounts: Accounts, positions: Positions) -> None:
        self._core, self._accounts, self._positions = core, accounts, positions
        self._documents = Documents(core.store, "strategies", LiveStrategy)

    def found(self, now: datetime) -> None:
        """The templates of a new world; only inside its change."""
        for id in TEMPLATES:
            definition = data(f"strategies/{id}.json")
            self._add(id, definition["StrategyName"], definition, now, active=[])

    # --- reading ---------------------------------------------------------------------------------------------------

    def get(self, id: int) -> LiveStrategy:
        """With its definition. Raises Refused."""
        return self._kept(id).model_copy(update={"strategy_definition": _READER.decode(self.text(id))})

    def definition(self, id: int) -> Definition:
        """As values. What is stored was read once already, and cannot be refused now."""
        return definition_of(document_of(self.text(id)))

    def active(self) -> list[LiveStrategy]:
        """Those that are active on some account."""
        return [strategy for _, strategy in self._documents.find(_IS_ACTIVE)]

    def any_active(self) -> bool:
        return self._core.store.row(f"SELECT 1 FROM strategies WHERE {_IS_ACTIVE} LIMIT 1") is not None

    def name(self, id: int) -> str:
        return self._kept(id).name

    def ids(self) -> list[int]:
        return [row[0] for row in self._core.store.rows("SELECT id FROM strategies ORDER BY id")]

    def page(
        self, active_on: Sequence[str] | None, limit: int | None, token: str | None
    ) -> tuple[list[LiveStrategy], str | None]:
        """In short: without definitions."""
        where, args = "1", list(active_on or ())
        if active_on is not None:
            places = ", ".join("?" * len(args))
            where = f"EXISTS (SELECT 1 FROM json_each(doc, '$.ActiveOnAccounts') WHERE value IN ({places}))"
        found, following = page(
            lambda after, size: self._documents.find(where, args, after=after, limit=size),
            ("strategies", where, *args),
            limit,
            token,
        )
        return [strategy for _, strategy in found], following

    def _kept(self, id: int) -> LiveStrategy:
        found = self._documents.get(id)
        if found is None:
            raise missing("strategy", id)
        return found

    def text(self, id: int) -> str:
        """The definition as it is stored. Raises Refused."""
        row = self._core.store.row("SELECT definition FROM strategies WHERE id = ?", (id,))
        if row is None:
            raise missing("strategy", id)
        text: str = row[0]
        return text

    # --- changing --------------------------------------------------------------------------------------------------

    def create(self, args: CreateStrategyArgs, now: datetime) -> int:
        """A new one, or a clone. Raises Refused."""
        if args.clone_strategy_id is not None:
            if args.strategy_definition is not None:
                raise bad(
                    "Strategy",
                    "a clone has no definition of its own: give StrategyDefinition or CloneStrategyId",
                )
            if self._core.faults.clone_strategy_id == "refuses":
                raise bad("Strategy", "a strategy has a definition")
            source = self.get(args.clone_strategy_id)
            definition, name = source.strategy_definition, args.name or source.name
            if self._core.faults.clone_strategy_id == "differs":
                definition = definition | {"Description": "a copy that somebody has changed"}
        else:
            definition = args.strategy_definition
            name = args.name or _checked(definition).name
        _checked(definition)
        _checked_name(name)
        active = self._checked_accounts(args.active_on_accounts or [])
        with self._core.change(now):
            id = self._core.store.next_id("strategies")
            self._add(id, name, definition, now, active, args.backtest_id, args.meso_sim_instance)
        return id

    def update(self, args: UpdateStrategyArgs, now: datetime) -> int:
        """What is null stays. Raises Refused."""
        kept = self._kept(args.strategy_id)
        changes: dict[str, Any] = {"updated_at": now}
        if args.active_on_accounts is not None:
            changes["active_on_accounts"] = self._checked_accounts(args.active_on_accounts)
        for name in ("backtest_id", "meso_sim_instance"):
            if getattr(args, name) is not None:
                changes[name] = getattr(args, name)
        columns = {}
        if args.strategy_definition is not None:
            _checked(args.strategy_definition)
            columns["definition"] = _written(args.strategy_definition)
            changes["description"] = args.strategy_definition.get("Description")
        with self._core.change(now):
            self._documents.put(kept.id, kept.model_copy(update=changes), **columns)
        return kept.id

    def rename(self, id: int, name: str, now: datetime) -> int:
        kept = self._kept(id)
        _checked_name(name)
        with self._core.change(now):
            self._documents.put(id, kept.model_copy(update={"name": name, "updated_at": now}))
        return id

    def delete(self, id: int, force: bool, now: datetime) -> int:
        self._kept(id)
        held = self._positions.open_of_strategy(id)
        if held and not force:
            raise bad("HasPositions", f"strategy {id} has {held} open positions: close them, or force")
        with self._core.change(now):
            self._core.store.run("DELETE FROM strategies WHERE id = ?", (id,))
        return id

    def _add(
        self,
        id: int,
        name: str,
        definition: Any,  # noqa: ANN401 - free JSON
        now: datetime,
        active: list[str],
        backtest_id: str | None = None,
        meso_sim_instance: str | None = None,
    ) -> None:
        strategy = LiveStrategy.model_validate(
            {
                "id": id,
                "name": name,
                "description": definition.get("Description"),
                "active_on_accounts": active,
                "backtest_id": backtest_id,
                "meso_sim_instance": meso_sim_instance,
                "created_at": now,
                "updated_at": now,
            },
            context="write",
        )
        self._documents.add(id, strategy, definition=_written(definition))

    def _checked_accounts(self, names: Sequence[str]) -> list[str]:
        return [self._accounts.kept(name)[1].broker_account_id for name in dict.fromkeys(names)]


def document_of(text: str) -> Any:  # noqa: ANN401 - free JSON
    """A stored definition as it came."""
    return _READER.decode(text)


def definition_of(document: object) -> Definition:
    """A stored definition as values."""
    return read_definition(document)


def _written(definition: object) -> str:
    text = _WRITER.encode(definition).decode()
    if len(text) > DEFINITION_BYTES_MAX:
        raise bad("StrategyDefinition", f"a definition is at most {DEFINITION_BYTES_MAX} bytes")
    return text


def _checked(definition: object) -> Definition:
    try:
        found = read_definition(definition)
        read_signal_rules(definition)
        return found
    except DefinitionRefused as error:
        fields = {f"StrategyDefinition.{path}": problems for path, problems in error.problems.items()}
        raise bad("StrategyDefinition", str(error), fields=fields) from None


def _checked_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_LENGTH_MAX:
        raise bad(
            "Name", f"a strategy's name is 1 to {NAME_LENGTH_MAX} characters", fields={"Name": ["length"]}
        )
