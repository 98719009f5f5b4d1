"""Stores the corpus of journals: `python -m tests.support.make_corpus`, after a change of the engine's semantics.

Each story is played by the real command at an embedded world, where everything happens alike on every machine: crashes at
named points stand for whoever kills, cancels or halts it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesoflow.cli.exits import Exit
from mesoflow.runtime.home import StateHome
from tests.support.corpus import FOLDER, stored

ROOT = Path(__file__).parents[2]
QUICKSTART = "plans/quickstart.yaml"
STRANGLE = "plans/live-like-strangle.yaml"
KILLED = -9
# A rung of the strangle that rests: it was sent, the hub has answered, nobody has filled it.

RESTING = "committed:sell/group-1/rung-1/send#settled"


@dataclass(frozen=True)
class Line:
    """One command; `crash` is the point at which it is killed. RUN stands for the run's id."""

    arguments: Sequence[str]
    crash: str = ""


def run(playbook: str, crash: str = "") -> Line:
    return Line(("run", playbook), crash)


STORIES: Mapping[str, Sequence[Line]] = {
    "quickstart": [run(QUICKSTART)],
    # Killed when the booking was executed and nobody knew: the record is asked for, and the run goes on.
    "resumed": [run(QUICKSTART, "sent:buy/fill"), Line(("resume", "RUN"))],
    "cancelled": [run(STRANGLE, RESTING), Line(("cancel", "RUN", "--reason", "enough"))],
    # What the kill withdraws is an input; the walk goes on at the same price under `rung-1~2`.
    "withdrawn": [
        run(STRANGLE, RESTING),
        Line(("kill",)),
        Line(("release", "--yes")),
        Line(("resume", "RUN")),
    ],
    "rescued": [run("tests/corpus/rescued.yaml")],
    "for-each": [run("tests/corpus/for-each.yaml")],
    "orders-sent": [run("plans/first-orders.yaml")],
}


def play(story: Sequence[Line], folder: Path) -> str:
    """The journal of a story, as it is stored."""
    home = folder / "home"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MESOFLOW_", "MESOLIVE_"))}  # fmt: skip
    run_id = f"{Path(story[0].arguments[1]).stem}-2025-01-16"
    for line in story:
        arguments = [run_id if word == "RUN" else word for word in line.arguments]
        crash = {"MESOFLOW_CRASH": line.crash} if line.crash else {}
        done = subprocess.run(
            [sys.executable, "-m", "mesoflow.cli", *arguments], cwd=ROOT, capture_output=True, text=True,
            env={**clean, "MESOFLOW_HOME": str(home), "LOGNAME": "anna", **crash},
        )  # fmt: skip
        expected = {KILLED} if line.crash else {Exit.FINE, Exit.CANCELLED}
        assert done.returncode in expected, done.stdout + done.stderr
    journal = StateHome.open(home).journal(read_only=True)
    try:
        return stored(list(journal.read(run_id)))
    finally:
        journal.close()


def main() -> None:
    """Play all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, story in STORIES.items():
        with tempfile.TemporaryDirectory() as folder:
            text = play(story, Path(folder))
        (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}: {len(text.splitlines())} records, {len(text):,} bytes")


if __name__ == "__main__":
    main()
