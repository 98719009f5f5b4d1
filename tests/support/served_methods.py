"""Whether the simulator serves the contract, method by method: every difference by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from mesoflow.hubs.facts import Facts
from mesoflow.simulator.hubs.base import Hub

# Name of a method → its hub, and how it is called.
Served: TypeAlias = Mapping[str, tuple[str, str]]


def differences(hubs: Iterable[Hub], facts: Facts) -> list[str]:
    """Between what is served and what the documentation's survey knows; nothing when it is the same."""
    there: Served = {name: (hub.name, kind) for hub in hubs for name, kind in hub.served().items()}
    known: Served = {name: (row.hub, row.kind) for name, row in facts.methods.items()}
    return list(_told(there, known))


def _told(there: Served, known: Served) -> Iterator[str]:
    for name in sorted(there.keys() | known.keys()):
        if name not in there:
            yield f"{name} of the {known[name][0]} hub is not served"
        elif name not in known:
            yield f"{name} is served by the {there[name][0]} hub, and no contract has it"
        elif there[name] != known[name]:
            served, meant = (f"{kind} of the {hub} hub" for hub, kind in (there[name], known[name]))
            yield f"{name} is served as {served}, and is {meant}"
