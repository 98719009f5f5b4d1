"""Rules by which expirations, contracts and legs are found: expressions as text, None where none is given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, cast

from mesoflow.hubs.script import SELECTORS
from mesoflow.simulator.strategies.reading import Reader

Right = Literal["Call", "Put"]


@dataclass(frozen=True, slots=True)
class ExpirationRule:
    """How one alias finds its expiration."""

    name: str
    dte: str
    least: str | None
    most: str | None
    include: tuple[str, ...] | None
    exclude: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StrikeRule:
    """How a strike is found: the free contract whose `selector` is nearest to `wanted`, within the bounds.

    `statement` and `constraints` are those of Complex, whose `wanted` is its Target.
    """

    selector: str
    wanted: str
    least: str | None
    most: str | None
    statement: str = ""
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegRule:
    """How one leg finds its contract."""

    name: str
    qty: str
    right: Right
    expiration: str
    group: str | None
    strike: StrikeRule


def read_expirations(reader: Reader, raw: object, path: str, *, least: int = 1) -> tuple[ExpirationRule, ...]:
    """Aliases are unique."""
    found = tuple(
        _expiration(reader, rule, f"{path}[{index}]")
        for index, rule in enumerate(reader.items(raw, path, least=least))
    )
    require_unique(reader, [rule.name for rule in found], path)
    return found


def read_legs(reader: Reader, raw: object, path: str, aliases: Collection[str]) -> tuple[LegRule, ...]:
    """Names are unique, and each points to an alias that is there."""
    found = tuple(
        _leg(reader, rule, f"{path}[{index}]") for index, rule in enumerate(reader.items(raw, path, least=1))
    )
    require_unique(reader, [leg.name for leg in found], path)
    for index, leg in enumerate(found):
        if leg.expiration and leg.expiration not in aliases:
            reader.wrong(f"{path}[{index}].ExpirationName", f"there is no expiration {leg.expiration!r}")
    return found


def read_strike(reader: Reader, raw: object, path: str) -> StrikeRule:
    choice = reader.mapping(raw, path)
    given = [name for name in SELECTORS if choice.get(name) is not None]
    if len(given) != 1:
        reader.wrong(path, f"exactly one of {', '.join(SELECTORS)} is needed")
    selector = given[0] if given else SELECTORS[0]
    least, most = (reader.optional(choice.get(bound), f"{path}.{bound}") for bound in ("Min", "Max"))
    if selector != "Complex":
        return StrikeRule(
            selector, reader.expression(choice.get(selector), f"{path}.{selector}"), least, most
        )
    search = reader.mapping(choice.get(selector), f"{path}.Complex")
    return StrikeRule(
        selector,
        reader.expression(search.get("Target"), f"{path}.Complex.Target"),
        least,
        most,
        statement=reader.expression(search.get("Statement"), f"{path}.Complex.Statement"),
        constraints=reader.expressions(search.get("Constraints"), f"{path}.Complex.Constraints"),
    )


def require_unique(reader: Reader, names: list[str], path: str) -> None:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        reader.wrong(path, f"{name!r} is there twice")


def _expiration(reader: Reader, raw: object, path: str) -> ExpirationRule:
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


def _leg(reader: Reader, raw: object, path: str) -> LegRule:
    rule = reader.mapping(raw, path)
    right = rule.get("OptionType")
    if right not in ("Call", "Put"):
        reader.wrong(f"{path}.OptionType", "Call or Put is needed here")
    return LegRule(
        name=reader.alias(rule.get("Name"), f"{path}.Name"),
        qty=reader.expression(rule.get("Qty"), f"{path}.Qty"),
        right=cast("Right", right),
        expiration=reader.text(rule.get("ExpirationName"), f"{path}.ExpirationName"),
        group=reader.optional(rule.get("LegGroupId"), f"{path}.LegGroupId"),
        strike=read_strike(reader, rule.get("StrikeSelector"), f"{path}.StrikeSelector"),
    )
