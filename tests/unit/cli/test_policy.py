"""policy.yaml: what it may hold, where it is wrong, and what it means. Cases are files: tests/cases/policies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from mesoflow.cli.policy import PolicyFile, policy_of, read_policy
from mesoflow.playbook.load import read
from mesoflow.playbook.schema import of_model
from mesoflow.playbook.tree import to_value
from mesoflow.review.render.findings import as_text
from mesoflow.runtime.refusal import Refusal
from mesoflow.safety.policy import DEFAULT, SENTENCE

CASES = Path(__file__).parents[2] / "cases" / "policies"
VALID = sorted((CASES / "valid").glob("*.yaml"))
INVALID = sorted((CASES / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_valid_policy_has_no_findings_and_fits_the_schema(path: Path) -> None:
    policy, findings = read_policy(path, path.name)
    assert (findings, policy is not None) == ([], True)
    value = json.loads(json.dumps(to_value(read(path, path.name).root), default=float))
    jsonschema.Draft202012Validator(of_model(PolicyFile)).validate(value)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_an_invalid_policy_says_exactly_this(path: Path) -> None:
    policy, findings = read_policy(path, path.name)
    expected, text = path.with_suffix(".txt"), as_text(findings, [path.name])
    if os.environ.get("MESOFLOW_WRITE_CASES"):
        expected.write_text(text, encoding="utf-8")
    assert (policy, text) == (None, expected.read_text(encoding="utf-8"))


def written(home: Path, text: str, mode: int = 0o600) -> Path:
    file = home / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return home


def test_without_a_file_the_defaults(tmp_path: Path) -> None:
    assert policy_of(tmp_path) is DEFAULT


def test_the_homes_policy(tmp_path: Path) -> None:
    policy = policy_of(
        written(
            tmp_path,
            f"policy: 1\nlive:\n  accounts: [U1]\n  acknowledgement: {SENTENCE}\non_exit: {{exits: cancel}}\n",
        )
    )
    assert (policy.live_accounts, policy.acknowledged) == ({"U1"}, True)
    assert policy.withdrawn_on_park == {"entry", "adjustment", "exit"}
    assert policy.digest not in ("", DEFAULT.digest)


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("policy: 1\n", 0o644, "others can read it"),
        ("policy: 2\n", 0o600, "line 1: `policy` is 2; expected 1"),
        (
            "policy: 1\nceilings: {max_open_orders: 0}\n",
            0o600,
            "line 2: `max_open_orders` must be at least 1",
        ),
        ("policy: [", 0o600, "this file is not YAML"),
    ],
)
def test_one_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str, mode: int, reason: str) -> None:
    """A policy that is half understood would be a looser one."""
    with pytest.raises(Refusal) as refused:
        policy_of(written(tmp_path, text, mode))
    assert reason in refused.value.summary


def test_no_playbooks_live_account_is_acknowledged_by_the_template() -> None:
    """`init` never writes the sentence, and no example of ours holds it."""
    root = Path(__file__).parents[3]
    for path in [*root.glob("plans/**/*.yaml"), *root.glob("mesoflow/data/**/*")]:
        if path.is_file():
            assert SENTENCE not in path.read_text(encoding="utf-8", errors="replace"), path
