"""A playbook killed and resumed, and what must equal the run that nobody killed: state, outputs, paths, the world's ledger.

The points of one commit are one state, and so is an executed send; a reply that was read and not committed is the state of
its send (EXECUTION.md §6 calls them crash points; runtime/crashpoints.py names them).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesoflow.engine.paths import is_engine
from mesoflow.runtime.home import StateHome
from tests.support.lab import world_of
from tests.support.warm import Done, Warm

KILLED = -9


@dataclass(frozen=True)
class Told:
    """What a run came to, as it must be equal."""

    state: str
    outputs: Any
    paths: list[str]
    ledger: Any


@dataclass
class Desk:
    """One state home, one playbook, and the command. `warm` None: the installed command itself (lab.py)."""

    folder: Path
    playbook: str
    warm: Warm

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def witness(self) -> Path:
        return self.folder / "witness.txt"

    @property
    def run_id(self) -> str:
        return f"{Path(self.playbook).stem}-2025-01-16"

    def mesoflow(self, *arguments: str, **variables: str) -> Done:
        return self.warm.mesoflow(
            arguments, MESOFLOW_HOME=str(self.home), MESOFLOW_WITNESS=str(self.witness), **variables
        )

    def run(self, *more: str, **variables: str) -> Done:
        return self.mesoflow("run", self.playbook, *more, **variables)

    def resume(self, **variables: str) -> Done:
        return self.mesoflow("resume", self.run_id, **variables)

    def points(self) -> dict[str, str]:
        """Run uncut: its crash points, and the state that each stands for."""
        file = self.folder / "points.txt"
        done = self.run(MESOFLOW_CRASH_LIST=str(file))
        assert done.code == 0, done.said
        return dict(line.split("\t") for line in file.read_text().splitlines())

    def records(self) -> list[Any]:
        journal = StateHome.open(self.home).journal(read_only=True)
        try:
            return list(journal.read(self.run_id))
        finally:
            journal.close()

    def told(self) -> Told:
        records = self.records()
        ended = next(record.body for record in reversed(records) if record.kind == "ended")
        paths = sorted(record.body["path"] for record in records if record.kind == "settled")
        with world_of(self.home / "worlds" / "default") as world:
            ledger = world.ledger.facts()
        return Told(
            ended["state"], ended.get("outputs"), [path for path in paths if not is_engine(path)], ledger
        )

    def unwitnessed(self) -> list[str]:
        """Trading calls that the simulator executed and the witness did not see whole; what it missed."""
        lines = self.witness.read_text().splitlines() if self.witness.exists() else []
        seen = {line.split("\t")[2] for line in lines if line.startswith("seen")}
        with world_of(self.home / "worlds" / "default") as world:
            unseen = [call.key for call in world.ledger.executed() if call.key not in seen]
        return unseen + [line for line in lines if not line.startswith("seen")]

    def executed_twice(self) -> list[str]:
        with world_of(self.home / "worlds" / "default") as world:
            return [key for key, times in world.ledger.keys().items() if times > 1]


def one_a_state(points: dict[str, str]) -> list[str]:
    """The first point of each state; a reply that was read and not committed is the state of its send."""
    firsts: dict[str, str] = {}
    for point, state in points.items():
        if not point.startswith("answered:"):
            firsts.setdefault(state, point)
    return list(firsts.values())


def kind_of(point: str) -> str:
    """What kind of record or send a point stands for: `sent:cancel`, `committed:quotes#settled`, `committed:event#input`."""
    when, path = point.split(":", 1)
    name, _, kind = path.partition("#")
    parts = [re.sub(r"[-~]?\d+$", "", part) for part in name.split("/")]
    shown = parts[1] if parts[0] == "engine" else next((p for p in parts if p == "quotes"), parts[-1])
    return f"{when}:{shown}#{kind}" if kind else f"{when}:{shown}"


def chosen(points: Sequence[tuple[str, str]], number: int, seed: int) -> list[tuple[str, str]]:
    """So many of (playbook, point): one of each kind, the others as they are drawn."""
    draw = random.Random(seed)
    shuffled = draw.sample(list(points), len(points))
    firsts: dict[str, tuple[str, str]] = {}
    for one in shuffled:
        firsts.setdefault(kind_of(one[1]), one)
    rest = [one for one in shuffled if one not in firsts.values()]
    return [*firsts.values(), *rest][: max(number, len(firsts))]


def killed_and_resumed(desk: Desk, point: str, uncut: Told) -> str:
    """What is wrong after a kill at `point` and a resume, "" if nothing."""
    killed = desk.run(MESOFLOW_CRASH=point)
    if killed.code != KILLED:
        return f"{point} was not reached: {killed.said}"
    resumed = desk.resume()
    if resumed.code != 0:
        return f"{point}: {resumed.said}"
    again = desk.told()
    wrong = [
        name
        for name in ("state", "outputs", "paths", "ledger")
        if getattr(again, name) != getattr(uncut, name)
    ]
    wrong += [f"{key} was executed twice" for key in desk.executed_twice()]
    wrong += [f"not witnessed: {what}" for what in desk.unwitnessed()]
    return f"{desk.run_id} {point}: {', '.join(wrong)}" if wrong else ""
