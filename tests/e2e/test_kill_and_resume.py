"""Kill and resume, for real: the installed command is killed by SIGKILL at every distinct state, and resumed.

The uncut run lists its crash points; the points of one commit are one state, and so is an executed send. What must equal
the uncut run: the simulator's own ledger, outputs, final state, the journal's paths. A point that is not reached fails.
`--every-point` dies at each point by name instead of once a state.
"""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesoflow.engine.paths import is_engine
from tests.support.lab import MESOFLOW, ROOT, RUN, world_of

KILLED = -9


@dataclass
class Told:
    """What a run came to, as it must be equal."""

    state: str
    outputs: Any
    paths: list[str]
    ledger: Any
    witnessed: list[str]


class Desk:
    """One state home and the real command."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def mesoflow(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MESOFLOW_HOME": str(self.home), **variables}
        return subprocess.run(
            [MESOFLOW, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        witness = {"MESOFLOW_WITNESS": str(self.home.parent / "witness.txt")}
        return self.mesoflow("run", "plans/quickstart.yaml", **witness, **variables)

    def resume(self) -> subprocess.CompletedProcess[str]:
        return self.mesoflow("resume", RUN, MESOFLOW_WITNESS=str(self.home.parent / "witness.txt"))

    def told(self) -> Told:
        lines = self.mesoflow("journal", RUN).stdout.splitlines()
        records = [record for record in map(json.loads, lines) if "kind" in record]
        ended = next(r["body"] for r in reversed(records) if r["kind"] == "ended")
        paths = sorted(r["body"]["path"] for r in records if r["kind"] == "settled")
        witness = (self.home.parent / "witness.txt").read_text().splitlines()
        return Told(
            ended["state"],
            ended.get("outputs"),
            [path for path in paths if not is_engine(path)],
            ledger(self.home / "worlds" / "default"),
            witness,
        )


def ledger(world: Path) -> Any:
    """What the simulator really executed, read from its world."""
    with world_of(world) as opened:
        return opened.ledger.facts()


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, dict[str, str]]:
    """The uncut run, and its crash points with the state that each stands for."""
    folder = tmp_path_factory.mktemp("uncut")
    desk = Desk(folder / "home")
    points = folder / "points.txt"
    done = desk.run(MESOFLOW_CRASH_LIST=str(points))
    assert done.returncode == 0, done.stderr
    pairs = [line.split("\t") for line in points.read_text().splitlines()]
    return desk.told(), dict(pairs)


def test_killed_at_every_distinct_state_and_resumed(
    uncut: tuple[Told, dict[str, str]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told, points = uncut
    chosen = list(points) if request.config.getoption("--every-point") else one_a_state(points)
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        problems = [
            problem for problem in pool.map(lambda point: killed_at(tmp_path, point, told), chosen) if problem
        ]
    states = len(one_a_state(points))
    print(f"{len(chosen)} kills, {states} distinct states, {len(points)} points by name")
    assert problems == []
    assert len(chosen) > 30


def one_a_state(points: dict[str, str]) -> list[str]:
    """The first point of each state; a reply that was read and not committed is the state of its send."""
    firsts: dict[str, str] = {}
    for point, state in points.items():
        if not point.startswith("answered:"):
            firsts.setdefault(state, point)
    return list(firsts.values())


def killed_at(tmp_path: Path, point: str, told: Told) -> str:
    """What is wrong after a kill at `point` and a resume, "" if nothing."""
    folder = tmp_path / point.replace("/", "_").replace(":", "_")[:120]
    folder.mkdir()
    desk = Desk(folder / "home")
    killed = desk.run(MESOFLOW_CRASH=point)
    if killed.returncode != KILLED:
        return f"{point} was not reached: exit {killed.returncode} {killed.stderr}"
    resumed = desk.resume()
    if resumed.returncode != 0:
        return (
            f"{point}: resume ended in {resumed.returncode}: {resumed.stdout[-300:]} {resumed.stderr[-300:]}"
        )
    again = desk.told()
    wrong = [
        name
        for name in ("state", "outputs", "paths", "ledger")
        if getattr(again, name) != getattr(told, name)
    ]
    if len(again.witnessed) < len(told.witnessed):
        wrong.append("witnessed")
    return f"{point}: {', '.join(wrong)} differ" if wrong else ""


def test_the_witness_saw_every_trading_call(uncut: tuple[Told, dict[str, str]]) -> None:
    told, _ = uncut
    assert len(told.witnessed) == 2
