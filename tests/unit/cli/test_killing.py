"""What a kill asks of others, and what two looks at the same run come to."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

from mesoflow.cli.config import read_config
from mesoflow.cli.flattening import NAME
from mesoflow.cli.killing import Killed, Killing
from mesoflow.engine.program import Program
from mesoflow.journal.records import Entry
from mesoflow.runtime.home import StateHome
from tests.support.stories import started


def test_a_living_run_that_flattens_is_let_alone_and_a_dead_one_is_not(tmp_path: Path) -> None:
    home = StateHome.open(tmp_path / "home")
    journal = home.journal()
    try:
        for name in ("flatten-1", "flatten-2"):
            journal.commit([Entry(name, "started", started(name, Program(NAME, ())))])
        killing = Killing(home, journal, read_config(home.path), "anna", "drill", spared=NAME)
        with home.run_lock("flatten-1"):
            assert [run.run_id for run in killing.all()] == ["flatten-2"]
        assert journal.open_requests("flatten-1") == []
    finally:
        journal.close()


def test_what_the_first_look_withdrew_is_told_with_the_second() -> None:
    first = Killed("one", "runner", "parked", "halted", withdrawn={7: D(1)})
    second = Killed("one", "nothing", "parked", "halted")
    assert second.after(first) == first
    assert second.after(None) == second
    again = Killed("one", "kill", "parked", "halted", withdrawn={8: D(0)})
    assert again.after(first) == Killed("one", "kill", "parked", "halted", withdrawn={7: D(1), 8: D(0)})
