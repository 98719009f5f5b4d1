"""Where a definition has expressions, and which names are known there.

Expirations are chosen in their order, then legs in theirs, then the multiplier is computed, then variables in theirs, then
the figures of the exit; everything else is judged on a position that is there. What comes later is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mesoflow.hubs.script import EXIT_FIGURES, LEG_FIGURES, OWN_FIGURES
from mesoflow.playbook.definition.outline import (
    Conditional,
    Named,
    Operation,
    Outline,
    is_blank,
    items_of,
    map_of,
    under,
)
from mesoflow.playbook.tree import Mapping, Node, Scalar

_PLAIN_SELECTORS = ("Min", "Max", "BidPrice", "AskPrice", "MidPrice", "Delta", "StrikePrice")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known. `own`: the leg that is being chosen, of which some figures may be."""

    legs: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    own: str = ""
    own_figures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """One expression, with what it may read."""

    path: str
    node: Scalar
    scope: Scope


def everything(shape: Outline) -> Scope:
    """Every name that the definition makes anywhere."""
    operations = shape.operations
    legs = (*shape.legs, *(leg for one in operations for leg in one.legs))
    aliases = (*shape.expirations, *(alias for one in operations for alias in one.expirations))
    maps = (under(shape.entry, "VarDefines"), *(under(one.node, "VarDefines") for one in operations))
    return Scope(_names(legs), _names(aliases), frozenset(name for node in maps for name in _keys(node)))


def expressions(shape: Outline) -> Iterator[Written]:
    """All of them, in the order in which they are evaluated."""
    held = everything(shape)
    chosen = Scope(aliases=_names(shape.expirations))
    yield from _expirations(shape.expirations, Scope())
    yield from _legs(shape.legs, chosen)
    entered = replace(chosen, legs=_names(shape.legs))
    yield from _one(under(shape.entry, "QtyMultiplier"), "Entry.QtyMultiplier", entered)
    yield from _defines(under(shape.entry, "VarDefines"), "Entry.VarDefines", entered)
    entered = replace(entered, variables=frozenset(_keys(under(shape.entry, "VarDefines"))))
    for key in EXIT_FIGURES:
        yield from _one(under(shape.exit, key), f"Exit.{key}", entered)
    for key in ("Conditions", "AbortConditions"):
        yield from _list(under(shape.entry, key), f"Entry.{key}", entered)
    yield from _list(under(shape.exit, "Conditions"), "Exit.Conditions", held)
    yield from _defines(under(shape.exit, "VarDefines"), "Exit.VarDefines", held)
    for conditional in shape.conditionals:
        yield from _conditional(conditional, held)


def _names(found: Iterable[Named]) -> frozenset[str]:
    return frozenset(one.name for one in found if one.name)


def _keys(node: Node | None) -> Iterable[str]:
    found = map_of(node)
    return found.entries if found is not None else ()


def _one(node: Node | None, path: str, scope: Scope) -> Iterator[Written]:
    if isinstance(node, Scalar) and not isinstance(node.value, bool | None) and not is_blank(node):
        yield Written(path, node, scope)


def _list(node: Node | None, path: str, scope: Scope) -> Iterator[Written]:
    for index, item in enumerate(items_of(node)):
        yield from _one(item, f"{path}[{index}]", scope)


def _defines(node: Node | None, path: str, scope: Scope) -> Iterator[Written]:
    """Later variables see earlier ones."""
    found = map_of(node)
    for name, (_, value) in found.entries.items() if found is not None else ():
        yield from _one(value, f"{path}.{name}", scope)
        scope = replace(scope, variables=scope.variables | {name})


def _expirations(found: list[Named], scope: Scope) -> Iterator[Written]:
    for one in found:
        for key in ("DTE", "Min", "Max"):
            yield from _one(under(one.node, key), f"{one.path}.{key}", scope)
        scope = replace(scope, aliases=scope.aliases | {one.name})


def _legs(found: list[Named], scope: Scope) -> Iterator[Written]:
    for one in found:
        selector = map_of(under(one.node, "StrikeSelector"))
        chosen = replace(scope, own=one.name)
        yield from _selector(selector, f"{one.path}.StrikeSelector", chosen, one.name)
        quantity = replace(scope, own=one.name, own_figures=OWN_FIGURES)
        yield from _one(under(one.node, "Qty"), f"{one.path}.Qty", quantity)
        yield from _one(under(one.node, "LegGroupId"), f"{one.path}.LegGroupId", scope)
        scope = replace(scope, legs=scope.legs | {one.name})


def _selector(node: Mapping | None, path: str, scope: Scope, leg: str) -> Iterator[Written]:
    for key in _PLAIN_SELECTORS:
        yield from _one(under(node, key), f"{path}.{key}", scope)
    # A search judges each contract as if it were the leg.
    search, candidate = map_of(under(node, "Complex")), replace(scope, own=leg, own_figures=LEG_FIGURES)
    for key in ("Statement", "Target"):
        yield from _one(under(search, key), f"{path}.Complex.{key}", candidate)
    yield from _list(under(search, "Constraints"), f"{path}.Complex.Constraints", candidate)


def _conditional(conditional: Conditional, scope: Scope) -> Iterator[Written]:
    yield from _one(conditional.key, conditional.path, scope)
    for one in conditional.operations:
        yield from _operation(one, scope)


def _operation(one: Operation, scope: Scope) -> Iterator[Written]:
    yield from _expirations(one.expirations, scope)
    # A leg that is being added is not held yet, whatever holds the others.
    yield from _legs(one.legs, replace(scope, legs=scope.legs - _names(one.legs)))
    yield from _selector(
        map_of(under(one.node, "StrikeSelector")) if one.kind == "MoveLeg" else None,
        f"{one.path}.StrikeSelector",
        scope,
        "",
    )
    yield from _list(under(one.node, "AbortConditions"), f"{one.path}.AbortConditions", scope)
    yield from _defines(under(one.node, "VarDefines"), f"{one.path}.VarDefines", scope)
