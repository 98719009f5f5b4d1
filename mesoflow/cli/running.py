"""One run, conducted: what run, resume and cancel have in common once it is clear which run, on which ground.

Everything that the runtime wants from outside is put together here: journal, gate, clock, people, crash points, witness,
signals, inbox, view. Nothing here decides what a playbook means.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mesoflow.actions.preflight import preflight
from mesoflow.actions.refresh import refreshed
from mesoflow.cli.ground import Ground, hub_of
from mesoflow.cli.in_force import InForce
from mesoflow.cli.interrupts import interrupts
from mesoflow.cli.keeper import Keeper
from mesoflow.cli.reading import all_standings
from mesoflow.cli.realtime import every
from mesoflow.engine.control import Ended, Machine
from mesoflow.engine.effects import Govern
from mesoflow.expressions.names import StepView
from mesoflow.hubs.hub import Hub
from mesoflow.journal.records import Entry, Kind, Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.rehearsal.staging import run_begins
from mesoflow.rehearsal.witness import WITNESS, Witness
from mesoflow.review.replay import WatchedScope
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.gate import Gate
from mesoflow.runtime.halting import govern
from mesoflow.runtime.holdings import at_same_hub, fold_since
from mesoflow.runtime.home import RunHeld, StateHome
from mesoflow.runtime.inbox import CANCEL, LOOK_EVERY_S, Inbox, cancel_reason
from mesoflow.runtime.legs import expected_of
from mesoflow.runtime.machine import machine_of
from mesoflow.runtime.run import Parked, Run
from mesoflow.runtime.send import RUN_CLASSES
from mesoflow.runtime.setting import Expected, Progress, Setting
from mesoflow.runtime.standing import Standing, standings
from mesoflow.runtime.tell import Target, Teller
from mesoflow.runtime.working import working
from mesoflow.safety.policy import DEFAULT

# A person looks at the time that is left; more often than this nobody sees.
TICK_EVERY_S = 0.5


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
    `only_withdraw`: for a kill, the run does not go on; `guest`: in the process of another run, which hears the signals.
    `under`: the policy in force; `allow_live`: this process was told so.
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
    only_withdraw: bool = False
    guest: bool = False
    under: InForce = field(default_factory=lambda: InForce(DEFAULT))
    allow_live: bool = False
    _run: Run | None = None
    _failures: list[BaseException] = field(default_factory=list)
    _others: asyncio.Task[None] | None = None
    _keeper: Keeper | None = None
    _witness: Witness | None = None

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
        sent = self._sent_to(crash)
        async with hub_of(self.ground, RUN_CLASSES, _cursor(before), sent) as hub:
            taken = self._first_words(committer, before)
            history = (
                [] if self.new else [*before[1:], *self.journal.read(self.run_id, after=before[-1].run_seq)]
            )
            machine = machine_of(self.started)
            view = self.view_of(machine, self.ground.clock.now)
            view.muted = bool(history)
            self._witness = witness_of(self.ground, self.home)
            run = self._run = Run(
                self.run_id,
                str(self.started["nonce"]),
                machine,
                self._setting(hub, committer, crash, view),
                self._gate(committer, view),
            )
            machine.steps = WatchedScope(lambda step, ended: view.step(step, ended, machine.context.now))
            inbox = Inbox(self.journal, self.run_id, run.cancel, lambda: run.halt(by_a_person=True), taken)
            with ExitStack() as around:
                if not self.guest:
                    hook(self.ground, run, crash, self._witness)
                    around.enter_context(interrupts(run, view.say, self.under.policy.withdrawn_on_park))
                if not self.only_withdraw:
                    around.enter_context(every(LOOK_EVERY_S, lambda: self._look(run, inbox)))
                view.start()
                around.callback(view.stop)
                around.enter_context(every(TICK_EVERY_S, view.tick))
                run_begins(run)
                conclusion = await run.go(history, self.started["at"], only_withdraw=self.only_withdraw)
            committer.flush()
            if self._failures:
                raise self._failures[0]
            inbox.over(*standing(conclusion))
            if self._others is not None:
                await self._others
            return conclusion

    def _sent_to(self, crash: CrashPoints) -> Callable[[str], None] | None:
        """At a hub elsewhere a sent call is a crash point once its last byte is written; at an embedded one it is once it is
        executed, which only the simulator knows (`hook`)."""
        if self.ground.hooks is not None or not crash.active:
            return None

        def sent(method: str) -> None:
            path = self._run.sending_path(method, None) if self._run is not None else None
            if path is not None:
                crash.reach(f"sent:{path}")

        return sent

    def _look(self, run: Run, inbox: Inbox) -> None:
        """Every 50 ms of real time: what other processes ask for, and HALT."""
        # In this order: who says REDUCING has asked to park before it, and parks.
        self._hear()
        inbox.look()
        if self.home.is_halted():
            run.halt()
            if self.ground.embedded and self._others is None:
                self._others = asyncio.get_running_loop().create_task(self._withdraw_others())

    async def _withdraw_others(self) -> None:
        """Who holds an embedded world answers for every run in it: nobody else can reach the orders of its dead runs."""
        for there in dead_at_work(self.home, self.journal, self.started["hub"]):
            if there.run_id == self.run_id:
                continue
            # Whoever holds it by now is its runner, and sees HALT too.
            with suppress(RunHeld):
                await withdrawn(self.home, self.journal, self.ground, self.targets, there, guest=True)

    def _first_words(self, committer: Committer, before: Sequence[Record]) -> list[int]:
        """A new run's first record; or the cancels that are asked for already, as inputs, before anything else happens."""
        if self.new:
            self._write(committer, "started", self.started)
            return []
        if self.only_withdraw:
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
            recheck=preflight,
            halted=self.home.is_halted,
            leaves=self._witness.leaves if self._witness is not None else None,
            govern=self._govern,
            expected_legs=self._expected_legs,
            page=self.under.policy.page,
            progress=lambda progress: _shown(view, progress),
        )

    async def _govern(self, effect: Govern) -> Mapping[str, Any]:
        governed = govern(self.home, self.journal, self.run_id, effect, self.ground.clock.now())
        self._hear()
        return governed

    def _hear(self) -> None:
        """What people and other runs have said meanwhile: marks, clears, trading states, the policy."""
        if self._keeper is not None:
            self._keeper.hear()

    def _expected_legs(self, plans: Collection[int]) -> Expected:
        """By the first record of this run, and by what the home has traded since."""
        runs = standings(self.journal, lambda _: False)
        here = [run for run in runs if at_same_hub(run.started, self.started["hub"])]
        mine = next(run for run in here if run.run_id == self.run_id)
        return expected_of(fold_since(self.journal, here, mine), plans, self.ground.clock.now())

    def _gate(self, committer: Committer, view: View) -> Gate:
        """The rails, with what the home's journal and its policy say."""
        keeper = self._keeper = Keeper.of(
            self.home,
            self.journal,
            self.started,
            self.under,
            simulator=self.ground.facts.simulator,
            allow_live=self.allow_live,
            now=self.ground.clock.now(),
            new=self.new,
            say=view.say,
        )
        for account, version in keeper.versions.items():
            committer.judged_from(self.run_id, account, version)
        return keeper.gate

    def _commit_failed(self, error: BaseException) -> None:
        self._failures.append(error)
        if self._run is not None:
            self._run.fail(error)


def dead_at_work(
    home: StateHome, journal: SqliteJournal, where: Mapping[str, Any] | None = None
) -> list[Standing]:
    """Runs that nobody runs and that may have an order alive; at one hub only, if `where` names it."""
    return [
        there
        for there in all_standings(home, journal)
        if there.state == "parked"
        and (where is None or at_same_hub(there.started, where))
        and working(journal.read(there.run_id)).at_work
    ]


async def withdrawn(
    home: StateHome,
    journal: SqliteJournal,
    ground: Ground,
    targets: Mapping[str, Target],
    there: Standing,
    *,
    guest: bool = False,
) -> Ended | Parked:
    """Become the runner of a dead run for as long as its orders are withdrawn. Raises RunHeld."""
    with home.run_lock(there.run_id):
        journal.check(there.run_id)
        conduct = Conduct(
            home=home,
            journal=journal,
            ground=ground,
            targets=targets,
            started=there.started,
            epoch=journal.claim(there.run_id),
            new=False,
            view_of=lambda machine, now: Quiet(),
            only_withdraw=True,
            guest=guest,
        )
        return await conduct.go()


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


def witness_of(ground: Ground, home: StateHome) -> Witness | None:
    """On an embedded simulator, where the environment asks for one."""
    lines = os.environ.get(WITNESS)
    return Witness(home.journal_path, Path(lines)) if lines and ground.hooks is not None else None


def hook(ground: Ground, run: Run, crash: CrashPoints, witness: Witness | None) -> None:
    """On an embedded simulator: the witness looks at each trading call, and a sent call is a crash point once executed."""
    if ground.hooks is None:
        return
    if witness is not None:
        ground.hooks.on_trading_call = witness.look

    def executed(method: str, args: Mapping[str, Any], key: str | None) -> None:
        path = run.sending_path(method, key)
        if path is not None:
            crash.reach(f"sent:{path}")

    ground.hooks.on_executed = executed
