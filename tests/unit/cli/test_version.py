"""The version is written twice, so that it can be told without reading package metadata; here they are held together."""

import tomllib
from pathlib import Path

from mesoflow.cli.version import VERSION


def test_it_is_the_package_s():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
