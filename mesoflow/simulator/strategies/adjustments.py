"""Conditional adjustments as a definition has them: under each key, what its operations do.

A key is the condition itself, comment included, and is matched letter for letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mesoflow.hubs.script import ITEMS_MAX, OPERATIONS
from mesoflow.simulator.strategies.reading import Reader
from mesoflow.simulator.strategies.rules import (
    ExpirationRule,
    LegRule,
    StrikeRule,
    read_expirations,
    read_legs,
    read_strike,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What one operation does; fields of other operations are empty. `var_defines` are stored when it is applied."""

    var_defines: Mapping[str, str]
    # RemoveLegs, MoveLeg: which legs.
    legs: tuple[str, ...] = ()
    # MoveLeg: where to. No expiration: the one that the leg has.
    strike: StrikeRule | None = None
    expiration: str | None = None
    # AddLegs.
    added: tuple[LegRule, ...] = ()
    abort_conditions: tuple[str, ...] = ()
    # AddLegs, MoveLeg: aliases beside those of the structure.
    expirations: tuple[ExpirationRule, ...] = ()


# Key → operation → what it does.
Adjustments = Mapping[str, Mapping[str, Operation]]


def read_adjustments(
    reader: Reader, raw: object, aliases: Iterable[str], legs: Iterable[str]
) -> dict[str, dict[str, Operation]]:
    """`aliases` and `legs` are the structure's."""
    if raw is None:
        return {}
    path = "Adjustment.ConditionalAdjustments"
    keys = reader.mapping(reader.mapping(raw, "Adjustment").get("ConditionalAdjustments") or {}, path)
    if len(keys) > ITEMS_MAX:
        reader.wrong(path, f"{len(keys)} adjustments are more than {ITEMS_MAX}")
        return {}
    found = {key: _operations(reader, item, f"{path}[{key}]", set(aliases)) for key, item in keys.items()}
    _require_known(reader, found, set(legs))
    return found


def _operations(reader: Reader, raw: object, path: str, aliases: set[str]) -> dict[str, Operation]:
    actions = reader.mapping(raw, path)
    readers = {
        "RemoveLegs": _remove,
        "MoveLeg": _move,
        "AddLegs": _add,
        "UpdateVars": _update,
    }
    found: dict[str, Operation] = {}
    for name, read in readers.items():
        action = actions.get(f"{name}Adjustment")
        if action is not None:
            below = f"{path}.{name}Adjustment"
            found[name] = read(reader, reader.mapping(action, below), below, aliases)
    if not found:
        reader.wrong(path, f"one of {', '.join(f'{name}Adjustment' for name in OPERATIONS)} is needed")
    return found


def _remove(reader: Reader, raw: Mapping[str, object], path: str, _: set[str]) -> Operation:
    names = reader.items(raw.get("LegNames"), f"{path}.LegNames", least=1)
    return Operation(
        reader.defines(raw.get("VarDefines"), f"{path}.VarDefines"),
        legs=tuple(reader.alias(name, f"{path}.LegNames[{index}]") for index, name in enumerate(names)),
    )


def _move(reader: Reader, raw: Mapping[str, object], path: str, aliases: set[str]) -> Operation:
    more = read_expirations(reader, raw.get("Expirations"), f"{path}.Expirations", least=0)
    expiration = reader.optional(raw.get("ExpirationName"), f"{path}.ExpirationName")
    if expiration is not None and expiration not in aliases | {rule.name for rule in more}:
        reader.wrong(f"{path}.ExpirationName", f"there is no expiration {expiration!r}")
    return Operation(
        reader.defines(raw.get("VarDefines"), f"{path}.VarDefines"),
        legs=(reader.alias(raw.get("LegName"), f"{path}.LegName"),),
        strike=read_strike(reader, raw.get("StrikeSelector"), f"{path}.StrikeSelector"),
        expiration=expiration,
        expirations=more,
    )


def _add(reader: Reader, raw: Mapping[str, object], path: str, aliases: set[str]) -> Operation:
    more = read_expirations(reader, raw.get("Expirations"), f"{path}.Expirations", least=0)
    return Operation(
        reader.defines(raw.get("VarDefines"), f"{path}.VarDefines"),
        added=read_legs(reader, raw.get("Legs"), f"{path}.Legs", aliases | {rule.name for rule in more}),
        abort_conditions=reader.expressions(raw.get("AbortConditions"), f"{path}.AbortConditions"),
        expirations=more,
    )


def _update(reader: Reader, raw: Mapping[str, object], path: str, _: set[str]) -> Operation:
    found = reader.defines(raw.get("VarDefines"), f"{path}.VarDefines")
    if not found:
        reader.wrong(f"{path}.VarDefines", "at least one variable is needed")
    return Operation(found)


def _require_known(reader: Reader, found: Mapping[str, Mapping[str, Operation]], structure: set[str]) -> None:
    """Legs that are removed or moved are the structure's, or added by some adjustment."""
    operations = [(key, name, one) for key, group in found.items() for name, one in group.items()]
    known = structure | {leg.name for *_, one in operations for leg in one.added}
    for key, name, one in operations:
        for leg in one.legs:
            if leg and leg not in known:
                path = f"Adjustment.ConditionalAdjustments[{key}].{name}Adjustment"
                reader.wrong(path, f"there is no leg {leg!r}")
