"""One run, conducted: what run, resume and cancel have in common once it is clear which run, on which ground.

Everything that the runtime wants from outside is put together here: journal, gate, clock, people, crash points, witness,
signals, inbox, view. Nothing here decides what a playbook means.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from mesoflow.actions.refresh import refreshed
from mesoflow.cli.exits import Exit
from mesoflow.cli.ground import Ground, hub_of
from mesoflow.engine.control import Ended, Machine
from mesoflow.engine.semantics import SEMANTICS
from mesoflow.expressions.names import StepView
from mesoflow.hubs.contract import Klass
from mesoflow.hubs.hub import Hub
from mesoflow.journal.records import Entry, Kind, Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.rehearsal.witness import Witness
from mesoflow.review.replay import WatchedScope
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.gate import Gate, home_ledger
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.idle_loop import IdleLoop
from mesoflow.runtime.inbox import CANCEL, LOOK_EVERY_S, Inbox, cancel_reason
from mesoflow.runtime.machine import machine_of
from mesoflow.runtime.programs import program_digest, read_program
from mesoflow.runtime.run import Parked, Run
from mesoflow.runtime.send import RUN_CLASSES
from mesoflow.runtime.setting import Progress, Setting
from mesoflow.runtime.tell import Target, Teller
from mesoflow.safety.environment import Environment
from mesoflow.safety.limits import Limits

# A person looks at the time that is left; more often than this nobody sees.
TICK_EVERY_S = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class View(Protocol):
    """What a person sees of a run while it goes on."""

    muted: bool

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def say(self, text: str) -> None: ...
    def tick(self) -> None: ...
    def step(self, name: str, view: StepView, at: datetime) -> None: ...
    def progress(self, progress: Progress) -> None: ...


class Quiet:
    """Shows nothing: JSON is printed at the end."""

    muted = False

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def tick(self) -> None: ...
    def say(self, text: str) -> None:
        """Notices go where they do not disturb the JSON."""
        print(text, file=sys.stderr)

    def step(self, name: str, view: StepView, at: datetime) -> None: ...
    def progress(self, progress: Progress) -> None: ...


@dataclass(slots=True)
class Conduct:
    """What one run is conducted with. `started` is its first record's body; `new` when it is still to be written.

    `cancel`: a cancel that this process was started for; those that other processes asked for meanwhile come with it.
    """

    home: StateHome
    journal: SqliteJournal
    ground: Ground
    targets: Mapping[str, Target]
    started: Mapping[str, Any]
    epoch: int
    new: bool
    view_of: Callable[[Machine, Callable[[], datetime]], View]
    cancel: str | None = None
    _run: Run | None = None
    _failures: list[BaseException] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        """The run's."""
        return str(self.started["run_id"])

    async def go(self) -> Ended | Parked:
        """Run to its end or its park. Raises what ends the process: refusals, journal errors, bugs."""
        crash = CrashPoints.from_environment()
        committer = Committer(self.journal, crash, self._commit_failed)
        committer.hold(self.run_id, self.epoch)
        before = [] if self.new else list(self.journal.read(self.run_id))
        async with hub_of(self.ground, cast("frozenset[Klass]", RUN_CLASSES), _cursor(before)) as hub:
            taken = self._first_words(committer, before)
            history = [] if self.new else list(self.journal.read(self.run_id, after=1))
            machine = machine_of(self.started)
            view = self.view_of(machine, self.ground.clock.now)
            view.muted = bool(history)
            run = self._run = Run(
                self.run_id,
                str(self.started["nonce"]),
                machine,
                self._setting(hub, committer, crash, view),
                self._gate(),
            )
            machine.steps = WatchedScope(lambda step, ended: view.step(step, ended, machine.context.now))
            hook(self.ground, run, crash, self.home)
            inbox = Inbox(self.journal, self.run_id, run.cancel, taken)
            view.start()
            try:
                with interrupts(run, view), every(LOOK_EVERY_S, inbox.look), every(TICK_EVERY_S, view.tick):
                    conclusion = await run.go(history, self.started["at"])
            finally:
                view.stop()
            committer.flush()
            if self._failures:
                raise self._failures[0]
            inbox.look()
            inbox.over(*standing(conclusion))
            return conclusion

    def _first_words(self, committer: Committer, before: Sequence[Record]) -> list[int]:
        """A new run's first record; or the cancels that are asked for already, as inputs, before anything else happens."""
        if self.new:
            self._write(committer, "started", self.started)
            return []
        requests = [request for request in self.journal.open_requests(self.run_id) if request.kind == CANCEL]
        reasons = [cancel_reason(request) for request in requests] + (
            [self.cancel] if self.cancel is not None else []
        )
        if reasons:
            at = max(self.ground.clock.now(), last_at(before))
            self._write(committer, "input", {"cancel": reasons[0], "at": at})
        return [request.id for request in requests]

    def _write(self, committer: Committer, kind: Kind, body: Mapping[str, Any]) -> None:
        """One record, now; without it nothing may go on."""
        committer.add([Entry(self.run_id, kind, body)])
        committer.flush()
        if self._failures:
            raise self._failures[0]

    def _setting(self, hub: Hub, committer: Committer, crash: CrashPoints, view: View) -> Setting:
        teller = Teller(self.run_id, self.targets, self.home.path, view.say)
        return Setting(
            hub=hub,
            clock=self.ground.clock,
            committer=committer,
            crash=crash,
            tell=teller.tell,
            facts=self.ground.facts,
            refresh=refreshed,
            progress=lambda progress: _shown(view, progress),
        )

    def _gate(self) -> Gate:
        """The rails, with what the home knows of accounts that a person must look at first."""
        environment = Environment(
            self.run_id,
            simulator=self.ground.facts.simulator,
            durable=True,
            semantics=SEMANTICS,
            pinned_semantics=self.started["semantics"],
            program=program_digest(read_program(self.started["program"])),
            pinned_program=self.started["digest"],
        )
        ledger = home_ledger(self.journal.home(kinds=("mark", "cleared")))
        risk = self.started["risk"]
        # A playbook without `risk` cannot trade; its gate would refuse every order.
        limits = Limits.parse(risk) if risk else Limits(accounts=())
        return Gate(self.run_id, limits, ledger, environment)

    def _commit_failed(self, error: BaseException) -> None:
        self._failures.append(error)
        if self._run is not None:
            self._run.fail(error)


def standing(conclusion: Ended | Parked) -> tuple[str, str]:
    """A conclusion as the state of a run and the reason of its park."""
    return ("parked", conclusion.code) if isinstance(conclusion, Parked) else (conclusion.state, "")


def last_at(records: Sequence[Record]) -> datetime:
    """The last time that a run's records know of."""
    times: list[datetime] = [record.body["at"] for record in records if "at" in record.body]
    return max(times)


def _cursor(records: Sequence[Record]) -> int | None:
    """The newest event that was heard; None for a run that has heard none."""
    return max((record.body["cursor"] for record in records if "cursor" in record.body), default=None)


def _shown(view: View, progress: Progress) -> None:
    """What the journal told again is over as soon as something new happens."""
    view.muted = False
    view.progress(progress)


def hook(ground: Ground, run: Run, crash: CrashPoints, home: StateHome) -> None:
    """On an embedded simulator: the witness looks at each trading call, and a sent call is a crash point once executed."""
    if ground.hooks is None:
        return
    witness = os.environ.get("MESOFLOW_WITNESS")
    if witness:
        ground.hooks.on_trading_call = Witness(home.journal_path, Path(witness)).look

    def executed(method: str, args: Mapping[str, Any], key: str | None) -> None:
        path = run.sending_path(method, key)
        if path is not None:
            crash.reach(f"sent:{path}")

    ground.hooks.on_executed = executed


# --- signals and timers ------------------------------------------------------------------------------------------------


@contextmanager
def interrupts(run: Run, view: View) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP park; a second Ctrl-C leaves at once and says so."""
    loop = asyncio.get_running_loop()
    asked = False

    def heard(number: signal.Signals) -> None:
        nonlocal asked
        if asked and number == signal.SIGINT:
            print(
                "left at once; what was sent and not answered is settled by `mesoflow resume`",
                file=sys.stderr,
                flush=True,
            )
            os._exit(Exit.INTERRUPTED)
        run.park(Parked("interrupted", f"by {number.name}"))
        if not asked:
            view.say(
                f"{number.name}: the run parks once calls under way are answered; Ctrl-C again leaves at once"
            )
        asked = True

    for number in SIGNALS:
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def every(seconds: float, fn: Callable[[], None]) -> Iterator[None]:
    """Call `fn` every so many real seconds, on whatever loop this is."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, IdleLoop):
        real = loop.every_real(seconds, fn)
        try:
            yield
        finally:
            real.cancel()
        return
    task = loop.create_task(_repeated(seconds, fn))
    try:
        yield
    finally:
        task.cancel()


async def _repeated(seconds: float, fn: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        fn()
