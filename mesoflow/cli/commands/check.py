"""`mesoflow check PATH…`: all findings of all playbooks, and of the strategy definitions they use or that are named; exit 1 if
any of them is an error. Executes nothing of theirs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mesoflow.cli.exits import Exit
from mesoflow.findings import Finding
from mesoflow.playbook.check import check_file
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.tree import Mapping
from mesoflow.review.render.findings import as_json, as_text
from mesoflow.safety.limits import Limits
from mesoflow.safety.policy import Policy

SUFFIXES = (".yaml", ".yml")
# Folders that hold values and definitions, not playbooks. Definitions are checked with the playbook that uses them, or when
# they or their folder are named.
DEFINITIONS = "strategies"
NOT_PLAYBOOKS = frozenset({"environments", DEFINITIONS, "calendars"})


def run(args: argparse.Namespace) -> int:
    """Check them."""
    files = list(dict.fromkeys(path for given in args.paths for path in playbooks(Path(given))))
    if not files and not (args.policy and not args.paths):
        print(f"mesoflow check: no playbook under {', '.join(args.paths)} (*.yaml, *.yml)", file=sys.stderr)
        return Exit.USAGE
    policy, findings = policy_at(args.policy)
    ceilings = policy.ceilings if policy is not None else None
    checked = {str(file): findings_of(file, ceilings) for file in files}
    # Two playbooks may use one definition.
    findings += dict.fromkeys(finding for found in checked.values() for finding in found)
    show(findings, list(checked) or [args.policy], args.format)
    return Exit.REFUSED if has_errors(findings) else Exit.FINE


def findings_of(file: Path, ceilings: Limits | None) -> list[Finding]:
    """Of a playbook or a strategy definition; a faults file says by its first key that it is one."""
    checked = check_file(file, str(file), ceilings=ceilings)
    root = checked.loaded.root
    if (
        any(one.code == Code.NEITHER for one in checked.findings)
        and isinstance(root, Mapping)
        and "faults" in root.entries
    ):
        return faults_at(str(file))[1]
    return checked.findings


def policy_at(path: str | None) -> tuple[Policy | None, list[Finding]]:
    """The policy of `--policy`, or what is wrong with it."""
    if path is None:
        return None, []
    # Its models cost more to import than everything else that check does.
    from mesoflow.cli.policy import read_policy

    return read_policy(Path(path), path)


def faults_at(path: str | None) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The value of `--faults`, or what is wrong with it."""
    if path is None:
        return None, []
    from mesoflow.rehearsal.faultfile.reading import read_faults

    return read_faults(Path(path), path)


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether anything would keep a playbook from running."""
    return any(finding.level == "error" for finding in findings)


def show(findings: Sequence[Finding], checked: Sequence[str], form: str) -> None:
    """Print findings."""
    sys.stdout.write((as_json if form == "json" else as_text)(findings, checked))


def playbooks(path: Path) -> Iterator[Path]:
    """The file itself, or every YAML file below a folder that is not beside the point, in order of their names. Below a
    folder of definitions JSON is read, too."""
    if not path.is_dir():
        yield path
        return
    suffixes = (*SUFFIXES, ".json") if path.resolve().name == DEFINITIONS else SUFFIXES
    for folder, below, files in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in NOT_PLAYBOOKS)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(suffixes))
