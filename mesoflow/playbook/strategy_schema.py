"""The JSON Schema of strategy definitions, and the facts that `check` works from; both generated from hubs/models/definition.py.

schemas/strategy.schema.json is what editors and CI see; mesoflow/playbook/strategy.json is the same without its prose, and
without what definition/ says in better words: which of several fields is set. `x-expression` marks what is read as Lua,
`x-mesolive` what MesoLive makes of a field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mesoflow.hubs.models.definition import MOVED, StrategyDefinition
from mesoflow.playbook.definition import facts
from mesoflow.playbook.schema import DIALECT, Schema, of_model

LANGUAGE = 3
ID = f"urn:mesoflow:schema:strategy:{LANGUAGE}"
FILE = "schemas/strategy.schema.json"
_NAMED = ("properties", "$defs")
_SAID_ELSEWHERE = ("description", "title", "oneOf")


def generate() -> Schema:
    """The whole schema."""
    head = {"$schema": DIALECT, "$id": ID, "title": "mesoflow strategy definition"}
    return head | of_model(StrategyDefinition)


def files(root: Path) -> dict[Path, str]:
    """Both files below `root`, with the text they must have."""
    schema = generate()
    compact = {
        "schema": {
            key: value for key, value in _bare(schema).items() if not key.startswith("$") or key == "$defs"
        },
        "moved": MOVED,
    }
    return {
        root / FILE: json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
        root / "mesoflow" / "playbook" / facts.FILE.name: json.dumps(
            compact, ensure_ascii=False, separators=(",", ":")
        )
        + "\n",
    }


def _bare(node: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key in _NAMED:
            kept[key] = {name: _bare(item) for name, item in value.items()}
        elif key == "anyOf" and "properties" in node:
            continue
        elif key not in _SAID_ELSEWHERE:
            kept[key] = value if key == "x-mesolive" else _bare(value)
    return kept
