"""Makes mesoflow/data/contract.json, in development: `python tests/support/make_contract.py CONTRACT.yaml [--check]`.

CONTRACT.yaml is the survey of the vendor's public documentation: every hub method, callback, model and enum, each with the
page on which it stands. Kept of it are facts: names, types, what is required or may be null, the page, and whether it was
documented there or inferred. Its prose is left out. `--check` writes nothing and ends with 1 where the file is not fresh.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "mesoflow" / "data" / "contract.json"
FORMAT = 1


def extract(survey: dict[str, Any]) -> dict[str, Any]:
    """The facts, in the survey's order."""
    hubs = survey["hubs"]
    return {
        "format_version": FORMAT,
        "methods": {row["name"]: _method(hub, row) for hub in hubs for row in hubs[hub]["methods"]},
        "callbacks": {
            row["name"]: {"payload": row["payload"], **_mark(row)}
            for hub in hubs
            for row in hubs[hub].get("callbacks", [])
        },
        "models": {name: _model(row) for name, row in survey["models"].items()},
        "enums": {
            name: {**_mark(row), "complete": row["members_complete"], "members": row["members"]}
            for name, row in survey["enums"].items()
        },
    }


def _mark(row: dict[str, Any]) -> dict[str, Any]:
    return {"documented": row["confidence"] == "documented", "source": row["source"]}


def _method(hub: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "hub": hub,
        "kind": row["kind"],
        "args": row["args"],
        "result": row.get("result") or row["yields"],
        "idempotent": row["idempotent"],
        **_mark(row),
    }


def _model(row: dict[str, Any]) -> dict[str, Any]:
    documented = row["confidence"] == "documented"
    return {
        **_mark(row),
        "complete": row.get("fields_complete", documented),
        "fields": {field["name"]: _field(field, documented) for field in row["fields"]},
    }


def _field(row: dict[str, Any], documented: bool) -> dict[str, Any]:
    """A documented model may have fields of which only a note says that they are inferred."""
    return {
        "type": row["type"],
        "required": row["required"],
        "nullable": row["nullable"],
        "default": row["default"],
        "documented": documented and not str(row.get("note") or "").startswith("inferred"),
    }


def text(survey: dict[str, Any]) -> str:
    """The file: a line a method, a field, an enum, so that a change of the survey is read in the difference."""
    facts = extract(survey)
    parts = [f'"format_version": {FORMAT}']
    for group in ("methods", "callbacks", "enums"):
        rows = (f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in facts[group].items())
        parts.append(f'"{group}": {{\n' + ",\n".join(rows) + "\n }")
    models = (_model_text(name, row) for name, row in facts["models"].items())
    parts.append('"models": {\n' + ",\n".join(models) + "\n }")
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def _model_text(name: str, row: dict[str, Any]) -> str:
    about = json.dumps({key: value for key, value in row.items() if key != "fields"})[1:-1]
    fields = (f"   {json.dumps(field)}: {json.dumps(facts)}" for field, facts in row["fields"].items())
    body = "{\n" + ",\n".join(fields) + "\n  }" if row["fields"] else "{}"
    return f'  {json.dumps(name)}: {{{about}, "fields": {body}}}'


def main(path: str, *options: str) -> int:
    """Write the file, or compare it."""
    fresh = text(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    if "--check" in options:
        return int(not FILE.exists() or FILE.read_text(encoding="utf-8") != fresh)
    FILE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
