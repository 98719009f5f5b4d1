"""`run --faults` and `sim serve --faults`: the real command in worlds where things go wrong, and what a SIGKILL leaves of one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import ROOT
from tests.support.played import evidence_of

MESOFLOW = (sys.executable, "-m", "mesoflow.cli")
REPLY_LOST = "faults: 1\nlose_reply: [{method: ApplyPaperFills}]\n"


def mesoflow(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MESOFLOW, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "MESOFLOW_HOME": str(home)},
    )


@contextmanager
def served(
    state: Path, *arguments: str, end: signal.Signals = signal.SIGTERM
) -> Iterator[tuple[str, list[int]]]:
    """`mesoflow sim serve`: its address, and how it ended."""
    command = [*MESOFLOW, "sim", "serve", "--port", "0", "--state", str(state), *arguments]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    codes: list[int] = []
    try:
        assert server.stdout is not None
        ready = server.stdout.readline()
        assert ready.startswith("listening on http://127.0.0.1:"), ready
        yield ready.removeprefix("listening on ").strip(), codes
    finally:
        server.send_signal(end)
        codes.append(server.wait(timeout=30))
        assert server.stdout is not None
        server.stdout.close()


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    path = tmp_path / "faults.yaml"
    path.write_text(REPLY_LOST, encoding="utf-8")
    return path


def test_a_run_in_a_world_with_faults_asks_what_became_of_its_order(tmp_path: Path, faults: Path) -> None:
    home = tmp_path / "home"
    done = mesoflow(home, "run", "plans/quickstart.yaml", "--faults", str(faults), "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "done"), done.stderr
    evidence = evidence_of(home, home / "worlds" / "seed-7-strict-faults")
    assert len({call.key for call in evidence.executed}) == len(evidence.executed)
    asked = mesoflow(home, "journal", json.loads(done.stdout)["run_id"]).stdout
    assert '"engine/reconcile/buy/fill"' in asked
    # The world is the default from now on; the same file is the same world.
    again = mesoflow(home, "run", "plans/quickstart.yaml", "--faults", str(faults))
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in (home / "worlds").iterdir() if path.is_dir()) == [
        "default",
        "seed-7-strict-faults",
    ]


def test_check_knows_a_faults_file(tmp_path: Path, faults: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("faults: 1\nlose_rply: []\n", encoding="utf-8")
    assert mesoflow(tmp_path / "home", "check", str(faults)).returncode == 0
    done = mesoflow(tmp_path / "home", "check", str(wrong))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("error[MF101]: there is no `lose_rply` here\n")


def test_a_file_that_is_wrong_begins_nothing(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("faults: 1\nlose_rply: []\n", encoding="utf-8")
    for command in (("run", "plans/quickstart.yaml"), ("sim", "serve", "--port", "0")):
        done = mesoflow(tmp_path / "home", *command, "--faults", str(path))
        assert done.returncode == 1
        assert "error[MF101]: there is no `lose_rply` here" in done.stdout
        assert 'did you mean "lose_reply"?' in done.stdout
    assert not (tmp_path / "home" / "journal.db").exists()


def call(url: str, home: Path, method: str, **args: Any) -> Any:
    home.mkdir(mode=0o700, exist_ok=True)
    config = home / "config.yaml"
    config.write_text(f"hubs: {{lab: {{url: {url}, simulator: true}}}}\n", encoding="utf-8")
    config.chmod(0o600)
    pairs = [f"{name}={value}" for name, value in args.items()]
    arguments = ("hub", "call", method, *pairs, "--hub", "lab", "--yes", "--format", "json")
    done = mesoflow(home, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["result"]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_what_a_server_has_acknowledged_is_there_when_it_comes_back(
    tmp_path: Path, end: signal.Signals
) -> None:
    state, home = tmp_path / "served", tmp_path / "home"
    with served(state, "--seed", "11", "--profile", "kind", "--speed", "30", end=end) as (url, codes):
        made = call(url, home, "CreateStrategy", Name="kept", CloneStrategyId=101)
    assert codes == [0 if end == signal.SIGTERM else -end]
    with served(state) as (url, _):
        strategies = call(url, home, "ListStrategies")["strategies"]
    assert [one["name"] for one in strategies if one["id"] == made["strategy_id"]] == ["kept"]
    made_with = [json.loads(about.read_text(encoding="utf-8")) for about in state.glob("worlds/*/about.json")]
    assert {"seed": 11, "profile": "kind"} in made_with


def test_a_served_world_has_the_faults_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(
        "faults: 1\ncasing: camel\nagents_away: [{agent: IBKR, at: 0s, lasts: 8h}]\n", encoding="utf-8"
    )
    with served(tmp_path / "served", "--faults", str(path)) as (url, codes):
        agents = call(url, tmp_path / "home", "ListAgents")["agents"]
    assert codes == [0]
    assert {one["connector"]: one["is_connected"] for one in agents} == {"IBKR": False, "TastyTrade": True}
