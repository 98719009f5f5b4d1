"""What a kill does, once HALT is there (to flatten, before it): living runners are asked and waited for, in real time; where
none lives, the kill becomes the runner for as long as it takes to withdraw and confirm. Harmless twice; nobody is waited for
who is gone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from mesoflow.cli.config import Config
from mesoflow.cli.embedded import EmbeddedWish
from mesoflow.cli.reading import all_standings
from mesoflow.cli.running import withdrawn
from mesoflow.cli.starting import choice_of, ground_of, last_in_world, on_loop, require_same
from mesoflow.hubs.errors import HubError
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.clock import ClockError
from mesoflow.runtime.home import RunHeld, StateHome, WorldHeld
from mesoflow.runtime.inbox import LOOK_EVERY_S, ask_kill
from mesoflow.runtime.refusal import Refusal
from mesoflow.runtime.standing import Standing, standing_of
from mesoflow.runtime.working import Working, working

How = Literal["runner", "kill", "nothing", "failed"]


@dataclass(slots=True)
class Killed:
    """One run that the home governs, and what came of it. `how`: who withdrew; `why` where it could not be done."""

    run_id: str
    how: How
    state: str
    reason: str = ""
    why: str = ""
    withdrawn: Mapping[int, Decimal] = field(default_factory=dict)
    alive: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def is_sure(self) -> bool:
        """Whether no order of it can be alive."""
        return not (self.alive or self.unknown or self.how == "failed")

    def after(self, earlier: Killed | None) -> Killed:
        """With what an earlier look at the same run had withdrawn already."""
        if earlier is None:
            return self
        how = earlier.how if self.how == "nothing" else self.how
        return replace(self, how=how, withdrawn={**earlier.withdrawn, **self.withdrawn})

    def value(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run_id": self.run_id,
            "withdrawn_by": self.how,
            "state": self.state,
            "reason": self.reason or None,
            "why": self.why or None,
            "withdrawn": [{"order": order, "filled": filled} for order, filled in self.withdrawn.items()],
            "alive": self.alive,
            "unknown": self.unknown,
        }


@dataclass(slots=True)
class Killing:
    """One kill. `by` and `reason` stand in the requests to living runners, which park, HALT or not. `spared`: living runs of
    this playbook are let alone: they flatten, at another kill's word."""

    home: StateHome
    journal: SqliteJournal
    config: Config
    by: str
    reason: str
    spared: str | None = None
    # What each run had at work when it was first looked at: a runner that is asked can be faster than we are.
    _before: dict[str, Working] = field(default_factory=dict)

    def all(self) -> list[Killed]:
        """Every run that is not over, newest first. Living ones are asked before anybody is waited for."""
        runs = [run for run in self._standings() if not run.over]
        self._remember(runs)
        rows = {
            run.run_id: ask_kill(self.journal, run.run_id, self.by, self.reason)
            for run in runs
            if run.state == "running"
        }
        found = {run.run_id: self._answered(run, rows[run.run_id]) for run in runs if run.run_id in rows}
        for run in runs:
            if run.run_id not in found:
                found[run.run_id] = self._dead(run)
        return [self._told(run, found[run.run_id]) for run in runs]

    def _remember(self, runs: Iterable[Standing]) -> None:
        for run in runs:
            self._before.setdefault(run.run_id, working(self.journal.read(run.run_id)))

    def _standings(self) -> list[Standing]:
        found = all_standings(self.home, self.journal)
        return [run for run in found if run.state != "running" or run.started["playbook"] != self.spared]

    def _answered(self, run: Standing, row: int) -> tuple[How, str]:
        """Wait for the runner; when its lock falls free without an answer, do it ourselves."""
        for _ in _looks():
            if self.journal.answer_of(row) is not None:
                return "runner", ""
            if not self.home.is_run_held(run.run_id):
                break
        if self.journal.answer_of(row) is not None:
            return "runner", ""
        how = self._dead(run)
        self.journal.answer(row, {"state": "parked", "reason": "halted"})
        return how

    def _dead(self, run: Standing) -> tuple[How, str]:
        """Nobody runs it. Its orders are ours to withdraw, unless the world they are in lives in another process, which then
        withdraws them: it looks for the dead runs of its world when it sees HALT."""
        row: int | None = None
        for _ in _looks():
            if row is not None and self.journal.answer_of(row) is not None:
                return "runner", ""
            now = working(self.journal.read(run.run_id))
            if not now.at_work:
                return ("nothing" if row is None else "runner"), ""
            try:
                return self._ourselves(run)
            except (RunHeld, WorldHeld):
                row = row or ask_kill(self.journal, run.run_id, self.by, self.reason)
                self.ask_the_living()
            except (Refusal, HubError, ClockError) as error:
                return "failed", str(error)
        raise AssertionError("the looks never end")

    def ask_the_living(self) -> None:
        """Who lives is asked, once: before the trading state changes, and again where somebody began meanwhile."""
        living = [run for run in self._standings() if run.state == "running"]
        self._remember(living)
        for run in living:
            if not self.journal.open_requests(run.run_id):
                ask_kill(self.journal, run.run_id, self.by, self.reason)

    def _ourselves(self, run: Standing) -> tuple[How, str]:
        choice = choice_of(run.started, self.config)
        on_loop(choice, None, self._withdraw(run))
        return "kill", ""

    async def _withdraw(self, run: Standing) -> int:
        wish = EmbeddedWish(
            world=run.started["hub"]["world"],
            since=lambda world: last_in_world(self.journal, all_standings(self.home, self.journal), world),
        )
        async with ground_of(self.home, choice_of(run.started, self.config), wish, run.at) as ground:
            require_same(run.started, ground)
            await withdrawn(self.home, self.journal, ground, self.config.targets(), run)
        return 0

    def _told(self, run: Standing, ending: tuple[How, str]) -> Killed:
        """How the run stands by its journal now. What was withdrawn since it was asked, and not by us, was by its runner."""
        before, after = self._before[run.run_id], working(self.journal.read(run.run_id))
        done = {order: filled for order, filled in after.withdrawn.items() if order not in before.withdrawn}
        how, why = ending
        now = standing_of(self.journal, run.run_id, lambda _: False)
        assert now is not None
        return Killed(
            run.run_id,
            "runner" if done and how == "nothing" else how,
            now.state,
            now.reason,
            why,
            done,
            after.alive,
            [
                path
                for path, method in after.unknown.items()
                if method in ("SendOrder", "CancelOrder", "ApplyPaperFills")
            ],
        )


def _looks() -> Iterator[None]:
    """As often as a runner looks, for as long as it takes: a kill that gives up has not killed."""
    while True:
        yield
        time.sleep(LOOK_EVERY_S)
