"""Findings about how a definition's parts fit together: versions, names that are taken twice, legs and expirations that are
not there, and fields of which exactly one is set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from mesoflow.findings import Finding
from mesoflow.hubs.script import ITEMS_MAX, OPERATIONS, SELECTORS, VARIABLES_MAX, VERSION_LEAST, major_version
from mesoflow.playbook.definition.facts import shipped
from mesoflow.playbook.definition.outline import Named, Operation, Outline, items_of, map_of, under
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean
from mesoflow.playbook.tree import Mapping, Node, Scalar

_OPERATIONS = tuple(f"{kind}Adjustment" for kind in OPERATIONS)
_MINUTES = ("AfterMarketOpenMinutes", "BeforeMarketCloseMinutes")


def references(shape: Outline) -> Iterator[Finding]:
    """All of them."""
    yield from _version(shape.root)
    yield from _unique(shape.expirations, "expirations")
    yield from _unique(shape.legs, "legs")
    aliases = [one.name for one in shape.expirations]
    for leg in shape.legs:
        yield from _leg(leg, aliases)
    legs = [leg.name for leg in (*shape.legs, *(leg for one in shape.operations for leg in one.legs))]
    for conditional in shape.conditionals:
        if isinstance(conditional.node, Mapping) and _is_without(conditional.node, _OPERATIONS):
            place = conditional.node.place(f"in {conditional.path}")
            yield Finding(
                Code.DEFINITION_ONE_OF,
                "this adjustment does nothing",
                place,
                help=f"set one of {', '.join(_OPERATIONS)}",
            )
        for one in conditional.operations:
            yield from _operation(one, aliases, legs)
    yield from _schedules(shape)
    yield from _sizes(shape)
    yield from _not_simulated(shape)


def _version(root: Mapping) -> Iterator[Finding]:
    node = under(root, "MesoSimVersion")
    value = node.value if isinstance(node, Scalar) else None
    major = major_version(value)
    if major is not None and major >= VERSION_LEAST:
        return
    if node is not None and not isinstance(value, str):
        return  # of the wrong type, which fields.py has told
    place = (root.key("MesoSimVersion") or root).place("in MesoSimVersion")
    help = f'"MesoSimVersion": "{VERSION_LEAST}.0.0", once the fields are those of version {VERSION_LEAST}'
    summary = (
        "there is no MesoSimVersion; MesoLive does not import a definition without one"
        if node is None
        else f'MesoSimVersion "{str(value)[:40]}" is not {VERSION_LEAST} or later; MesoLive does not import it'
    )
    yield Finding(Code.DEFINITION_VERSION, summary, place, help=help)


def _unique(found: Iterable[Named], what: str) -> Iterator[Finding]:
    first: dict[str, Named] = {}
    for one in found:
        before = first.setdefault(one.name, one) if one.name else one
        if before is not one:
            key, node = before.node.entries["Name"][1], one.node.entries["Name"][1]
            related = ((key.place(), "it is here already"),)
            summary = f'two {what} are called "{one.name}"'
            yield Finding(
                Code.DEFINITION_REPEATED,
                summary,
                node.place(f"in {one.path}.Name"),
                related=related,
                help="expressions know them by name; give one another name",
            )


def _leg(leg: Named, aliases: Collection[str]) -> Iterator[Finding]:
    yield from _known(leg.node.get("ExpirationName"), f"{leg.path}.ExpirationName", aliases, "expiration")
    yield from _selector(leg.node.get("StrikeSelector"), f"{leg.path}.StrikeSelector")


def _operation(one: Operation, aliases: list[str], legs: list[str]) -> Iterator[Finding]:
    around = [*aliases, *(own.name for own in one.expirations)]
    yield from _unique(one.expirations, "expirations")
    yield from _unique(one.legs, "legs")
    for leg in one.legs:
        yield from _leg(leg, around)
    if one.kind == "MoveLeg":
        yield from _known(one.node.get("LegName"), f"{one.path}.LegName", legs, "leg")
        yield from _known(one.node.get("ExpirationName"), f"{one.path}.ExpirationName", around, "expiration")
        yield from _selector(one.node.get("StrikeSelector"), f"{one.path}.StrikeSelector")
    for index, node in enumerate(items_of(one.node.get("LegNames"))):
        yield from _known(node, f"{one.path}.LegNames[{index}]", legs, "leg")


def _known(node: Node | None, path: str, names: Collection[str], what: str) -> Iterator[Finding]:
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value not in names:
        names = [name for name in names if name]
        help = did_you_mean(node.value, names, f"the {what}s are")
        summary = f'there is no {what} "{node.value[:60]}"'
        yield Finding(Code.DEFINITION_NO_SUCH, summary, node.place(f"in {path}"), help=help)


def _selector(node: Node | None, path: str) -> Iterator[Finding]:
    yield from _one_set(map_of(node), path, SELECTORS, "selector")


def _schedules(shape: Outline) -> Iterator[Finding]:
    for part in ("Entry", "Adjustment", "Exit"):
        schedule = map_of(under(map_of(shape.root.get(part)), "Schedule"))
        yield from _one_set(schedule, f"{part}.Schedule", _MINUTES, "moment")


def _one_set(node: Mapping | None, path: str, names: tuple[str, ...], what: str) -> Iterator[Finding]:
    """Exactly one; where two are set, the second is underlined."""
    if node is None:
        return
    # A blank text is no value, and still set.
    given = [name for name in names if not _is_null(node.get(name))]
    if len(given) == 1 and under(node, given[0]) is not None:
        return
    if len(given) > 1:
        extra = max((node.entries[name][0] for name in given), key=lambda key: (key.line, key.column))
        summary = f"{' and '.join(given)} are set; exactly one {what} counts"
        yield Finding(
            Code.DEFINITION_ONE_OF,
            summary,
            extra.place(f"in {path}"),
            help="set the others to null, or remove them",
        )
    elif given or _is_without(node, names):
        summary = f"no {what} is set"
        yield Finding(
            Code.DEFINITION_ONE_OF, summary, node.place(f"in {path}"), help=f"set one of {', '.join(names)}"
        )


def _is_null(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.value is None)


def _is_without(node: Mapping, names: tuple[str, ...]) -> bool:
    """Whether none is set, and none under its name of version 2, which fields.py has told."""
    former = {moved.partition(".")[2] for moved in shipped().moved}
    return all(under(node, name) is None for name in names) and former.isdisjoint(node.entries)


# --- sizes that the simulator does not take


def _sizes(shape: Outline) -> Iterator[Finding]:
    lists = [
        (under(shape.structure, "Expirations"), "Structure.Expirations"),
        (under(shape.structure, "Legs"), "Structure.Legs"),
        (under(shape.entry, "Conditions"), "Entry.Conditions"),
        (under(shape.entry, "AbortConditions"), "Entry.AbortConditions"),
        (
            under(map_of(shape.root.get("Adjustment")), "ConditionalAdjustments"),
            "Adjustment.ConditionalAdjustments",
        ),
    ]
    variables = [(under(shape.entry, "VarDefines"), "Entry.VarDefines")]
    for one in shape.operations:
        for key in ("Legs", "LegNames", "Expirations", "AbortConditions"):
            lists.append((under(one.node, key), f"{one.path}.{key}"))
        variables.append((under(one.node, "VarDefines"), f"{one.path}.VarDefines"))
    legs = (*shape.legs, *(leg for one in shape.operations for leg in one.legs))
    choosing = [(leg.path, leg.node) for leg in legs] + [(one.path, one.node) for one in shape.operations]
    for path, chosen in choosing:
        search = map_of(under(map_of(under(chosen, "StrikeSelector")), "Complex"))
        lists.append((under(search, "Constraints"), f"{path}.StrikeSelector.Complex.Constraints"))
    for alias in (*shape.expirations, *(alias for one in shape.operations for alias in one.expirations)):
        for key in ("Include", "Exclude"):
            lists.append((under(map_of(under(alias.node, "Roots")), key), f"{alias.path}.Roots.{key}"))
    for found, most in ((lists, ITEMS_MAX), (variables, VARIABLES_MAX)):
        for node, path in found:
            count = len(node.entries) if isinstance(node, Mapping) else len(items_of(node))
            if node is not None and count > most:
                summary = f"{count} of them: the simulator takes {most}"
                yield Finding(Code.NOT_SIMULATED, summary, node.place(f"in {path}"), "warning")


# --- what the simulator refuses though MesoLive has it


def _not_simulated(shape: Outline) -> Iterator[Finding]:
    columns = under(shape.root, "ExternalData")
    if columns is not None:
        summary = "the simulator reads no ExternalData: it takes no strategy that has it"
        yield Finding(Code.NOT_SIMULATED, summary, columns.place("in ExternalData"), "warning")
    margin = map_of(under(map_of(under(map_of(shape.root.get("Settings")), "Core")), "Margin"))
    mode = under(margin, "RegTMode")
    if isinstance(mode, Scalar) and mode.value == "CBOEPermissive":
        path = "Settings.Core.Margin.RegTMode"
        summary = "the simulator has no margin by CBOEPermissive: it takes no strategy that asks for it"
        yield Finding(Code.NOT_SIMULATED, summary, mode.place(f"in {path}"), "warning")
