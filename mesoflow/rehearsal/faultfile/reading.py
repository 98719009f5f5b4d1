"""Read a faults file: a value, or everything that is wrong with it as findings with places, like a playbook's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mesoflow.findings import Finding, Place
from mesoflow.playbook.check import with_excerpts
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.structure import Structure
from mesoflow.playbook.load import Loaded, read
from mesoflow.playbook.outline import outline
from mesoflow.playbook.schema import of_model
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import follow, to_value
from mesoflow.playbook.validate import Validator
from mesoflow.rehearsal.faultfile.models import FaultsFile

_BEGINS = "it begins with `faults: 1`"
BEGINS_FORMAT = "%Y-%m-%dT%H:%MZ"


def read_faults(path: Path, shown_as: str) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The file's value as it is written, which `dials` understands, or the findings."""
    loaded = read(path, shown_as)
    findings = list(_findings(loaded))
    if findings:
        return None, with_excerpts(findings, loaded)
    value: dict[str, Any] = to_value(loaded.root)
    return value, []


def _findings(loaded: Loaded) -> Iterator[Finding]:
    """The schema first; then what only the values together say."""
    if loaded.finding is not None:
        empty = loaded.finding.code == Code.FILE_EMPTY
        yield replace(loaded.finding, help=_BEGINS) if empty else loaded.finding
        return
    root = loaded.root
    if not isinstance(root, MappingNode):
        place, summary = Place(loaded.source.file, 1, 1), "a faults file is a map of keys and values"
        yield Finding(Code.WRONG_VALUE, summary, place, help=_BEGINS)
        return
    schema = of_model(FaultsFile)
    found = list(Structure(outline(loaded.source, root), Validator(schema["$defs"])).of(schema, root, ""))
    yield from found or _together(root)


def _together(root: MappingNode) -> Iterator[Finding]:
    value = to_value(root)
    try:
        FaultsFile.model_validate(value, context={"authored": True})
    except ValidationError as error:
        for problem in error.errors():
            node, key = follow(root, problem["loc"])
            summary = problem["msg"].removeprefix("Value error, ")
            yield Finding(Code.FAULTS_WRONG, summary, (key or node).place())
        return
    if "begins" in value:
        yield from _begins(root, value["begins"])


def _begins(root: MappingNode, written: str) -> Iterator[Finding]:
    try:
        datetime.strptime(written, BEGINS_FORMAT)
    except ValueError:
        node, _ = follow(root, ("begins",))
        yield Finding(Code.FAULTS_WRONG, f"there is no moment {written}", node.place())
