"""Kill and resume with the simulator as a server of its own: the hub goes on living while the runner is dead.

Ten states, each with its own world at speed 10: same position afterwards, no key executed twice. `sent:` states are those in
which the request's last byte is on its way to a hub that will read and execute it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.lab import QUICKSTART, RUN, Lab

KILLED = -9
OPENING = (
    "committed:started#input",
    "sent:strategy/create",
    "committed:strategy/create#settled",
    "committed:window/at#settled",
    "sent:entry/start",
)
TRADING = (
    "committed:buy/fill#intended",
    "sent:buy/fill",
    "committed:buy/fill#settled",
    "committed:exit/start#settled",
    "sent:sell/fill",
)


@pytest.mark.parametrize("batch", [OPENING, TRADING], ids=["opening", "trading"])
def test_killed_and_resumed_while_the_hub_lives_on(tmp_path: Path, batch: tuple[str, ...]) -> None:
    with ThreadPoolExecutor(len(batch)) as pool:
        problems = [
            problem for problem in pool.map(lambda point: killed_at(tmp_path, point), batch) if problem
        ]
    assert problems == []


def killed_at(tmp_path: Path, point: str) -> str:
    """What is wrong after a kill at `point` and a resume, "" if nothing."""
    with Lab(tmp_path / point.replace("/", "_").replace(":", "_")) as lab:
        killed = lab.mesoflow("run", *QUICKSTART, MESOFLOW_CRASH=point)
        if killed.returncode != KILLED:
            return f"{point} was not reached: exit {killed.returncode} {killed.stdout[-200:]} {killed.stderr[-300:]}"
        resumed = lab.mesoflow("resume", RUN)
        if resumed.returncode != 0:
            return f"{point}: resume ended in {resumed.returncode}: {resumed.stdout[-300:]} {resumed.stderr[-300:]}"
        lab.stop()
        executed, flat = lab.executed(), lab.is_flat()
    wrong = []
    if len(executed) != 2 or len(set(executed)) != 2:
        wrong.append(f"executed {executed}")
    if not flat:
        wrong.append("the position is not closed")
    return f"{point}: {'; '.join(wrong)}" if wrong else ""
