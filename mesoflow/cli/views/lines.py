"""A run as plain lines, for pipes and files: one line a step, with the time of the run's own clock and nothing else.

The same run gives the same lines. What a run's journal tells again at a resume is not printed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from mesoflow.engine.program import Program, Step
from mesoflow.expressions.names import StepView
from mesoflow.logs import redact
from mesoflow.review.said import said
from mesoflow.review.walks import OVER, Ladders
from mesoflow.review.words import EXCHANGE, clock, day
from mesoflow.runtime.setting import Progress


class Lines:
    """Hears of steps and progress; writes through `write`. `now` is the run's clock."""

    def __init__(self, program: Program, write: Callable[[str], None], now: Callable[[], datetime]) -> None:
        self._steps = steps_by_id(program)
        self._width = max((len(name) for name in self._steps), default=0)
        self._write = write
        self._now = now
        self._day = ""
        self._ladders = Ladders()
        self._told: set[str] = set()
        self.muted = False

    def start(self) -> None:
        """Nothing to prepare."""

    def stop(self) -> None:
        """Nothing to clean up."""

    def tick(self) -> None:
        """Lines do not change."""

    def say(self, text: str) -> None:
        """A line beside the steps: a notice, what a signal does."""
        self._line(text)

    def step(self, name: str, view: StepView, at: datetime) -> None:
        """A step has ended."""
        if self.muted:
            return
        step = self._steps.get(name)
        text = said(step.action if step else None, view.outputs) if view.state == "done" else view.state
        if step is not None and step.for_each is not None and view.state == "done":
            text = (
                f"{len(view.outputs.get('results', []))} items, {len(view.outputs.get('failed', []))} failed"
            )
        self._line(f"{name.ljust(self._width)}  {text or 'done'}")

    def progress(self, progress: Progress) -> None:
        """An effect; only what a person must know of is worth a line: notes, and the rungs of a walk as they end."""
        if progress.kind == "note":
            self._line(f"{progress.path}: {progress.text}")
        elif progress.kind == "asked" and progress.effect is not None:
            self._ladders.asked(progress.path, progress.effect, self._now())
        elif progress.outcome is not None:
            self._ladders.settled(progress.path, progress.effect, progress.outcome)
            self._rungs_over()

    def _rungs_over(self) -> None:
        """Each rung once; of one price that is refused again and again the first refusal."""
        for ladder in self._ladders.by_walk.values():
            for rung, _ in ladder.told:
                if rung.state in OVER and rung.path not in self._told:
                    self._told.add(rung.path)
                    self._line(f"{ladder.path}  {rung}")

    def _line(self, text: str) -> None:
        now = self._now()
        today = day(now.astimezone(EXCHANGE).date())
        if today != self._day:
            self._day = today
            self._write(today)
        self._write(redact(f"{clock(now)}  {text}"))


def steps_by_id(program: Program) -> Mapping[str, Step]:
    """Every step of a program that an outer scope can see, by id."""
    found: dict[str, Step] = {}

    def walk(steps: tuple[Step, ...]) -> None:
        for step in steps:
            found[step.id] = step
            for clause in step.rescue:
                walk(clause.steps)
            if step.for_each is None:
                walk(step.steps)

    walk(program.steps)
    for clause in program.rescue:
        walk(clause.steps)
    walk(program.always)
    return found
