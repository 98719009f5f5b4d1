"""A strategy definition v3 as values: read once, all its faults told together by path.

The document is kept as it came by whoever stores it; here stands only what an entry needs. What the format knows and this
version does not do (selectors by price, Complex) is refused by name when an entry is prepared, not when the document is
stored: a hub stores what it does not evaluate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

SELECTORS = ("Delta", "StrikePrice", "BidPrice", "AskPrice", "MidPrice", "Complex")
NOT_IN_THIS_VERSION = ("BidPrice", "AskPrice", "MidPrice", "Complex")
# An alias becomes a part of a variable's name.
_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Lists of legs, expirations and conditions; real definitions have less than ten of each.
ITEMS_MAX = 40
# Each is evaluated with all that came before in sight.
VARIABLES_MAX = 100
_VERSION_LEAST = 3


class DefinitionRefused(Exception):
    """Not a definition v3: path → what is wrong there."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{path}: {problem}" for path, found in self.problems.items() for problem in found)


@dataclass(frozen=True, slots=True)
class ExpirationRule:
    """How one alias finds its expiration; expressions as text, None where none is given."""

    name: str
    dte: str
    least: str | None
    most: str | None
    include: tuple[str, ...] | None
    exclude: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LegRule:
    """How one leg finds its contract. `wanted` is the expression of `selector`."""

    name: str
    qty: str
    right: Literal["Call", "Put"]
    expiration: str
    group: str | None
    selector: str
    wanted: str
    least: str | None
    most: str | None


@dataclass(frozen=True, slots=True)
class Definition:
    """What an entry needs."""

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


@dataclass
class _Reader:
    """Collects problems instead of stopping at the first."""

    problems: dict[str, list[str]] = field(default_factory=dict)

    def wrong(self, path: str, what: str) -> None:
        self.problems.setdefault(path, []).append(what)

    def mapping(self, raw: object, path: str) -> Mapping[str, Any]:
        if isinstance(raw, Mapping):
            return raw
        self.wrong(path, "an object is needed here")
        return {}

    def items(self, raw: object, path: str, *, least: int = 0) -> list[Any]:
        found = [] if raw is None and not least else raw
        if not isinstance(found, list) or not least <= len(found) <= ITEMS_MAX:
            self.wrong(path, f"a list of {least} to {ITEMS_MAX} is needed here")
            return []
        return found

    def text(self, raw: object, path: str) -> str:
        if isinstance(raw, str) and raw.strip():
            return raw
        self.wrong(path, "text is needed here")
        return ""

    def alias(self, raw: object, path: str) -> str:
        name = self.text(raw, path)
        if name and not _ALIAS.fullmatch(name):
            self.wrong(path, f"{name!r} cannot be part of a variable's name")
        return name

    def expression(self, raw: object, path: str) -> str:
        found = self.optional(raw, path)
        if found is None:
            self.wrong(path, "an expression is needed here")
        return found or ""

    def optional(self, raw: object, path: str) -> str | None:
        """Text or a number; blank text counts as none."""
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return None
        if isinstance(raw, bool | Mapping | list):
            self.wrong(path, "an expression is text or a number")
            return None
        return str(raw)


def read_definition(raw: object) -> Definition:
    """Raises DefinitionRefused, naming every fault."""
    reader = _Reader()
    document = reader.mapping(raw, "$")
    structure = reader.mapping(document.get("Structure"), "Structure")
    entry = reader.mapping(document.get("Entry"), "Entry")
    leave = reader.mapping(document.get("Exit"), "Exit")
    _version(reader, document.get("MesoSimVersion"))
    found = Definition(
        name=reader.text(document.get("StrategyName"), "StrategyName"),
        symbol=reader.text(document.get("Symbol"), "Symbol"),
        expirations=tuple(
            _expiration(reader, rule, f"Structure.Expirations[{index}]")
            for index, rule in enumerate(
                reader.items(structure.get("Expirations"), "Structure.Expirations", least=1)
            )
        ),
        legs=tuple(
            _leg(reader, rule, f"Structure.Legs[{index}]")
            for index, rule in enumerate(reader.items(structure.get("Legs"), "Structure.Legs", least=1))
        ),
        conditions=_expressions(reader, entry.get("Conditions"), "Entry.Conditions"),
        abort_conditions=_expressions(reader, entry.get("AbortConditions"), "Entry.AbortConditions"),
        var_defines=_defines(reader, entry.get("VarDefines"), "Entry.VarDefines"),
        qty_multiplier=reader.optional(entry.get("QtyMultiplier"), "Entry.QtyMultiplier"),
        exit_vars=_exit_vars(reader, leave),
    )
    _names(reader, found)
    if reader.problems:
        raise DefinitionRefused(reader.problems)
    return found


def _version(reader: _Reader, raw: object) -> None:
    major = str(raw or "").lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) < _VERSION_LEAST:
        reader.wrong("MesoSimVersion", f"version {_VERSION_LEAST} or later is needed")


def _expiration(reader: _Reader, raw: object, path: str) -> ExpirationRule:
    rule = reader.mapping(raw, path)
    roots = reader.mapping(rule.get("Roots") or {}, f"{path}.Roots")
    include = roots.get("Include")
    return ExpirationRule(
        name=reader.alias(rule.get("Name"), f"{path}.Name"),
        dte=reader.expression(rule.get("DTE"), f"{path}.DTE"),
        least=reader.optional(rule.get("Min"), f"{path}.Min"),
        most=reader.optional(rule.get("Max"), f"{path}.Max"),
        include=None if include is None else tuple(map(str, reader.items(include, f"{path}.Roots.Include"))),
        exclude=tuple(map(str, reader.items(roots.get("Exclude"), f"{path}.Roots.Exclude"))),
    )


def _leg(reader: _Reader, raw: object, path: str) -> LegRule:
    rule = reader.mapping(raw, path)
    choice = reader.mapping(rule.get("StrikeSelector"), f"{path}.StrikeSelector")
    given = [name for name in SELECTORS if choice.get(name) is not None]
    if len(given) != 1:
        reader.wrong(f"{path}.StrikeSelector", f"exactly one of {', '.join(SELECTORS)} is needed")
    right = rule.get("OptionType")
    if right not in ("Call", "Put"):
        reader.wrong(f"{path}.OptionType", "Call or Put is needed here")
    selector = given[0] if given else SELECTORS[0]
    # Complex is an object; it is refused by name when an entry is prepared.
    wanted = (
        ""
        if selector == "Complex"
        else reader.expression(choice.get(selector), f"{path}.StrikeSelector.{selector}")
    )
    return LegRule(
        name=reader.alias(rule.get("Name"), f"{path}.Name"),
        qty=reader.expression(rule.get("Qty"), f"{path}.Qty"),
        right=cast("Literal['Call', 'Put']", right),
        expiration=reader.text(rule.get("ExpirationName"), f"{path}.ExpirationName"),
        group=reader.optional(rule.get("LegGroupId"), f"{path}.LegGroupId"),
        selector=selector,
        wanted=wanted,
        least=reader.optional(choice.get("Min"), f"{path}.StrikeSelector.Min"),
        most=reader.optional(choice.get("Max"), f"{path}.StrikeSelector.Max"),
    )


def _expressions(reader: _Reader, raw: object, path: str) -> tuple[str, ...]:
    return tuple(
        reader.expression(item, f"{path}[{index}]") for index, item in enumerate(reader.items(raw, path))
    )


def _defines(reader: _Reader, raw: object, path: str) -> dict[str, str]:
    found = reader.mapping(raw or {}, path)
    if len(found) > VARIABLES_MAX:
        reader.wrong(path, f"{len(found)} variables are more than {VARIABLES_MAX}")
        return {}
    return {
        reader.alias(name, path): reader.expression(item, f"{path}.{name}") for name, item in found.items()
    }


def _exit_vars(reader: _Reader, leave: Mapping[str, Any]) -> dict[str, str]:
    wanted = {"ProfitTarget": "profit_target", "StopLoss": "stop_loss", "MaxDaysInTrade": "max_days_in_trade"}
    found = {name: reader.optional(leave.get(key), f"Exit.{key}") for key, name in wanted.items()}
    return {name: text for name, text in found.items() if text is not None}


def _names(reader: _Reader, found: Definition) -> None:
    """Aliases and names are unique, and legs point to what is there."""
    aliases = [rule.name for rule in found.expirations]
    for path, names in (
        ("Structure.Expirations", aliases),
        ("Structure.Legs", [leg.name for leg in found.legs]),
    ):
        for name in sorted({name for name in names if name and names.count(name) > 1}):
            reader.wrong(path, f"{name!r} is there twice")
    for index, leg in enumerate(found.legs):
        if leg.expiration and leg.expiration not in aliases:
            reader.wrong(
                f"Structure.Legs[{index}].ExpirationName", f"there is no expiration {leg.expiration!r}"
            )
