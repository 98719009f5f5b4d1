"""`mesoflow check PATH…`: all findings of all playbooks; exit 1 if any of them is an error. Executes nothing of theirs."""

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
from mesoflow.review.render.findings import as_json, as_text
from mesoflow.safety.policy import Policy

SUFFIXES = (".yaml", ".yml")
# Folders that hold values and definitions, not playbooks.
NOT_PLAYBOOKS = frozenset({"environments", "strategies", "calendars"})


def run(args: argparse.Namespace) -> int:
    """Check them."""
    files = list(dict.fromkeys(path for given in args.paths for path in playbooks(Path(given))))
    if not files and not (args.policy and not args.paths):
        print(f"mesoflow check: no playbook under {', '.join(args.paths)} (*.yaml, *.yml)", file=sys.stderr)
        return Exit.USAGE
    policy, findings = policy_at(args.policy)
    ceilings = policy.ceilings if policy is not None else None
    findings += [
        finding for file in files for finding in check_file(file, str(file), ceilings=ceilings).findings
    ]
    show(findings, [str(file) for file in files] or [args.policy], args.format)
    return Exit.REFUSED if has_errors(findings) else Exit.FINE


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
    """The file itself, or every YAML file below a folder that is not beside the point, in order of their names."""
    if not path.is_dir():
        yield path
        return
    for folder, below, files in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in NOT_PLAYBOOKS)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIXES))
