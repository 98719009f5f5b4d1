"""What the interpreter asks for, launched: reads, watches and waits are performed, what changes the world is intended.

While an outcome is unknown, or the hub is being compared with the journal after a restart, whatever would change the world
is held back; withdrawals are not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from mesoflow.engine.effects import (
    Call,
    Done,
    Effect,
    Govern,
    Note,
    Outcome,
    Place,
    Sleep,
    Tell,
    Watch,
    Withdraw,
)
from mesoflow.engine.interpreter import Turn
from mesoflow.runtime.core import Parked, changes_world
from mesoflow.runtime.pages import differing_page
from mesoflow.runtime.perform import Overdue
from mesoflow.runtime.setting import Progress
from mesoflow.runtime.unknowns import Unknowns


class Launching(Unknowns):
    """Starts and abandons effects."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as Core takes them
        super().__init__(*args)
        self._held: list[tuple[str, Effect]] = []
        self._marks: dict[str, tuple[str, int | None]] = {}
        self._comparing = False

    def _launch(self, turn: Turn) -> None:
        for path in turn.abandon:
            self._abandon(path)
        for path, effect in turn.perform:
            self._start(path, effect)

    def _abandon(self, path: str) -> None:
        work = self._working.pop(path, None)
        if work is not None:
            work.cancel()
        self._held = [(held, effect) for held, effect in self._held if held != path]

    def _start(self, path: str, effect: Effect) -> None:
        if self._leaving is not None:
            return
        if (self._unknown or self._comparing) and changes_world(effect) and not isinstance(effect, Withdraw):
            self._held.append((path, effect))
            return
        self._setting.progress(Progress("asked", path, effect))
        match effect:
            case Note(value=value):
                self._feed(path, Done(value))
            case Sleep(until=until):
                self._work(path, self._sleep, path, until)
            case Watch():
                self._work(path, self._perform, path, self._performer.watch, self._from_now(path, effect))
            case Place():
                self._place(path, effect)
            case Call() if not changes_world(effect):
                self._work(path, self._perform, path, self._performer.read, effect)
            case Call() | Withdraw() | Tell() | Govern():
                self._intend(path, effect, generation=0)

    def _release_held(self) -> None:
        if self._unknown or self._comparing:
            return
        held, self._held = self._held, []
        for path, effect in held:
            self._start(path, effect)

    async def _sleep(self, path: str, until: datetime) -> None:
        await self._setting.clock.sleep_until(until)
        self._feed(path, Done(self._now()))

    async def _perform(self, path: str, perform: Callable[[Any], Awaitable[Outcome]], effect: Effect) -> None:
        try:
            outcome = await perform(effect)
        except Overdue as overdue:
            self._parked_by(path, overdue)
            return
        self._feed(path, outcome)

    def _from_now(self, path: str, watch: Watch) -> Watch:
        """A comparison that parked the run, and whose mark a person has cleared, starts from what the hub shows now."""
        mark = self._marks.get(path)
        return watch if mark is None or self._gate.marked(*mark) else replace(watch, ready="always")

    def _parked_by(self, path: str, overdue: Overdue) -> None:
        """Legs that differ put a mark on the account: entries are refused there until `clear` (C21)."""
        if overdue.code == "legs_differ":
            mark = self._gate.mark(self._interpreter.waiting[path], path, overdue.summary, self._now())
            self._record("mark", mark)
            self._call_people(path, "legs differ", differing_page(self.run_id, mark))
        self.park(Parked(overdue.code, overdue.summary, path))

    def _drop_waits(self) -> None:
        """Reads, watches and waits end here; calls that change the world are awaited."""
        for path in [path for path in self._working if path not in self._sending]:
            task = self._working[path]
            if task is not asyncio.current_task():
                task.cancel()
                del self._working[path]
