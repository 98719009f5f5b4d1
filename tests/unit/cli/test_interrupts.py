"""Signals: the first parks, a second Ctrl-C leaves at once and says so."""

import asyncio
import os
import signal
from types import SimpleNamespace

from mesoflow.cli import running


def heard(monkeypatch, *numbers):
    parked, said, left = [], [], []
    monkeypatch.setattr(running.os, "_exit", left.append)

    async def go():
        run, view = SimpleNamespace(park=parked.append), SimpleNamespace(say=said.append)
        with running.interrupts(run, view):
            for number in numbers:
                os.kill(os.getpid(), number)
                await asyncio.sleep(0.01)

    asyncio.run(go())
    return [park.reason for park in parked], said, left


def test_the_first_parks_and_says_what_a_second_would_do(monkeypatch):
    parked, said, left = heard(monkeypatch, signal.SIGTERM)
    assert (parked, left) == (["by SIGTERM"], [])
    assert said == ["SIGTERM: the run parks once calls under way are answered; Ctrl-C again leaves at once"]


def test_a_second_ctrl_c_leaves_at_once(monkeypatch, capsys):
    _, _, left = heard(monkeypatch, signal.SIGINT, signal.SIGINT)
    assert left == [130]
    assert (
        capsys.readouterr().err
        == "left at once; what was sent and not answered is settled by `mesoflow resume`\n"
    )


def test_a_second_sigterm_waits_like_the_first(monkeypatch):
    parked, said, left = heard(monkeypatch, signal.SIGTERM, signal.SIGTERM)
    assert (len(parked), len(said), left) == (2, 1, [])
