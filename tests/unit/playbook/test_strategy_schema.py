"""schemas/strategy.schema.json against the survey of the vendor's pages, field by field: every difference has a name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mesoflow.playbook.strategy_schema import generate

ROOT = Path(__file__).resolve().parents[3]
SURVEY = ROOT / "tests" / "cases" / "definitions" / "survey.tsv"
SCHEMA = generate()


def fields_of(schema: Mapping[str, Any], path: str, support: str) -> Iterator[tuple[str, str]]:
    """Each field with what MesoLive makes of it; what a field does not say itself its parent says."""
    schema = _resolved(schema)
    if "items" in schema:
        yield from fields_of(schema["items"], f"{path}[]", support)
    other = schema.get("additionalProperties")
    if isinstance(other, Mapping):
        yield from fields_of(other, f"{path}{{}}", support)
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        own = field.get("x-mesolive", {}).get("support") or support
        yield here, own
        yield from fields_of(field, here, own)


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    members = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return _resolved(members[0]) if len(members) == 1 else schema


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """In words."""
    return [
        *(f"{path} is not in our schema" for path in theirs if path not in ours),
        *(
            f"{path} is not in the survey"
            for path in ours
            if path not in theirs and not _shown_once(path, theirs)
        ),
        *(
            f"{path}: {ours[path]} here, {theirs[path]} there"
            for path in theirs
            if ours.get(path, theirs[path]) != theirs[path]
        ),
    ]


def _shown_once(path: str, theirs: Mapping[str, str]) -> bool:
    """The survey writes `Expirations` of an adjustment "as Structure.Expirations", without its fields."""
    owner, separator, _ = path.partition(".Expirations[]")
    return bool(separator) and f"{owner}.Expirations" in theirs and owner != "Structure"


def survey() -> dict[str, str]:
    rows = (line.split("\t") for line in SURVEY.read_text(encoding="utf-8").splitlines())
    return dict(rows)


def test_our_fields_are_the_surveys() -> None:
    assert differences(dict(fields_of(SCHEMA, "", "supported")), survey()) == []


def test_a_difference_is_found_and_named() -> None:
    ours, theirs = dict(fields_of(SCHEMA, "", "supported")), survey()
    ours["Entry.Mood"] = "supported"
    ours["Exit.StopLoss"] = "ignored"
    del ours["Symbol"]
    assert differences(ours, theirs) == [
        "Symbol is not in our schema",
        "Entry.Mood is not in the survey",
        "Exit.StopLoss: ignored here, supported there",
    ]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "mesoflow/data/strategies").glob("*.json")), ids=lambda path: path.name
)
def test_the_templates_hold_to_it(path: Path) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(path.read_text(encoding="utf-8")))
