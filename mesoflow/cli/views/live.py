"""A run on a terminal: its steps as they go, what it waits for and how long, what was prepared, at which price it filled.

The only file that draws, and the only one that imports rich; a pipe never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.table import Table
from rich.text import Text

from mesoflow.cli.views.lines import steps_by_id
from mesoflow.engine.effects import Call, Effect, Govern, Note, Place, Sleep, Tell, Watch, Withdraw
from mesoflow.engine.program import Program, Step
from mesoflow.expressions.names import StepView
from mesoflow.logs import redact
from mesoflow.review.said import said
from mesoflow.review.walks import Ladder, Ladders
from mesoflow.review.words import clock, count, length, moment, price
from mesoflow.runtime.setting import Progress

# A walk has at most some dozens; a terminal has some dozens of lines for everything.
RUNGS_SHOWN = 8
STYLES = {"done": "green", "failed": "red", "skipped": "dim", "open": "bold cyan", "": "dim"}
MARKS = {"done": "✓", "failed": "✗", "skipped": "–", "open": "▸", "": "·"}


class Live:
    """Hears of steps and progress; draws through rich."""

    def __init__(self, title: str, program: Program, now: Callable[[], datetime]) -> None:
        self._title = title
        self._program = program
        self._steps = steps_by_id(program)
        self._now = now
        self._states: dict[str, tuple[str, str, datetime]] = {}
        self._open: dict[str, Effect] = {}
        self._ladders = Ladders()
        self._console = Console(highlight=False)
        self._live = RichLive(
            console=self._console, auto_refresh=False, transient=False, get_renderable=self._picture
        )
        self.muted = False

    def start(self) -> None:
        """Begin to draw."""
        self._live.start()

    def stop(self) -> None:
        """Leave the last picture on the terminal."""
        self._draw()
        self._drawn(self._live.stop)

    def tick(self) -> None:
        """Time has passed."""
        self._draw()

    def say(self, text: str) -> None:
        """A line above the picture."""
        self._drawn(lambda: self._live.console.print(Text(redact(f"{clock(self._now())}  {text}"))))

    def step(self, name: str, view: StepView, at: datetime) -> None:
        """A step has ended."""
        step = self._steps.get(name)
        text = said(step.action if step else None, view.outputs) if view.state == "done" else view.state
        self._states[name] = (view.state, redact(text), at)
        self._draw()

    def progress(self, progress: Progress) -> None:
        """An effect was asked for, or settled."""
        if progress.kind == "asked" and progress.effect is not None:
            self._open[progress.path] = progress.effect
            self._ladders.asked(progress.path, progress.effect, self._now())
        elif progress.kind == "settled":
            self._open.pop(progress.path, None)
            if progress.outcome is not None:
                self._ladders.settled(progress.path, progress.effect, progress.outcome)
        else:
            self.say(f"{progress.path}: {progress.text}")
        self._draw()

    def _draw(self) -> None:
        self._drawn(self._live.refresh)

    def _drawn(self, draw: Callable[[], None]) -> None:
        """A terminal that has gone away is no affair of the run's."""
        with suppress(OSError):
            draw()

    def _picture(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for step, depth in _listed(self._program.steps, 0):
            state, text, at = self._states.get(step.id, ("", "", None))
            shown = state or ("open" if self._is_open(step.id) else "")
            mark = Text(MARKS[shown], STYLES[shown])
            name = Text("  " * depth + step.id, STYLES[shown] if shown != "done" else "")
            table.add_row(mark, Text(clock(at) if at else "", "dim"), name, Text(text))
        title = Text(f"{self._title}    {moment(self._now())}", "bold")
        return Group(title, table, *self._walking(), *self._waiting())

    def _is_open(self, step: str) -> bool:
        return any(step in (part.split("~")[0] for part in path.split("/")) for path in self._open)

    def _walking(self) -> list[Text]:
        """The ladders of orders that are working, each with its last rungs."""
        return [
            Text(line, "cyan" if number else "bold cyan")
            for ladder in self._ladders.by_walk.values()
            if not ladder.over
            for number, line in enumerate(ladder_lines(ladder, self._now()))
        ]

    def _waiting(self) -> list[Text]:
        return [
            Text(f"  {path}  {doing(effect, self._now())}", "cyan")
            for path, effect in list(self._open.items())[:6]
        ]


def _listed(steps: tuple[Step, ...], depth: int) -> list[tuple[Step, int]]:
    found = []
    for step in steps:
        found.append((step, depth))
        if step.for_each is None:
            found += _listed(step.steps, depth + 1)
    return found


def ladder_lines(ladder: Ladder, now: datetime) -> list[str]:
    """A walk's head, and its last rungs with the market in which each was priced."""
    left = "" if ladder.until is None else f", {_left(ladder.until, now)}"
    what = count(ladder.target, "package")
    head = f"  {ladder.path}  {ladder.filled} of {what} filled, worst {price(ladder.worst)}{left}"
    return [head, *(f"    {clock(rung.at)}  {rung}" for rung in ladder.rungs[-RUNGS_SHOWN:])]


def doing(effect: Effect, now: datetime) -> str:
    """What is under way, in words, with the time that is left where something bounds it."""
    match effect:
        case Sleep(until=until):
            return f"until {moment(until)}, {_left(until, now)}"
        case Watch(method=method, until=until):
            return f"watching {method}, {_left(until, now)}"
        case Place(order=order):
            limits = ", ".join(price(group.limit) for group in order.groups)
            return f"{order.method} for plan {order.exec_plan_id}, {order.contracts:f} contracts at {limits}"
        case Call(method=method) | Withdraw(method=method):
            return method
        case Govern(state=state):
            return f"trading state: {state}"
        case Tell(to=to):
            return f"telling {', '.join(to)}"
        case Note():
            return ""


def _left(until: datetime, now: datetime) -> str:
    seconds = int((until - now).total_seconds())
    return f"{length(seconds)} left" if seconds > 0 else "time is over"
