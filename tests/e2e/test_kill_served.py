"""Kill and resume with the simulator as a server of its own: the hub goes on living while the runner is dead.

Ten states, each with its own world at speed 10: same position afterwards, no key executed twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.test_kill_and_resume import KILLED, MESOFLOW, ROOT, RUN, Desk, world_of

STATES = (
    "committed:started#input",
    "committed:account/account#settled",
    "committed:strategy/create#intended",
    "committed:strategy/create#settled",
    "committed:window/at#settled",
    "committed:entry/start#intended",
    "committed:buy/fill#intended",
    "committed:buy/fill#settled",
    "committed:exit/start#settled",
    "committed:sell/fill#intended",
)
ARGUMENTS = ("plans/quickstart.yaml", "--hub", "lab", "--set", "entry_at=10:01")


@pytest.mark.parametrize("batch", [STATES[:5], STATES[5:]], ids=["opening", "trading"])
def test_killed_and_resumed_while_the_hub_lives_on(tmp_path: Path, batch: tuple[str, ...]) -> None:
    with ThreadPoolExecutor(len(batch)) as pool:
        problems = [
            problem for problem in pool.map(lambda point: killed_at(tmp_path, point), batch) if problem
        ]
    assert problems == []


def killed_at(tmp_path: Path, point: str) -> str:
    """What is wrong after a kill at `point` and a resume, "" if nothing."""
    folder = tmp_path / point.replace("/", "_").replace(":", "_")
    desk = Desk(folder / "home")
    desk.home.mkdir(parents=True, mode=0o700)
    server = serve(folder / "served")
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        config = desk.home / "config.yaml"
        config.write_text(f"hubs:\n  lab: {{url: {url}, simulator: true}}\n")
        config.chmod(0o600)
        killed = desk.mesoflow("run", *ARGUMENTS, MESOFLOW_CRASH=point)
        if killed.returncode != KILLED:
            return f"{point} was not reached: exit {killed.returncode} {killed.stdout[-200:]} {killed.stderr[-300:]}"
        resumed = desk.mesoflow("resume", RUN)
        if resumed.returncode != 0:
            return f"{point}: resume ended in {resumed.returncode}: {resumed.stdout[-300:]} {resumed.stderr[-300:]}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
    with world_of(folder / "served" / "worlds" / "serve") as world:
        executed = [call.key for call in world.ledger.executed()]
        flat = all(not quantity for quantity in world.ledger.positions().values())
    wrong = []
    if len(executed) != 2 or len(set(executed)) != 2:
        wrong.append(f"executed {executed}")
    if not flat:
        wrong.append("the position is not closed")
    return f"{point}: {'; '.join(wrong)}" if wrong else ""


def serve(home: Path) -> subprocess.Popen[str]:
    """`mesoflow sim serve` at speed 10, with a home of its own."""
    command = [MESOFLOW, "sim", "serve", "--speed", "10", "--state", str(home)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True)
