"""The generated files are fresh, and say what the models say."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mesoflow.cli.schemas import files, problems, write
from tests.unit.cli.test_config import WHOLE

ROOT = Path(__file__).parents[3]


def test_every_generated_file_is_fresh():
    assert problems(ROOT) == [], "run: mesoflow schema"


def test_a_file_that_is_not_is_named_with_the_command_and_written_again(tmp_path):
    assert len(write(tmp_path)) == len(files(ROOT))
    assert write(tmp_path) == problems(tmp_path) == []
    (tmp_path / "schemas/report.schema.json").write_text("{}")
    assert problems(tmp_path) == ["schemas/report.schema.json is out of date; run: mesoflow schema"]
    assert write(tmp_path) == ["schemas/report.schema.json"]


@pytest.mark.parametrize("name", ["config", "policy", "report", "preview", "playbook"])
def test_they_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(
        json.loads((ROOT / f"schemas/{name}.schema.json").read_text())
    )


def test_a_configuration_that_the_model_takes_the_schema_takes():
    schema = json.loads((ROOT / "schemas/config.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(WHOLE), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"hubs": {"desk": {"url": "https://h", "kye": 1}}}, schema)


@pytest.mark.parametrize(
    "snapshot", sorted(ROOT.glob("tests/unit/review/snapshots/report-*.json")), ids=lambda path: path.stem
)
def test_reports_are_what_their_schema_says(snapshot):
    jsonschema.validate(
        json.loads(snapshot.read_text()), json.loads((ROOT / "schemas/report.schema.json").read_text())
    )
