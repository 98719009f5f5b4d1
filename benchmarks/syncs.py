"""Syncs an effect, as the kernel saw them: the quickstart under strace. `python -m benchmarks.syncs [FOLDER]`.

Goal: one sync of the journal's log for an effect of a sequence. Start and end of a run have commits of their own (its claim, its
first record, its last, the answer to whoever asked), which the quickstart is too short to hide; the syncs that make a new
journal are counted by name. The simulator's own syncs are its own affair, and not counted. Without strace it says so, and counts nothing;
benchmarks/effects.py counts the same through the journal's file system.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._goals import at_most
from tests.support.lab import MESOFLOW, ROOT
from tests.support.traced import LOG, why_not

RUN = "counted"
_SYNC = re.compile(r"f(?:data)?sync\(\d+<([^>]*)>")


def synced(folder: Path) -> list[str]:
    """The names of the files of the state home that were synced, in order."""
    trace = folder / "trace"
    strace = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o", str(trace)]
    run(folder, *strace, MESOFLOW, "run", "plans/quickstart.yaml", "--run-id", RUN)
    paths = [Path(found[1]) for found in map(_SYNC.search, trace.read_text().splitlines()) if found]
    return [path.name for path in paths if path.parent == folder / "home" or path == folder / "home"]


def records(folder: Path) -> list[dict[str, object]]:
    """The run's records, as `mesoflow journal` prints them."""
    lines = run(folder, MESOFLOW, "journal", RUN).splitlines()
    return [record for record in map(json.loads, lines) if "kind" in record]


def run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "MESOFLOW_HOME": str(folder / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended in {done.returncode}: {done.stderr}")
    return done.stdout


def main(argv: list[str]) -> int:
    """Print the counts."""
    reason = why_not()
    if reason is not None:
        print(f"not counted: {reason}")
        return 0
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        folder = Path(name).resolve()
        names = synced(folder)
        effects = sum(record["kind"] == "settled" for record in records(folder))
    log = names.count(LOG)
    more = log - effects
    goal = at_most(more, 5, " more than effects")
    print(f"log       {log} syncs for {effects} effects: 1 an effect, and {more} a run{goal}")
    for other in sorted(set(names) - {LOG}):
        print(f"          {names.count(other)} of {other}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
