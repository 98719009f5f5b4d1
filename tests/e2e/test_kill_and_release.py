"""Kill, cancel and park, for real: the installed command trades at a broker that the simulator imitates, and is halted.

Whatever process does it, whoever dies on the way: no order stays alive, the run parks as halted, nothing starts until a
person releases, and then the walk goes on at the same price (C16, C17, I7, I17).
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesoflow.runtime.home import StateHome
from mesoflow.runtime.working import working
from tests.e2e.test_kill_and_resume import KILLED, MESOFLOW, ROOT
from tests.support.warm import Done, Warm

RUN = "drill"
WALK = "buy/group-1"
# The quickstart's walk, and one that nobody fills in its first minutes.
SHORT = "price: {start: mid, step: 0.05, every: 10s, worst: {from_mid: 0.30}}\n      within: 2m"
LONG = "price: {start: {from_mid: -1.50}, step: 0.25, every: 1m, worst: {from_mid: 0.30}}\n      within: 40m"
# Every instant around the second rung's sending and its cancel.
POINTS = [
    f"committed:{WALK}/rung-2/send#intended",
    f"sent:{WALK}/rung-2/send",
    f"answered:{WALK}/rung-2/send",
    f"committed:{WALK}/rung-2/send#settled",
    f"committed:{WALK}/rung-2/cancel#intended",
    f"sent:{WALK}/rung-2/cancel",
    f"committed:{WALK}/rung-2/cancel#settled",
    f"committed:{WALK}/rung-2/confirm#settled",
]


class Desk:
    """A state home, a playbook that trades at a broker, and the real command."""

    def __init__(self, folder: Path, commands: Warm) -> None:
        self.commands = commands
        self.home = folder / "home"
        self.witness = folder / "witness.txt"
        self.playbook = folder / "broker.yaml"
        text = (ROOT / "plans" / "quickstart.yaml").read_text(encoding="utf-8")
        self.playbook.write_text(text.replace("require: {paper: true, ", "require: {"), encoding="utf-8")

    def environment(self, **variables: str) -> dict[str, str]:
        return {
            **os.environ,
            "MESOFLOW_HOME": str(self.home),
            "MESOFLOW_WITNESS": str(self.witness),
            **variables,
        }

    def mesoflow(self, *arguments: str, **variables: str) -> Done:
        places = {"MESOFLOW_HOME": str(self.home), "MESOFLOW_WITNESS": str(self.witness)}
        return self.commands.mesoflow(arguments, **places, **variables)

    def run_arguments(self, run_id: str = RUN, entry_at: str = "10:01") -> list[str]:
        return [
            "run",
            str(self.playbook),
            "--set",
            "account=IB-1",
            "--set",
            f"entry_at={entry_at}",
            "--run-id",
            run_id,
        ]

    def die_at(self, point: str, run_id: str = RUN) -> None:
        died = self.mesoflow(*self.run_arguments(run_id), MESOFLOW_CRASH=point)
        assert died.code == KILLED, f"{point} was not reached: {died.said}"

    def live(self, run_id: str = RUN, entry_at: str = "10:01", speed: str = "20") -> subprocess.Popen[str]:
        """A runner that lives, at a speed at which it can be spoken to."""
        arguments = [MESOFLOW, *self.run_arguments(run_id, entry_at), "--speed", speed]
        return subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def killed(self, *arguments: str, **variables: str) -> tuple[int, Any]:
        done = self.mesoflow("kill", "--format", "json", *arguments, **variables)
        return done.code, json.loads(done.out) if done.out else done.err

    def nothing_works(self, run_id: str = RUN) -> bool:
        journal = StateHome.open(self.home).journal(read_only=True)
        try:
            return not working(journal.read(run_id)).at_work
        finally:
            journal.close()

    def goes_on(self, run_id: str = RUN) -> None:
        """Released, the walk goes on to its end, with nothing sent twice."""
        assert self.mesoflow("resume", run_id).code == 7
        assert self.mesoflow("release", "--yes").code == 0
        done = self.mesoflow("resume", run_id)
        assert done.code == 0, done.said
        assert "MISSING" not in self.witness.read_text()


@pytest.fixture(scope="module")
def commands() -> Iterator[Warm]:
    with Warm(1) as warm:
        yield warm


@pytest.fixture
def desk(tmp_path: Path, commands: Warm) -> Desk:
    return Desk(tmp_path, commands)


def until(process: subprocess.Popen[str], word: str) -> None:
    """Read what the process says until a line holds `word`."""
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"it ended without saying {word!r}")


@pytest.mark.parametrize("point", POINTS)
def test_the_runner_died_here_and_the_kill_withdraws_by_itself(desk: Desk, point: str) -> None:
    desk.die_at(point)
    code, told = desk.killed("--reason", "drill")
    assert code == 0, told
    run = told["runs"][0]
    # Where nothing was alive there was nothing to do: the run stands as it died.
    assert run["reason"] == ("died" if point.endswith("confirm#settled") else "halted")
    assert (run["run_id"], run["alive"], run["unknown"]) == (RUN, [], [])
    assert told["state_home"] == str(desk.home)
    assert desk.nothing_works()
    again, told_again = desk.killed()
    assert (again, told_again["first"], told_again["runs"][0]["withdrawn"]) == (0, False, [])
    desk.goes_on()


def test_the_kill_dies_at_each_point_of_its_own_and_the_next_one_ends_it(
    tmp_path: Path, commands: Warm
) -> None:
    start = f"committed:{WALK}/rung-2/send#settled"
    points = _points_of_a_kill(tmp_path, start, commands)
    assert any("engine/halt-1/order-" in point for point in points)
    for number, point in enumerate(points):
        folder = tmp_path / f"kill-{number}"
        folder.mkdir()
        desk = Desk(folder, commands)
        desk.die_at(start)
        died = desk.mesoflow("kill", MESOFLOW_CRASH=point)
        assert died.code == KILLED, f"{point} was not reached: {died.said}"
        code, told = desk.killed()
        assert (code, desk.nothing_works()) == (0, True), f"{point}: {told}"
        desk.goes_on()


def _points_of_a_kill(tmp_path: Path, start: str, commands: Warm) -> list[str]:
    folder = tmp_path / "list"
    folder.mkdir()
    desk, points = Desk(folder, commands), folder / "points.txt"
    desk.die_at(start)
    assert desk.killed(MESOFLOW_CRASH_LIST=str(points))[0] == 0
    return list(dict.fromkeys(line.split("\t")[0] for line in points.read_text().splitlines()))


def test_a_living_runner_withdraws_and_parks(desk: Desk) -> None:
    # Three seconds a rung: a busy machine still finds one alive.
    text = desk.playbook.read_text(encoding="utf-8")
    assert SHORT in text
    desk.playbook.write_text(text.replace(SHORT, LONG), encoding="utf-8")
    with desk.live() as runner:
        until(runner, "rung-1")
        code, told = desk.killed("--reason", "drill")
        assert runner.wait(20) == 7
    assert code == 0, told
    assert (told["runs"][0]["withdrawn_by"], told["runs"][0]["reason"]) == ("runner", "halted")
    assert desk.nothing_works()
    desk.goes_on()


def test_a_bare_file_halts_as_well(desk: Desk) -> None:
    """HALTED is the file and nothing else: the shortest kill needs no mesoflow."""
    with desk.live() as runner:
        until(runner, "rung-1")
        (desk.home / "HALT").touch(mode=0o600)
        assert runner.wait(20) == 7
    assert desk.nothing_works()
    desk.goes_on()


def test_who_holds_the_world_answers_for_the_dead_runs_in_it(desk: Desk) -> None:
    desk.die_at(f"committed:{WALK}/rung-2/send#settled", "dead")
    with desk.live("living", "15:00", "1") as runner:
        until(runner, "agent")
        code, told = desk.killed()
        assert runner.wait(20) == 7
    assert code == 0, told
    assert [run["run_id"] for run in told["runs"]] == ["living", "dead"]
    assert desk.nothing_works("dead")


def test_while_halted_nothing_starts_and_the_refusal_says_how_to_release(desk: Desk) -> None:
    assert desk.killed("--reason", "the feed lies")[0] == 0
    refused = desk.mesoflow(*desk.run_arguments())
    assert refused.code == 7
    assert refused.err.startswith("refused[MF512]: the state home is halted: nothing is started or resumed")
    assert "the feed lies" in refused.err
    assert "mesoflow release" in refused.err
    assert desk.mesoflow("release").code == 1, "a release is a person's decision"
    assert (desk.home / "HALT").exists()


@pytest.mark.parametrize(("typed", "code", "halted"), [("yes", 0, False), ("no", 1, True), ("", 1, True)])
def test_at_a_terminal_a_release_asks_and_wants_the_word(
    desk: Desk, typed: str, code: int, halted: bool
) -> None:
    assert desk.killed("--reason", "the feed lies")[0] == 0
    ended, said = at_a_terminal(desk, "release", asked="type yes to go on: ", typed=typed)
    assert (ended, (desk.home / "HALT").exists()) == (code, halted), said
    assert f"release {desk.home}, halted by " in said
    assert ": the feed lies: orders may leave again" in said
    assert ("nothing was released" in said) is halted


def at_a_terminal(desk: Desk, command: str, *, asked: str, typed: str) -> tuple[int, str]:
    """The command at a terminal of its own: wait for the question, type, read to the end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [MESOFLOW, command], cwd=ROOT, env=desk.environment(), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = ""
    try:
        while asked not in said:
            said += os.read(ours, 4096).decode()
        os.write(ours, f"{typed}\n".encode())
        while True:
            said += os.read(ours, 4096).decode()
    except OSError:  # the other side has closed: that is how a terminal says that nobody is there any more
        return process.wait(20), said
    finally:
        os.close(ours)


def test_sigterm_withdraws_entries_and_the_resume_goes_on_at_the_same_price(desk: Desk) -> None:
    with desk.live() as runner:
        until(runner, "rung-1")
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(20) == 130
    assert desk.nothing_works()
    assert desk.mesoflow("resume", RUN).code == 0


@pytest.mark.parametrize("point", [POINTS[0], POINTS[1], POINTS[3], POINTS[5]])
def test_a_cancel_of_a_dead_run_stops_its_order_and_confirms_it(desk: Desk, point: str) -> None:
    desk.die_at(point)
    done = desk.mesoflow("cancel", RUN)
    assert done.code == 6, done.said
    assert desk.nothing_works()
