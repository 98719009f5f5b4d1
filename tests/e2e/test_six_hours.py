"""Six hours of market time with a fault every five minutes, on the idle clock: the session ends, it settles, no checker finds anything.

mesoflow soak --days --seeds 100                 more of them
mesoflow soak --days --seeds 1 --first 4711      one by its number
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mesoflow.actions.way import Walk
from mesoflow.cli.commands.soak import life, told, warm
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.rehearsal.days import DAY, play_day
from mesoflow.rehearsal.soak import RUN
from mesoflow.rehearsal.staging import Stage
from mesoflow.simulator.simulator import Simulator
from mesoflow.simulator.world.world import BEGINNING

SEEDS = range(1, 3)


@pytest.fixture(scope="module", autouse=True)
def warmed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each command is forked from this process; what it would make at its first use is here."""
    warm(tmp_path_factory.mktemp("warm"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_settles_breaks_no_invariant_and_trades_to_its_end(seed: int, tmp_path: Path) -> None:
    world = play_day(seed, tmp_path, life)
    assert world.problems == (), "\n".join(told(world))
    journal = SqliteJournal.open(tmp_path / "home" / "journal.db", read_only=True)
    records = tuple(journal.read(RUN))
    journal.close()
    assert records[-1].body["at"] >= BEGINNING + DAY
    sent = [record.body["at"] for record in records if record.kind == "intended"]
    assert {(at - BEGINNING) // timedelta(hours=1) for at in sent} == set(range(6))


def the_whole_size_again() -> None:
    """After a part has filled the next price is for all of it."""
    Walk.rest = property(lambda way: way.group.packages)  # type: ignore[assignment, method-assign]  # the mutant


def test_a_broken_engine_is_found_within_a_few_sessions(tmp_path: Path) -> None:
    def lives(home: Path, arguments: Sequence[str], stage: Stage, variables: Mapping[str, str]) -> int:
        def opened(simulator: Simulator) -> None:
            the_whole_size_again()
            if stage.opened is not None:
                stage.opened(simulator)

        return life(home, arguments, replace(stage, opened=opened), variables)

    for seed in range(1, 9):
        world = play_day(seed, tmp_path / str(seed), lives)
        if any(problem.startswith("I1 ") for problem in world.problems):
            return
    raise AssertionError("nothing was found")


def test_a_session_that_is_over_before_the_bell_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: nobody resumes it while the faults last."""
    monkeypatch.setattr("mesoflow.rehearsal.days._LIVES_MAX", 0)
    world = play_day(SEEDS[0], tmp_path, life)
    assert world.codes[0] != 0
    assert [problem for problem in world.problems if problem.startswith("the session was over at ")]
