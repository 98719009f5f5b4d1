"""Cases are files: drop a YAML into tests/cases/valid or tests/cases/invalid, and it is a test.

A valid one has no findings at all. An invalid one has a text file of the same name beside it: the whole output, as
`mesoflow check` prints it. MESOFLOW_WRITE_CASES=1 writes the texts anew; read them before you believe them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesoflow.playbook.check import check_file, check_text
from mesoflow.playbook.lint.codes import MEANING, Code
from mesoflow.review.render.findings import as_json, as_text

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "tests" / "cases"
VALID = sorted((CASES / "valid").glob("*.yaml")) + sorted((ROOT / "plans").glob("*.yaml"))
INVALID = sorted((CASES / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_valid_playbook_has_nothing_to_report(path: Path) -> None:
    checked = check_file(path, path.name)
    assert as_text(checked.findings, [path.name]) == "1 playbook checked, nothing to report\n"


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_an_invalid_playbook_says_exactly_this(path: Path) -> None:
    expected = path.with_suffix(".txt")
    text = as_text(check_file(path, path.name).findings, [path.name])
    if os.environ.get("MESOFLOW_WRITE_CASES"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def codes_of(path: Path) -> Iterator[str]:
    data = json.loads(as_json(check_file(path, path.name).findings, [path.name]))
    yield from (finding["code"] for finding in data["findings"])


# Strategy definitions have cases of their own: definition/test_check.py.
OF_DEFINITIONS = {code for code in Code if "MF160" <= code < "MF180" or "MF271" <= code < "MF280"}
# Codes that need more than one file, or another start: tests/unit/playbook/test_compile.py, test_load.py, lint/test_risk.py,
# tests/unit/cli/test_policy.py, tests/unit/rehearsal/faultfile.
ELSEWHERE = {
    Code.FILE_UNREADABLE, Code.FILE_TOO_LARGE, Code.FILE_NOT_JSON, Code.INPUT_MISSING, Code.INPUT_UNKNOWN,
    Code.INPUT_FILE, Code.ENVIRONMENT, Code.RAIL_NOT_JUDGED, Code.POLICY_WRONG, Code.FAULTS_WRONG, Code.ABOVE_POLICY,
}  # fmt: skip


def test_every_code_has_a_case_and_a_meaning() -> None:
    seen = {code for path in INVALID for code in codes_of(path)}
    assert {code for code in Code if code not in ELSEWHERE | OF_DEFINITIONS} - seen == set()
    assert set(MEANING) == set(Code)
    assert len({code.value for code in Code}) == len(Code)


def test_a_file_of_50_mb_is_one_finding_at_once(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(
        b"mesoflow: 1\nname: big\nsteps:\n" + b"  - {id: a, action: account.select}\n" * 1_500_000
    )
    before = time.perf_counter()
    checked = check_file(path, "big.yaml")
    assert time.perf_counter() - before < 1
    assert as_text(checked.findings, ["big.yaml"]) == (
        "error[MF002]: a file of 54,000,029 bytes is no playbook; the limit is 4,000,000\n"
        "  --> big.yaml\n\n"
        "1 playbook checked, 1 error\n"
    )


def test_five_thousand_steps_are_checked_in_seconds() -> None:
    step = '  - {{id: s{n}, action: set, with: {{a: "{{{{ steps.s{before}.a | default(0) }}}}"}}}}\n'
    text = "mesoflow: 1\nname: long\nsteps:\n  - {id: s0, action: set, with: {a: 1}}\n"
    text += "".join(step.format(n=n, before=n - 1) for n in range(1, 5_000))
    before = time.perf_counter()
    assert check_text(text, "long.yaml").findings == []
    assert time.perf_counter() - before < 20


def test_a_hostile_playbook_that_is_wrong_everywhere_is_checked_in_seconds() -> None:
    text = "mesoflow: 1\nname: wrong\nsteps:\n"
    text += "".join(
        f'  - {{id: s{n}, acton: set, x: "{{{{ steps.t{n}.a }}}}", when: "{{{{ steps.t{n} }}}}"}}\n'
        for n in range(15_000)
    )
    before = time.perf_counter()
    assert len(check_text(text, "wrong.yaml").findings) == 200
    assert time.perf_counter() - before < 20
