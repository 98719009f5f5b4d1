"""`mesoflow check PATH…`: all findings of all playbooks; exit 1 if any of them is an error. Executes nothing of theirs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mesoflow.cli.exits import Exit
from mesoflow.findings import Finding
from mesoflow.playbook.check import check_file
from mesoflow.review.render.findings import as_json, as_text

SUFFIXES = (".yaml", ".yml")
# Folders that hold values and definitions, not playbooks.
NOT_PLAYBOOKS = frozenset({"environments", "strategies", "calendars"})


def run(args: argparse.Namespace) -> int:
    """Check them."""
    files = list(dict.fromkeys(path for given in args.paths for path in playbooks(Path(given))))
    if not files:
        print(f"mesoflow check: no playbook under {', '.join(args.paths)} (*.yaml, *.yml)", file=sys.stderr)
        return Exit.USAGE
    findings = [finding for file in files for finding in check_file(file, str(file)).findings]
    show(findings, [str(file) for file in files], args.format)
    return Exit.REFUSED if has_errors(findings) else Exit.FINE


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
