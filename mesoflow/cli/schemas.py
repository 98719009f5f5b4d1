"""The generated files, one list: each with the text it must have. `mesoflow schema` writes them, `--check` compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesoflow.cli import reference
from mesoflow.cli.config import Config
from mesoflow.cli.policy import PolicyFile
from mesoflow.playbook import schema as playbook
from mesoflow.playbook import strategy_schema as strategy
from mesoflow.rehearsal.faultfile.models import VERSION as FAULTS_VERSION
from mesoflow.rehearsal.faultfile.models import FaultsFile
from mesoflow.review.preview import FORMAT_VERSION as PREVIEW_VERSION
from mesoflow.review.preview import Preview
from mesoflow.review.report import FORMAT_VERSION as REPORT_VERSION
from mesoflow.review.report import Report

COMMAND = playbook.COMMAND
CONFIG_VERSION = 1
POLICY_VERSION = 1


def files(root: Path) -> dict[Path, str]:
    """Every generated file below `root`, with the text it must have. The language's own come from playbook/schema.py."""
    models = {
        "config": (Config.model_json_schema(), CONFIG_VERSION),
        "policy": (playbook.of_model(PolicyFile), POLICY_VERSION),
        "faults": (playbook.of_model(FaultsFile), FAULTS_VERSION),
        "report": (Report.model_json_schema(mode="serialization"), REPORT_VERSION),
        "preview": (Preview.model_json_schema(mode="serialization"), PREVIEW_VERSION),
    }
    ours = {
        root / f"schemas/{name}.schema.json": _written(schema, name, version)
        for name, (schema, version) in models.items()
    }
    return playbook.files(root) | strategy.files(root) | ours | reference.files(root)


def _written(schema: Mapping[str, Any], name: str, version: int) -> str:
    whole = {
        "$schema": playbook.DIALECT,
        "$id": f"urn:mesoflow:schema:{name}:{version}",
        "title": f"mesoflow {name}",
    }
    whole |= {key: value for key, value in schema.items() if key != "title"}
    return json.dumps(_untitled(whole, top=True), indent=2, ensure_ascii=False) + "\n"


def _untitled(node: Any, *, top: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Without the titles that repeat names; a property that is called title stays."""
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _untitled(value)
        for key, value in node.items()
        if top or key != "title" or not isinstance(value, str)
    }


def problems(root: Path) -> list[str]:
    """What is not fresh below `root`, in words."""
    return [
        f"{file.relative_to(root)} is out of date; run: {COMMAND}"
        for file, text in files(root).items()
        if _on_disk(file) != text
    ]


def write(root: Path) -> list[str]:
    """Write what has changed; answers the names of these files."""
    changed = [(file, text) for file, text in files(root).items() if _on_disk(file) != text]
    for file, text in changed:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [str(file.relative_to(root)) for file, _ in changed]


def _on_disk(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
