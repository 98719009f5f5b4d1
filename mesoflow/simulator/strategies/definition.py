"""A strategy definition v3 as values: read once, all its faults told together by path.

The document is kept as it came by whoever stores it; here stands only what entries and adjustments need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesoflow.simulator.strategies.adjustments import Adjustments, read_adjustments
from mesoflow.simulator.strategies.margins import MarginRule, read_margin
from mesoflow.simulator.strategies.reading import DefinitionRefused, Reader
from mesoflow.simulator.strategies.rules import ExpirationRule, LegRule, read_expirations, read_legs

_VERSION_LEAST = 3


@dataclass(frozen=True, slots=True)
class Definition:
    """What entries and adjustments need."""

    name: str
    symbol: str
    expirations: tuple[ExpirationRule, ...]
    legs: tuple[LegRule, ...]
    conditions: tuple[str, ...]
    abort_conditions: tuple[str, ...]
    var_defines: Mapping[str, str]
    qty_multiplier: str | None
    # Stored on the position at its entry: profit_target, stop_loss, max_days_in_trade.
    exit_vars: Mapping[str, str]
    adjustments: Adjustments
    # The model by which the language knows margins.
    margin: MarginRule | None = None

    @property
    def leg_names(self) -> frozenset[str]:
        """Of the structure, and of what adjustments add."""
        added = (leg.name for key in self.adjustments.values() for one in key.values() for leg in one.added)
        return frozenset((*(leg.name for leg in self.legs), *added))


def read_definition(raw: object) -> Definition:
    """Raises DefinitionRefused, naming every fault."""
    reader = Reader()
    document = reader.mapping(raw, "$")
    structure = reader.mapping(document.get("Structure"), "Structure")
    entry = reader.mapping(document.get("Entry"), "Entry")
    leave = reader.mapping(document.get("Exit"), "Exit")
    _version(reader, document.get("MesoSimVersion"))
    expirations = read_expirations(reader, structure.get("Expirations"), "Structure.Expirations")
    aliases = [rule.name for rule in expirations]
    legs = read_legs(reader, structure.get("Legs"), "Structure.Legs", aliases)
    found = Definition(
        name=reader.text(document.get("StrategyName"), "StrategyName"),
        symbol=reader.text(document.get("Symbol"), "Symbol"),
        expirations=expirations,
        legs=legs,
        conditions=reader.expressions(entry.get("Conditions"), "Entry.Conditions"),
        abort_conditions=reader.expressions(entry.get("AbortConditions"), "Entry.AbortConditions"),
        var_defines=reader.defines(entry.get("VarDefines"), "Entry.VarDefines"),
        qty_multiplier=reader.optional(entry.get("QtyMultiplier"), "Entry.QtyMultiplier"),
        exit_vars=_exit_vars(reader, leave),
        adjustments=read_adjustments(reader, document.get("Adjustment"), aliases, (leg.name for leg in legs)),
        margin=read_margin(reader, document.get("Settings")),
    )
    if document.get("ExternalData") is not None:
        reader.wrong("ExternalData", "variables from a CSV are not in this version")
    if reader.problems:
        raise DefinitionRefused(reader.problems)
    return found


def _version(reader: Reader, raw: object) -> None:
    major = str(raw or "").lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) < _VERSION_LEAST:
        reader.wrong("MesoSimVersion", f"version {_VERSION_LEAST} or later is needed")


def _exit_vars(reader: Reader, leave: Mapping[str, Any]) -> dict[str, str]:
    wanted = {"ProfitTarget": "profit_target", "StopLoss": "stop_loss", "MaxDaysInTrade": "max_days_in_trade"}
    found = {name: reader.optional(leave.get(key), f"Exit.{key}") for key, name in wanted.items()}
    return {name: text for name, text in found.items() if text is not None}
