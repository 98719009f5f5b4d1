"""Strategy definitions as files: cases in tests/cases/definitions, each with the whole output beside it, as `mesoflow check`
prints it. MESOFLOW_WRITE_CASES=1 writes the texts anew; read them before you believe them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.playbook.check import check_file, check_text
from mesoflow.playbook.lint.codes import Code
from mesoflow.review.render.findings import as_text

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "tests" / "cases" / "definitions"
CASES = sorted((*FOLDER.glob("*.json"), *FOLDER.glob("*.yaml")))
TEMPLATES = sorted((ROOT / "mesoflow" / "data" / "strategies").glob("*.json"))
DEFINITION_CODES = {
    code for code in Code if "MF160" <= code.value < "MF180" or "MF271" <= code.value < "MF280"
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_a_definition_is_told_exactly_this(path: Path) -> None:
    expected = path.with_suffix(".txt")
    text = as_text(check_file(path, path.name).findings, [path.name])
    if os.environ.get("MESOFLOW_WRITE_CASES"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_templates_have_no_errors_and_nothing_that_is_not_simulated(path: Path) -> None:
    checked = check_file(path, path.name)
    assert (checked.ok, checked.is_definition) == (True, True)
    assert Code.NOT_SIMULATED not in {finding.code for finding in checked.findings}


def test_every_code_of_definitions_has_a_case() -> None:
    seen = {finding.code for path in CASES for finding in check_file(path, path.name).findings}
    assert {*DEFINITION_CODES, Code.FILE_NOT_JSON} - seen == set()


# --- hostile files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.FILE_EMPTY),
        ('{"StrategyName": ' + "[" * 100_000, Code.FILE_BOUNDS),
        ('{"StrategyName": "' + "x" * 5_000_000 + '"}', Code.FILE_TOO_LARGE),
        ('{"StrategyName": 1' + "0" * 100_000 + "}", Code.FILE_NUMBER),
        ('{"StrategyName": "x', Code.FILE_NOT_JSON),
        ("\x00\x01", Code.FILE_NOT_JSON),
    ],
    ids=["empty", "deep", "large", "digits", "cut off", "binary"],
)
def test_a_hostile_file_is_one_finding(tmp_path: Path, text: str, code: Code) -> None:
    path = tmp_path / "hostile.json"
    path.write_text(text, encoding="utf-8")
    assert [finding.code for finding in check_file(path, "hostile.json").findings] == [code]


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("Structure", "Entry", "Adjustment", "Exit", "ExternalData", "Settings", "MesoSimVersion", "Symbol")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_whatever_a_definition_holds_is_findings(fields: dict[str, Any]) -> None:
    assert not check_text(json.dumps({"StrategyName": "drawn", **fields}), "drawn.yaml").ok


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abz_019 .,()+-*/<>=~and or not\"'[]#:\n\\timing", max_size=60))
def test_whatever_an_expression_holds_is_findings(text: str) -> None:
    body = json.loads(TEMPLATES[0].read_text(encoding="utf-8"))
    body["Exit"]["StopLoss"] = text
    check_text(json.dumps(body), "drawn.yaml")


# --- the command -------------------------------------------------------------------------------------------------------


def test_the_command_checks_a_definition_that_a_playbook_uses_in_its_own_lines(tmp_path: Path) -> None:
    broken = TEMPLATES[0].read_text(encoding="utf-8").replace("pos_theta > 0", "pos_thetta > 0")
    (tmp_path / "own.json").write_text(broken, encoding="utf-8")
    (tmp_path / "uses.yaml").write_text(
        "mesoflow: 1\nname: uses\nrisk: {accounts: [IB-1]}\n"
        "steps:\n  - {id: made, action: strategy.create, with: {definition: own.json}}\n",
        encoding="utf-8",
    )
    done = _mesoflow("check", "uses.yaml", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "error[MF172]: there is no `pos_thetta` here" in done.stdout
    assert "own.json:19:19, in Entry.Conditions[0]" in done.stdout
    assert 'did you mean "pos_theta"' in done.stdout


def test_a_playbook_without_definitions_is_checked_without_lua() -> None:
    code = (
        "import sys; from mesoflow.cli.__main__ import main; main(['check', 'plans/quickstart.yaml']); "
        "print([name for name in sys.modules if 'lupa' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def _mesoflow(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mesoflow.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
