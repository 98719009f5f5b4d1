"""Strategy definitions: read from a file or from the hub, their digest, and whether one can be a definition at all.

A digest says whether two definitions do the same: StrategyName and Description are left out, the order of keys and the
way a number is written do not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal

from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError

# Names that say nothing about what a strategy does.
_TITLES = frozenset({"strategyname", "description"})

# 64 bits: this notices a changed definition; it defends against nobody who can write the definition.
DIGEST_LENGTH = 16

# The oldest version of the language that the hub imports.
VERSION_MIN = 3
_REQUIRED = ("Structure", "Entry", "Exit")


def definition_digest(definition: Value) -> str | None:
    """16 hex digits of SHA-256 over the canonical form; None where the hub does not tell the definition."""
    plain = as_object(definition)
    if plain is None:
        return None
    kept = {key: value for key, value in plain.items() if key.lower() not in _TITLES}
    text = json.dumps(_canonical(kept), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def as_object(definition: Value) -> dict[str, Value] | None:
    """A definition as a mapping; hubs may hand it over as JSON text."""
    if isinstance(definition, str):
        try:
            definition = json.loads(definition, parse_float=Decimal)
        except ValueError:
            return None
    return dict(definition) if isinstance(definition, Mapping) else None


def symbol_of(definition: Value) -> str:
    """The symbol that the strategy trades; empty where the hub does not tell the definition."""
    plain = as_object(definition) or {}
    return str(plain.get("Symbol") or plain.get("symbol") or "")


def read_definition(path: str, text: str) -> dict[str, Value]:
    """The definition in a file. Raises StepError `definition_invalid` with what is wrong, in words."""
    try:
        definition = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise StepError("definition_invalid", f"{path} is no JSON: {error}", {"path": path}) from error
    problems = definition_problems(definition)
    if problems:
        raise StepError(
            "definition_invalid", f"{path}: {'; '.join(problems)}", {"path": path, "problems": list(problems)}
        )
    return dict(definition)


def definition_problems(definition: Value) -> list[str]:
    """What keeps a value from being a strategy definition; what the hub judges beyond that is its own affair."""
    if not isinstance(definition, Mapping):
        return ["a definition is a JSON object"]
    problems = [f"{key} is missing" for key in _REQUIRED if not isinstance(definition.get(key), Mapping)]
    # How a version is written is not documented, and null occurs: only a number that is too small is wrong.
    version = str(definition.get("MesoSimVersion") or "").lstrip("v").split(".")[0]
    if version.isdigit() and int(version) < VERSION_MIN:
        problems.append(
            f"MesoSimVersion {version} is older than {VERSION_MIN}, which MesoLive does not import"
        )
    if not definition.get("StrategyName"):
        problems.append("StrategyName is missing")
    return problems


def _canonical(value: Value) -> Value:
    """Numbers in one way of writing each: 5, 5.0 and 5.00 are one number."""
    match value:
        case Mapping():
            return {str(key): _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case bool() | None:
            return value
        case int() | Decimal():
            # Text, with a mark that no text of a definition begins with, so that 5 and "5" stay two things.
            return f"\0{Decimal(value).normalize():f}"
        case _:
            return value
