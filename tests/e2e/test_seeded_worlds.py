"""Worlds drawn from seeds: faults, an interruption somewhere; then everything settles, and no checker finds anything.

mesoflow soak --seeds 3000                       more of them
mesoflow soak --seeds 1 --first 4711             one by its number
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesoflow.actions import sent, walk
from mesoflow.actions.way import Walk
from mesoflow.cli.commands.soak import life, played, summary, told
from mesoflow.cli.exits import Exit
from mesoflow.engine.effects import Refused
from mesoflow.rehearsal.soak import Lives, play
from mesoflow.rehearsal.staging import Stage
from mesoflow.rehearsal.witness import WITNESS
from mesoflow.runtime import reconcile
from mesoflow.runtime.run import Run
from mesoflow.simulator.simulator import Simulator

# Where most of them end: done, failed, cancelled.
ENDS = {0, 1, 6}


def test_every_world_settles_and_breaks_no_invariant(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    first, count = request.config.getoption("--first-world"), request.config.getoption("--worlds")
    print(f"seeds {first} to {first + count - 1}")
    begun = time.perf_counter()
    worlds = list(played(range(first, first + count), tmp_path))
    minutes = (time.perf_counter() - begun) / 60
    print(summary(first, worlds, minutes))
    wrong = [line for world in worlds for line in told(world)]
    assert not wrong, "\n".join(wrong)
    ends = Counter(world.codes[-1] for world in worlds)
    assert count < 100 or ends.keys() >= ENDS, "the draws reach done, failed and cancelled"


def lives_of(mutant: Callable[[], None]) -> Lives:
    """Commands of a broken engine: each process is broken as its world opens."""

    def lives(home: Path, arguments: Sequence[str], stage: Stage, variables: Mapping[str, str]) -> int:
        return life(home, arguments, replace(stage, opened=lambda world: broken(stage, world)), variables)

    def broken(stage: Stage, simulator: Simulator) -> None:
        mutant()
        if stage.opened is not None:
            stage.opened(simulator)

    return lives


# --- tests of the test: engines that worlds find out -------------------------------------------------------------------


def the_whole_size_again() -> None:
    """After a part has filled the next price is for all of it."""
    Walk.rest = property(lambda way: way.group.packages)  # type: ignore[assignment, method-assign]  # the mutant


def no_answer_is_a_no() -> None:
    """What became of an order is not asked."""

    async def refused(case: reconcile.Case) -> reconcile.Verdict:
        return reconcile.Settle(Refused("rejected", "nobody answered"), {})

    reconcile.ROWS = {**reconcile.ROWS, "SendOrder": refused}  # type: ignore[misc]  # the mutant


def a_cancel_is_not_confirmed() -> None:
    """What was asked to stop is taken for stopped."""

    def mutant(ctx: Any, order: sent.Sent, name: str) -> Any:
        if not order.over:
            yield from sent.ask_back(order, name)
            order.state = "Cancelled"

    walk.take_back = mutant


def no_intent() -> None:
    """An order leaves before the journal knows of it: each request could be made again, so no kill finds it."""
    honest: Any = Run._record

    def record(
        self: Run, kind: Any, body: Any, then: Any = None, account: str = "", guard: Any = None
    ) -> None:
        if kind == "intended" and body.get("order"):
            self._setting.committer.add([], then)
        else:
            honest(self, kind, body, then, account, guard)

    Run._record = record  # type: ignore[method-assign]  # the mutant


def no_verdict() -> None:
    """The rails are asked, and what they said is not written down."""
    honest = Run._intended
    Run._intended = lambda *args: {**honest(*args), "verdict": None}  # type: ignore[method-assign]  # the mutant


@pytest.mark.parametrize(
    ("mutant", "words"),
    [
        (no_intent, "the journal holds no durable intent"),
        (no_verdict, "the intent has no verdict that passed"),
    ],
)
def test_the_witness_finds_a_call_without_intent_or_verdict(
    tmp_path: Path, mutant: Callable[[], None], words: str
) -> None:
    world = play(1, tmp_path, lives_of(mutant))
    assert world.codes[0] == Exit.BUG
    found = [problem for problem in world.problems if problem.startswith("the witness: ")]
    assert found and all(problem.endswith(f": {words}") for problem in found)


def test_what_is_executed_unseen_is_found(tmp_path: Path) -> None:
    def unwatched(home: Path, arguments: Sequence[str], stage: Stage, variables: Mapping[str, str]) -> int:
        return life(home, arguments, stage, {**variables, WITNESS: ""})

    found = play(1, tmp_path, unwatched).problems
    assert found and all(problem.startswith("the witness has not seen ") for problem in found)


@pytest.mark.parametrize(
    ("mutant", "invariants"),
    [
        (the_whole_size_again, {"I1"}),
        (no_answer_is_a_no, {"I5", "I17"}),
        (a_cancel_is_not_confirmed, {"I1", "I5"}),
    ],
)
def test_a_broken_engine_is_found_within_forty_worlds(
    tmp_path: Path, mutant: Callable[[], None], invariants: set[str]
) -> None:
    for seed in range(1, 41):
        world = play(seed, tmp_path / str(seed), lives_of(mutant))
        if invariants & {problem.split(" ")[0] for problem in world.problems}:
            return
    raise AssertionError("nothing was found")
