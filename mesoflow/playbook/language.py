"""What `check` knows of the language, as data: the schema, and of each action its effect, errors and outputs.

Generated from the models and the catalogue by schema.py into language.json, which ships with the package. Reading it takes
a millisecond; importing what it is made from takes most of a second that a person waits for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

FILE = Path(__file__).with_name("language.json")

# A type of an output: the name of a model in `types` or of a single value, {"list": type}, {"map": type}; null: nothing.
Type: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What the checker asks of an action."""

    effect: str
    errors: tuple[str, ...] = ()
    outputs: Type = None


@dataclass(frozen=True, slots=True)
class Language:
    """One version of the language."""

    schema: Mapping[str, Any]
    actions: Mapping[str, ActionFacts] = field(default_factory=dict)
    not_yet: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    never_rescued: frozenset[str] = frozenset()

    @property
    def defs(self) -> Mapping[str, Any]:
        """The schema's definitions; each action's inputs stand under its name."""
        found: Mapping[str, Any] = self.schema["$defs"]
        return found


def from_data(data: Mapping[str, Any]) -> Language:
    """From the generated data."""
    actions = {
        name: ActionFacts(a["effect"], tuple(a["errors"]), a["outputs"])
        for name, a in data["actions"].items()
    }
    return Language(data["schema"], actions, data["not_yet"], data["types"], frozenset(data["never_rescued"]))


@lru_cache(maxsize=1)
def shipped() -> Language:
    """The language of this version."""
    return from_data(json.loads(FILE.read_text(encoding="utf-8")))
