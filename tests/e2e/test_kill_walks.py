"""Kill and resume of the three playbooks that walk orders at live-like brokers (EXECUTION.md §6).

Each uncut run lists its crash points. At a distinct state the command is killed by SIGKILL and resumed: the simulator's own
ledger, the outputs, the final state and the journal's paths must equal the uncut run's, no key may be executed twice, and
the witness must have seen every trading call. Commands are forked from a process that has everything imported (warm.py):
real processes, really killed; a covering set is killed as the installed command.

    python -m pytest tests/e2e/test_kill_walks.py --every-point -s       every distinct state
    python -m pytest tests/e2e/test_kill_walks.py --kill-seed 12 -s      another hundred of them
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.killing import Desk, Told, chosen, killed_and_resumed, kind_of, one_a_state
from tests.support.warm import Installed, Warm

PLAYBOOKS = ("live-like-iron-condor", "live-like-strangle", "first-orders")
STATES = 100
# Killed as the installed command: each way in which a record or a send of a walk is under way.
COVERING = (
    "committed:started#input",
    "committed:event#input",
    "committed:send#intended",
    "sent:send",
    "committed:send#settled",
    "committed:cancel#intended",
    "sent:cancel",
    "committed:confirm#settled",
)


@dataclass
class Uncut:
    told: Told
    points: dict[str, str]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm() as commands:
        yield commands


@pytest.fixture(scope="module")
def uncut(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Uncut]:
    """Each playbook to its end, by nobody disturbed."""
    found: dict[str, Uncut] = {}
    for name in PLAYBOOKS:
        desk = Desk(tmp_path_factory.mktemp(name), f"plans/{name}.yaml", warm)
        points = desk.points()
        found[name] = Uncut(desk.told(), points)
        assert desk.unwitnessed() == []
    return found


def every(uncut: dict[str, Uncut]) -> list[tuple[str, str]]:
    return [(name, point) for name, one in uncut.items() for point in one_a_state(one.points)]


def test_the_playbooks_walk(uncut: dict[str, Uncut]) -> None:
    """What is killed here is worth killing: several rungs, cancels, two groups, an unwinding, an adjustment."""
    paths = {name: one.told.paths for name, one in uncut.items()}
    assert any("sell/group-1/rung-4/send" in path for path in paths["live-like-iron-condor"])
    assert any(
        "/buy_back/group-1/rung-" in path or "close/" in path for path in paths["live-like-iron-condor"]
    )
    assert "sell/unwind/group-1/rung-1/send" in paths["live-like-strangle"]
    assert "move/adjust/group-2/rung-1/cancel" in paths["first-orders"]


def test_killed_at_its_states_and_resumed(
    uncut: dict[str, Uncut], warm: Warm, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed, states = request.config.getoption("--kill-seed"), every(uncut)
    whole = request.config.getoption("--every-point")
    picked = states if whole else chosen(states, STATES, seed)
    began = time.monotonic()
    problems = warm.each(lambda one: _at(warm, tmp_path, uncut, *one), picked)
    kinds = {kind_of(point) for _, point in states}
    print(
        f"{len(picked)} of {len(states)} distinct states"
        + ("" if whole else f", seed {seed}")
        + f", {len(kinds)} kinds of records and sends, {time.monotonic() - began:.0f} s"
    )
    assert [problem for problem in problems if problem] == []
    assert {kind_of(point) for _, point in picked} == kinds


def test_the_installed_command_is_killed_at_a_covering_set(uncut: dict[str, Uncut], tmp_path: Path) -> None:
    points = [("live-like-strangle", point) for point in uncut["live-like-strangle"].points]
    picked = [next(one for one in points if kind_of(one[1]) == kind) for kind in COVERING]
    with Installed() as installed:
        problems = installed.each(lambda one: _at(installed, tmp_path, uncut, *one), picked)
    assert [problem for problem in problems if problem] == []


def _at(commands: Warm, tmp_path: Path, uncut: dict[str, Uncut], name: str, point: str) -> str:
    folder = tmp_path / f"{name}-{point}".replace("/", "_").replace(":", "_")[:180]
    problem = killed_and_resumed(Desk(folder, f"plans/{name}.yaml", commands), point, uncut[name].told)
    if not problem:
        shutil.rmtree(folder)
    return problem
