"""Bad input as the real command meets it: one finding each with its place, none a traceback, and a run of it begins nothing.

The files are those of tests/cases/invalid, whose findings the checker's own tests hold word for word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.warm import Done, Warm

CASES = Path(__file__).parents[1] / "cases" / "invalid"
ONE_EACH = {
    "not-yaml": "MF005",
    "not-utf8": "MF003",
    "empty": "MF004",
    "only-a-comment": "MF004",
    "alias-bomb": "MF008",
    "tabs": "MF006",
    "repeated-key": "MF007",
    "unknown-action": "MF105",
}
# Several values are wrong in these: a finding for each.
SEVERAL = {
    "wrong-types": "MF103",
    "reads-later-step": "MF141",
    "endless-expression": "MF151",
    "hostile-expressions": "MF151",
}
# What is wrong with the whole file has no line.
WHOLE_FILE = {"MF002", "MF003", "MF004"}


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm(1) as commands:
        yield commands


def found(done: Done) -> list[dict[str, Any]]:
    assert done.code == 1, done.said
    assert "Traceback" not in done.out + done.err
    findings: list[dict[str, Any]] = json.loads(done.out)["findings"]
    return findings


def begins_nothing(warm: Warm, path: Path, home: Path, code: str) -> None:
    done = warm.mesoflow(("run", str(path)), MESOFLOW_HOME=str(home))
    assert done.code == 1, done.said
    assert f"error[{code}]" in done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert not (home / "journal.db").exists()


@pytest.mark.parametrize("name", ONE_EACH)
def test_bad_input_is_one_finding_with_its_place(warm: Warm, tmp_path: Path, name: str) -> None:
    path, code = CASES / f"{name}.yaml", ONE_EACH[name]
    findings = found(warm.mesoflow(("check", str(path), "--format", "json")))
    assert [(finding["code"], finding["place"]["file"]) for finding in findings] == [(code, str(path))]
    assert code in WHOLE_FILE or findings[0]["place"]["line"]
    begins_nothing(warm, path, tmp_path / "home", code)


@pytest.mark.parametrize("name", SEVERAL)
def test_each_wrong_value_is_one_finding_with_its_place(warm: Warm, tmp_path: Path, name: str) -> None:
    path, code = CASES / f"{name}.yaml", SEVERAL[name]
    findings = found(warm.mesoflow(("check", str(path), "--format", "json")))
    places = [(finding["place"]["line"], finding["place"]["column"]) for finding in findings]
    assert len(places) == len(set(places)) > 1
    assert code in [finding["code"] for finding in findings]
    begins_nothing(warm, path, tmp_path / "home", code)


def test_fifty_megabytes_are_one_finding(warm: Warm, tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(
        b"mesoflow: 1\nname: big\nsteps:\n" + b"  - {id: a, action: account.select}\n" * 1_500_000
    )
    findings = found(warm.mesoflow(("check", str(path), "--format", "json")))
    assert [finding["code"] for finding in findings] == ["MF002"]
    begins_nothing(warm, path, tmp_path / "home", "MF002")
