"""`kill --flatten`, for real: what is open at the broker and on paper is exited, whoever dies on the way; then the home is halted.

A condor at IB-1 with wings that somebody bids for, a calendar on PAPER-1, and the shipped condor of the day, whose wings
nobody bids for: that one stays open, and is named (C17, C18, I1).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesoflow.runtime.home import StateHome
from mesoflow.runtime.working import working
from tests.e2e.test_kill_and_release import until
from tests.support.killing import KILLED
from tests.support.lab import MESOFLOW, ROOT
from tests.support.warm import Done, Warm

CONDOR = """\
mesoflow: 1
name: near-condor
start: {once_per: never}
inputs:
  entry_at: {type: moment, default: "10:01"}
  hold:     {type: duration, default: 1h}
risk:
  accounts: [IB-1]
  max_contracts_per_order: 4
  max_order_premium: 3000
  max_order_loss: 3000
  max_open_loss: 6000
  max_daily_loss: 5% of net_liquidation
  max_distance_from_mid: [50% of quote_width, 1.00]
steps:
  - id: strategy
    action: strategy.create
    with: {name: near condor, definition: condor.json, active_on: [IB-1]}
  - id: window
    action: wait.until
    with: {at: "{{ inputs.entry_at }}", grace: unlimited}
  - id: entry
    action: entry.prepare
    with: {strategy: "{{ steps.strategy.strategy_id }}", lots: 1}
  - id: sell
    action: orders.work
    with:
      exec_plan: "{{ steps.entry }}"
      price: {start: mid, step: 0.05, every: 10s, worst: {from_natural: 0}}
      within: 3m
  - id: hold
    action: wait.for
    with: {duration: "{{ inputs.hold }}"}
"""
# Where each run dies, its position open.
CONDOR_OPEN = "committed:sell/compare/executions#settled"
CALENDAR_OPEN = "committed:exit/start#intended"
SHIPPED_OPEN = "committed:enter/sell/compare/executions#settled"


class Desk:
    """A state home with positions in it, and the real command."""

    def __init__(self, folder: Path, commands: Warm) -> None:
        self.commands = commands
        self.home = folder / "home"
        self.witness = folder / "witness.txt"
        self.condor = folder / "near-condor.yaml"
        self.condor.write_text(CONDOR, encoding="utf-8")
        definition = (ROOT / "mesoflow/data/strategies/104.json").read_text(encoding="utf-8")
        near = definition.replace(
            '"Min": "3", "Max": "8", "Delta": "5"', '"Min": "20", "Max": "45", "Delta": "35"'
        )
        (folder / "condor.json").write_text(
            near.replace("SPX 0DTE iron condor", "near condor"), encoding="utf-8"
        )

    def rewrite(self, old: str, new: str) -> None:
        """Another condor."""
        text = self.condor.read_text(encoding="utf-8")
        assert old in text
        self.condor.write_text(text.replace(old, new), encoding="utf-8")

    def copy(self, folder: Path) -> Desk:
        """The same home once more."""
        folder.mkdir()
        desk = Desk(folder, self.commands)
        shutil.copytree(self.home, desk.home)
        shutil.copy(self.witness, desk.witness)
        return desk

    def nothing_works(self) -> bool:
        journal = StateHome.open(self.home).journal(read_only=True)
        try:
            return not any(working(journal.read(row.run_id)).at_work for row in journal.runs())
        finally:
            journal.close()

    def environment(self) -> dict[str, str]:
        return {"MESOFLOW_HOME": str(self.home), "MESOFLOW_WITNESS": str(self.witness)}

    def mesoflow(self, *arguments: str, **variables: str) -> Done:
        return self.commands.mesoflow(arguments, **self.environment(), **variables)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [MESOFLOW, *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def die(self, point: str, *arguments: str) -> None:
        died = self.mesoflow(*arguments, MESOFLOW_CRASH=point)
        assert died.code == KILLED, f"{point} was not reached: {died.said}"

    def sell_condor(self) -> None:
        self.die(CONDOR_OPEN, "run", str(self.condor), "--run-id", "condor")

    def buy_calendar(self) -> None:
        self.die(
            CALENDAR_OPEN, "run", "plans/quickstart.yaml", "--run-id", "calendar", "--set", "entry_at=10:10"
        )

    def flatten(self, *arguments: str, **variables: str) -> tuple[int, Any]:
        done = self.mesoflow("kill", "--flatten", "--format", "json", *arguments, **variables)
        return done.code, json.loads(done.out) if done.out else done.err

    def open(self, account: str) -> list[Any]:
        """What the hub itself shows, asked by a run that only reads."""
        text = f"mesoflow: 1\nname: look\nrisk: {{accounts: [{account}]}}\nsteps: [{{id: open, action: position.list}}]\n"
        text += "outputs: {ids: \"{{ steps.open.positions | map(attribute='position_id') | list }}\"}\n"
        look = self.home.parent / "look.yaml"
        look.write_text(text, encoding="utf-8")
        done = self.mesoflow("run", str(look), "--format", "json")
        assert done.code == 0, done.said
        return json.loads(done.out)["outputs"]["ids"]


@pytest.fixture(scope="module")
def commands() -> Iterator[Warm]:
    with Warm() as warm:
        yield warm


@pytest.fixture
def desk(tmp_path: Path, commands: Warm) -> Desk:
    return Desk(tmp_path, commands)


def test_a_condor_at_the_broker_and_a_calendar_on_paper_are_both_flat_after(desk: Desk) -> None:
    desk.sell_condor()
    desk.buy_calendar()
    code, told = desk.flatten("--reason", "drill")
    assert (code, told["flatten"]["open"]) == (0, []), told
    assert [run["state"] for run in told["flatten"]["runs"]] == ["done"]
    assert (desk.home / "HALT").exists()
    again, told = desk.flatten()
    assert (again, told["flatten"]["refused"], told["flatten"]["open"]) == (0, "halted", [])
    assert desk.mesoflow("release", "--yes").code == 0
    assert (desk.open("IB-1"), desk.open("PAPER-1")) == ([], [])
    assert "MISSING" not in desk.witness.read_text()


def test_a_home_in_which_nothing_is_open_is_halted_and_flat(desk: Desk) -> None:
    assert desk.mesoflow("kill", "--allow-live").code == 2, "a kill alone sends nothing"
    assert not (desk.home / "HALT").exists()
    code, told = desk.flatten()
    assert (code, told["flatten"]) == (0, {"refused": None, "runs": [], "open": []})
    assert (desk.home / "HALT").exists()


def test_a_policy_that_cannot_be_read_exits_nothing_and_halts_all_the_same(desk: Desk) -> None:
    desk.buy_calendar()
    (desk.home / "policy.yaml").write_text("policy: 1\nflatten: {within: soon}\n", encoding="utf-8")
    (desk.home / "policy.yaml").chmod(0o600)
    code, told = desk.flatten()
    assert (code, [run["state"] for run in told["flatten"]["runs"]]) == (4, ["failed to run"])
    assert [one["account"] for one in told["flatten"]["open"]] == ["PAPER-1"]
    assert (desk.home / "HALT").exists()


def test_a_position_that_cannot_be_closed_is_named_and_the_home_is_halted_all_the_same(desk: Desk) -> None:
    """The day's condor: nobody bids for its wings, so nobody buys the package."""
    desk.buy_calendar()
    desk.die(SHIPPED_OPEN, "run", "plans/live-like-iron-condor.yaml", "--run-id", "shipped")
    code, told = desk.flatten()
    assert code == 4
    (left,) = told["flatten"]["open"]
    assert (left["account"], left["position_id"], sorted(left["legs"])) == (
        "IB-1",
        1002,
        ["long_call", "long_put", "short_call", "short_put"],
    )
    assert left["why"].startswith("not_filled: nothing of exec plan ")
    assert "no bidder for what is to be sold" in left["why"]
    assert (desk.home / "HALT").exists()
    text = desk.mesoflow("kill", "--flatten")
    assert text.code == 4
    assert "nothing was exited: while the home is halted no order leaves; release it first" in text.out
    assert "position 1002 of IB-1 at the simulated world default" in text.out


def test_a_living_runner_that_holds_the_world_withdraws_parks_and_leaves_it_to_the_kill(desk: Desk) -> None:
    """It walks an entry: asked before REDUCING, it parks and does not fail on a rung that is refused."""
    desk.buy_calendar()
    # Three seconds a rung, at prices that nobody takes: a busy machine still finds one alive.
    desk.rewrite("start: mid", "start: {from_mid: -4.00}")
    desk.rewrite("every: 10s", "every: 1m")
    desk.rewrite("within: 3m", "within: 20m")
    desk.rewrite("[50% of quote_width, 1.00]", "60% of mid")
    arguments = ("run", str(desk.condor), "--run-id", "condor", "--set", "entry_at=10:11", "--speed", "20")
    with desk.start(*arguments) as runner:
        until(runner, "rung-1")
        code, told = desk.flatten("--reason", "drill")
        assert runner.wait(20) == 7
    assert (code, told["flatten"]["open"]) == (0, []), told
    condor = next(run for run in told["runs"] if run["run_id"] == "condor")
    assert (condor["withdrawn_by"], condor["state"], condor["reason"]) == ("runner", "parked", "halted")
    assert desk.nothing_works()


def test_an_entry_that_filled_and_was_cut_short_is_found_by_its_plan(desk: Desk) -> None:
    """Nobody had read which position the plan has made."""
    desk.die("committed:sell/group-1/rung-2/watch~3#settled", "run", str(desk.condor), "--run-id", "condor")
    code, told = desk.flatten()
    assert (code, told["flatten"]["open"]) == (0, []), told
    assert desk.mesoflow("release", "--yes").code == 0
    assert desk.open("IB-1") == []


def test_the_kill_dies_at_points_of_its_own_and_the_next_one_goes_on(tmp_path: Path, commands: Warm) -> None:
    """After either kind of kill nothing works; once it may go on, it is flat, and nothing was sent twice."""
    (tmp_path / "first").mkdir()
    first = Desk(tmp_path / "first", commands)
    first.sell_condor()
    points = points_of(first, tmp_path / "listing")
    assert {"sent", "answered", "committed"} <= {point.split(":")[0] for point in points}
    commands.each(lambda at: dies_and_goes_on(first.copy(tmp_path / f"at-{at[0]}"), *at), enumerate(points))


def dies_and_goes_on(desk: Desk, number: int, point: str) -> None:
    """Every other time a plain kill comes between, which halts; what it parked goes on once it is released."""
    died = desk.mesoflow("kill", "--flatten", MESOFLOW_CRASH=point)
    assert died.code == KILLED, f"{point} was not reached: {died.said}"
    assert not (desk.home / "HALT").exists()
    if number % 2:
        halted = desk.mesoflow("kill")
        assert (halted.code, desk.nothing_works()) == (0, True), f"{point}: {halted.said}"
        assert desk.mesoflow("release", "--yes").code == 0
    code, told = desk.flatten()
    assert (code, told["flatten"]["open"]) == (0, []), f"{point}: {told}"
    assert (desk.home / "HALT").exists() and desk.nothing_works()
    assert "MISSING" not in desk.witness.read_text()


def points_of(first: Desk, folder: Path) -> list[str]:
    """Around every call of the flatten that changes the world, and a few between."""
    listing, file = first.copy(folder), folder / "points.txt"
    code, told = listing.flatten(MESOFLOW_CRASH_LIST=str(file))
    assert code == 0, told
    points = list(dict.fromkeys(line.split("\t")[0] for line in file.read_text().splitlines()))
    calls = [point for point in points if point.startswith(("sent:", "answered:")) or "#intended" in point]
    others = [point for point in points if point not in calls]
    return [*calls[:9], *others[:: max(1, len(others) // 5)]]
