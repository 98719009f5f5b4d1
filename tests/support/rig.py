"""A run against the hub in memory, killed and resumed as often as a test likes.

`Rig` holds what survives a crash: the journal, the hub's world, and the time. `life()` is one process: it starts or
resumes the run and ends with the run's conclusion, or with "crashed" at the named point. The clock is virtual and passes
only while nothing is ready; between two lives it stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mesoflow.engine.action import Context
from mesoflow.engine.control import Machine
from mesoflow.engine.effects import Call, Govern, Tell
from mesoflow.engine.paths import is_engine
from mesoflow.engine.program import Program
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import Entry
from mesoflow.runtime.bodies import read_intent
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.run import Run
from mesoflow.runtime.setting import HubFacts, Setting
from mesoflow.trading.orders import Order
from tests.support.gates import practice_gate
from tests.support.memory_hub import MemoryHub, MemoryWorld
from tests.support.toys import INPUTS, T0, TOYS, WHOLE

RUN = "toys-2025-01-16"
NONCE = "0f" * 16


class Crashed(SystemExit):
    """The process died here. A SystemExit, because asyncio lets nothing else through a callback."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """No I/O: time jumps to the next timer whenever nothing is ready."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self.virtual = 0.0
        self._selector.select = self._jump  # type: ignore[method-assign]
        # A crash leaves tasks with an exception behind; a dead process would not log them either.
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        return self.virtual

    def _jump(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the test hangs: nothing is ready and no timer is set")
        self.virtual += max(timeout, 0)
        return []


class Points(CrashPoints):
    """Crash points in process: lists what it reaches, dies by an exception."""

    def __init__(self, at: str | None) -> None:
        super().__init__(at, die=self._crash)
        self.active = True
        self.reached: list[str] = []

    def reach(self, name: str, state: str = "") -> None:
        self.reached.append(name)
        super().reach(name, state)

    def _crash(self) -> None:
        raise Crashed


@dataclass
class RigClock:
    base: datetime
    loop: asyncio.AbstractEventLoop

    def now(self) -> datetime:
        return self.base + timedelta(seconds=round(self.loop.time(), 6))

    async def sleep_until(self, when: datetime) -> None:
        delay = (when - self.now()).total_seconds()
        if delay > 0:
            await asyncio.sleep(delay)

    def call_at(self, when: datetime, fn: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(max((when - self.now()).total_seconds(), 0), fn)


@dataclass
class Life:
    """How one process ended, and the crash points it came by."""

    conclusion: Any
    points: list[str]


@dataclass
class Rig:
    program: Program = WHOLE
    inputs: Mapping[str, Any] = field(default_factory=lambda: INPUTS)
    journal: Any = field(default_factory=MemoryJournal)
    facts: HubFacts = field(default_factory=lambda: HubFacts(died_with_runner=True, simulator=True))
    time: datetime = T0
    told: list[str] = field(default_factory=list)
    witnessed: list[str] = field(default_factory=list)
    budget: timedelta = timedelta(minutes=2)
    lived: list[timedelta] = field(default_factory=list)
    gate: Callable[[str], Any] = practice_gate
    actions: Mapping[str, Any] = field(default_factory=lambda: TOYS)
    halted: bool = False
    expected_legs: Any = None
    recheck: Any = None

    def __post_init__(self) -> None:
        self._clock: RigClock | None = None
        self.world = MemoryWorld(now=lambda: self._clock.now() if self._clock else self.time)
        self.world.on_trading_call = self._witness

    # --- one life --------------------------------------------------------------------------------------------------

    def life(
        self,
        crash_at: str | None = None,
        *,
        cancel_after: float | None = None,
        park_after: float | None = None,
        halt_after: float | None = None,
        interrupt_after: float | None = None,
        only_withdraw: bool = False,
        tweak: Callable[[Run], None] = lambda run: None,
    ) -> Life:
        loop = VirtualLoop()
        points = Points(crash_at)
        born = self.time
        self._clock = RigClock(born, loop)
        try:
            after = {
                "cancel": cancel_after,
                "park": park_after,
                "halt": halt_after,
                "interrupt": interrupt_after,
            }
            conclusion = loop.run_until_complete(self._live(points, after, tweak, only_withdraw))
        except Crashed:
            conclusion = "crashed"
        finally:
            self.time = self._clock.now()
            self.lived.append(self.time - born)
            self._clock = None
            self.world.listeners.clear()
            _bury(loop)
        return Life(conclusion, points.reached)

    async def _live(
        self, points: Points, after: Mapping[str, float | None], tweak: Any, only_withdraw: bool
    ) -> Any:
        from mesoflow.runtime.run import Parked

        history = list(self.journal.read(RUN))
        started = history[0].body["at"] if history else self.time
        epoch = self.journal.claim(RUN)
        failures: list[BaseException] = []
        committer = Committer(self.journal, points, failures.append)
        setting = Setting(
            hub=MemoryHub(self.world, _cursor(history)), clock=self._clock, committer=committer, crash=points, tell=self._tell, facts=self.facts,
            budget=self.budget,
            refresh=self._refresh,
            halted=lambda: self.halted,
            govern=self._govern,
            expected_legs=self.expected_legs,
            recheck=self.recheck,
        )  # fmt: skip
        context = Context(
            run_id=RUN, playbook="toys", session="cboe-index-options", now=started, account="PAPER-1"
        )
        machine = Machine(self.program, self.actions, context, self.inputs)
        run = Run(RUN, NONCE, machine, setting, self.gate(RUN))
        self.run = run
        self.world.on_executed = lambda method, key: _executed(points, run, method, key)
        tweak(run)
        committer.hold(RUN, epoch)
        if not history:
            committer.add([Entry(RUN, "started", {"at": started})])
            committer.flush()
        loop = asyncio.get_running_loop()
        parked = Parked("interrupted", "by hand")
        actions = {
            "cancel": lambda: run.cancel("operator"),
            "park": lambda: run.park(parked),
            "halt": lambda: self._halt(run),
            "interrupt": lambda: run.interrupt(parked, {"entry", "adjustment"}),
        }
        for name, seconds in after.items():
            if seconds is not None:
                loop.call_later(seconds, actions[name])
        result = await run.go(history[1:], started, only_withdraw=only_withdraw)
        committer.flush()
        if failures:
            raise failures[0]
        return result

    def _refresh(self, ctx: Context, order: Order) -> Any:
        """The market is as it was, and looked at now."""
        yield Call("account", "GetAccount", {"broker_account_id": "PAPER-1"})
        return replace(order, facts=replace(order.facts, as_of=ctx.now))

    def _halt(self, run: Run) -> None:
        self.halted = True
        run.halt()

    async def _govern(self, effect: Govern) -> dict[str, Any]:
        self.halted = effect.state == "halted"
        return {"state": effect.state}

    async def _tell(self, tell: Tell) -> dict[str, Any]:
        self.told.append(tell.title)
        return {"delivered": list(tell.to), "failed": []}

    # --- what must hold ----------------------------------------------------------------------------------------------

    def _witness(self, method: str, request: bytes, key: str) -> None:
        """At each trading call a durable intent with these bytes and a passed verdict is there (I2, I4, I10)."""
        for record in self.journal.read(RUN):
            if record.kind == "intended" and record.body["key"] == key:
                intent = read_intent(record.body)
                assert intent.request == request, "the bytes sent are not those of the intent"
                assert record.body["verdict"]["passed"] is True, "sent without a passed verdict"
                self.witnessed.append(intent.path)
                return
        raise AssertionError(f"{method} with key {key} has no durable intent")

    def paths(self) -> list[str]:
        """The inputs' paths in the journal, sorted: what a resumed run must share with the uncut one."""
        settled = (r.body["path"] for r in self.journal.read(RUN) if r.kind == "settled")
        return sorted(path for path in settled if not is_engine(path))

    def executed_twice(self) -> list[tuple[str, str]]:
        """Calls that the hub executed more than once under one key (I4), or one method's key reused."""
        seen: set[tuple[str, str]] = set()
        twice = []
        for call in self.world.executed:
            if call in seen:
                twice.append(call)
            seen.add(call)
        return twice


def _executed(points: Points, run: Run, method: str, key: str | None) -> None:
    path = run.sending_path(method, key)
    if path is not None:
        points.reach(f"sent:{path}")


def _cursor(records: Any) -> int:
    return max((record.body["cursor"] for record in records if "cursor" in record.body), default=0)


def _bury(loop: VirtualLoop) -> None:
    """The process is gone: nothing of it runs any more."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        with suppress(RuntimeError):
            task.get_coro().close()
    loop._ready.clear()  # type: ignore[attr-defined]
    loop._scheduled.clear()  # type: ignore[attr-defined]
    loop.close()
