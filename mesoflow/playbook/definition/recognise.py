"""What a file means to be, by its keys: a playbook, a strategy definition, or neither. Every `check` asks this; so it imports little."""

from __future__ import annotations

from mesoflow.findings import Finding
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.tree import Mapping, Node

# Keys by which a playbook is known. Fields of definitions begin with a capital.
_PLAYBOOK = frozenset({"mesoflow", "name", "steps", "inputs", "risk", "rescue", "always", "outputs"})
# Fields that only a definition has, of version 3 and of version 2, in whatever casing.
_DEFINITION = frozenset(
    [
        "strategyname",
        "templatename",
        "structure",
        "entry",
        "exit",
        "adjustment",
        "backtest",
        "simsettings",
        "mesosimversion",
        "externaldata",
    ]
)


def is_playbook(root: Node | None) -> bool:
    """Whether a file means to be a playbook."""
    return isinstance(root, Mapping) and not _PLAYBOOK.isdisjoint(root.entries)


def is_definition(root: Mapping) -> bool:
    """Whether a file means to be a strategy definition, of any version."""
    return not is_playbook(root) and any(key.lower() in _DEFINITION for key in root.entries)


def neither(root: Node) -> Finding:
    """The finding about a file that is neither."""
    return Finding(
        Code.NEITHER,
        "this file is neither a playbook nor a strategy definition",
        root.place(),
        help="a playbook begins with `mesoflow: 1`; a definition has StrategyName, Symbol, Structure, Entry and Exit",
    )
