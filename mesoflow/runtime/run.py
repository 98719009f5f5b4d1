"""One run: the loop between the interpreter and the world.

Theory of operation. Every input goes through `_feed`: it is written into this turn's commit, then the interpreter is fed,
then what it asks for is launched; outcome, next intent and verdict thus land in one commit. What changes the world leaves
only after that commit (`then`). Nothing here decides what a playbook means; the interpreter's state is a function of the
inputs that are written, in their order.

An unknown closes the gate: while one is open only reads and withdrawals are launched, everything else is held back, and
the unknowns are settled one at a time by reconcile.py. A run leaves in one of two ways: it ended, or it parked.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from mesoflow.engine.control import Ended, Machine, run_playbook
from mesoflow.engine.effects import (
    Call,
    Done,
    Effect,
    Note,
    Outcome,
    Place,
    Refused,
    Sleep,
    Tell,
    Value,
    Watch,
    Withdraw,
)
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.interpreter import EngineBug, Interpreter, Turn
from mesoflow.engine.paths import idempotency_key
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import CallRefused, HubError, NotSent, OutcomeUnknown
from mesoflow.journal.records import Entry, Kind, Record
from mesoflow.runtime.bodies import (
    Intent,
    effect_digest,
    effect_value,
    ended_value,
    read_intent,
    read_outcome,
    settled,
    trip,
)
from mesoflow.runtime.clearing import Clearing
from mesoflow.runtime.perform import Overdue, Performer, refusal, unavailable
from mesoflow.runtime.reconcile import Case, HubAway, Human, Renew, Resend, Settle, Verdict, settle_unknown
from mesoflow.runtime.send import deliver, send
from mesoflow.runtime.setting import Progress, Setting
from mesoflow.trading.clearance import Withdrawal
from mesoflow.trading.orders import Order

# A call may be resent twice (a hub that restarts while we ask); more is not a fault that asking again can mend.
SETTLINGS_MAX = 4

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Parked:
    """The run can be resumed. `code` is the reason (exits.py has its exit code), `path` where it stands."""

    code: str
    reason: str
    path: str = ""
    details: Mapping[str, Value] | None = None


class ReplayDiffers(Exception):
    """The journal and the program do not agree: the run stops with both shown. Never guess."""

    def __init__(self, path: str, journal: str, program: str) -> None:
        super().__init__(f"at {path}: the journal holds {journal}, the program asks for {program}")
        self.path = path


def changes_world(effect: Effect) -> bool:
    """What is intended before it leaves, and never abandoned by a cancel."""
    match effect:
        case Place() | Withdraw() | Tell():
            return True
        case Call(method=method):
            return METHODS[method].klass != "read"
        case _:
            return False


class Run:
    """One run of one program, from its first record to its end or its park."""

    def __init__(self, run_id: str, nonce: str, machine: Machine, setting: Setting, gate: Clearing) -> None:
        self.run_id = run_id
        self._nonce = nonce
        self._machine = machine
        self._setting = setting
        self._gate = gate
        self._interpreter = Interpreter(run_playbook(machine), changes_world=changes_world, tick=machine.tick)
        self._performer = Performer(setting)
        self._over: asyncio.Future[Ended | Parked] = asyncio.get_running_loop().create_future()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._intents: dict[str, Intent] = {}
        self._sending: set[str] = set()
        self._unknown: dict[str, Intent] = {}
        self._held: list[tuple[str, Effect]] = []
        self._from_before: set[str] = set()
        self._marks: dict[str, tuple[str, int | None]] = {}
        self._settlings: dict[str, int] = {}
        self._settler: asyncio.Task[None] | None = None
        self._cancelled = False
        self._closing = False
        self._leaving: Parked | None = None
        self._last: datetime | None = None
        self._cursor = 0
        self._inputs: deque[Callable[[], Turn]] = deque()
        self._feeding = False

    # --- from outside ----------------------------------------------------------------------------------------------

    async def go(self, history: Sequence[Record], started_at: datetime) -> Ended | Parked:
        """Run to the end. `history` is what the journal holds after the first record; empty for a new run."""
        self._setting.hub.listen(self._heard)
        if history:
            self._resume(self._replay(history, started_at))
        else:
            self._last = started_at
            self._take(lambda: self._interpreter.start(started_at))
        return await self._over

    def cancel(self, reason: str) -> None:
        """End the run: an input like any other; `always` runs."""
        at = self._now()
        self._cancelled = True
        self._record("input", {"cancel": reason, "at": at})
        self._take(lambda: self._interpreter.cancel(reason, at))

    def park(self, parked: Parked) -> None:
        """Leave, resumable: nothing new is launched; calls that are under way are awaited first."""
        if self._leaving is None and not self._over.done():
            self._leaving = parked
            self._leave_when_quiet()

    def fail(self, error: BaseException) -> None:
        """The process cannot go on (a commit failed, a bug): nothing is recorded any more."""
        self._drop_everything()
        if not self._over.done():
            self._over.set_exception(error)

    # --- inputs ----------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        """The run's clock; it never goes back, whatever the clock behind it does."""
        now = self._setting.clock.now()
        self._last = now if self._last is None or now >= self._last else self._last
        return self._last

    def _record(self, kind: Kind, body: Mapping[str, Value], then: Callable[[], None] | None = None) -> None:
        self._setting.committer.add([Entry(self.run_id, kind, body)], then)

    def _feed(self, path: str, outcome: Outcome) -> None:
        """An outcome becomes an input: written, then fed as it will be read."""
        if self._over.done():
            return
        effect = self._interpreter.waiting.get(path)
        if effect is None:
            return
        if isinstance(outcome, Refused) and outcome.retryable and not self._handled(path, outcome.code):
            self.park(Parked(outcome.code, outcome.summary, path, dict(outcome.details)))
            return
        at, outcome = self._now(), trip(outcome)
        if isinstance(effect, Place):
            self._gate.settled(path, effect.order, outcome, at)
        self._working.pop(path, None)
        intent = self._intents.pop(path, None)
        digest = effect_digest(effect) if intent is None else intent.digest
        self._record("settled", settled(path, outcome, digest, at, self._moved_cursor()))
        self._setting.progress(Progress("settled", path, effect, outcome))
        self._take(lambda: self._interpreter.settle(path, outcome, at))

    def _handled(self, path: str, code: str) -> bool:
        """`not_sent` is the action's own affair: it looks at the market again under a new key."""
        return code == "not_sent" or self._interpreter.would_handle(path, code)

    def _moved_cursor(self) -> int | None:
        cursor = self._setting.hub.cursor
        if cursor == self._cursor:
            return None
        self._cursor = cursor
        return cursor

    def _take(self, step: Callable[[], Turn]) -> None:
        """Feed the interpreter; inputs that arise while it is fed (a note) wait their turn, so nothing recurses."""
        self._inputs.append(step)
        if self._feeding:
            return
        self._feeding = True
        try:
            while self._inputs and not self._over.done():
                self._launch(self._inputs.popleft()())
        except Exception as error:
            self.fail(error)
        finally:
            self._feeding = False
        self._see_whether_over()

    def _see_whether_over(self) -> None:
        over = self._interpreter.over
        if over is None or self._closing:
            return
        self._closing = True
        if isinstance(over.error, Cancelled):
            ended = over.error.partial
        elif over.error is not None:
            self.fail(EngineBug(f"the playbook ended by {over.error!r}"))
            return
        else:
            ended = over.value
        assert isinstance(ended, Ended)
        self._record("ended", ended_value(ended, self._now()), lambda: self._finish(ended))

    def _finish(self, conclusion: Ended | Parked) -> None:
        self._drop_everything()
        self._setting.committer.release(self.run_id)
        if not self._over.done():
            self._over.set_result(conclusion)

    # --- launching -------------------------------------------------------------------------------------------------

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
        if self._unknown and changes_world(effect) and not isinstance(effect, Withdraw):
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
            case Call() | Withdraw() | Tell():
                self._intend(path, effect, generation=0)

    def _work(self, path: str, work: Callable[..., Awaitable[None]], *args: object) -> None:
        self._working[path] = asyncio.get_running_loop().create_task(self._guarded(work, *args))

    async def _guarded(self, work: Callable[..., Awaitable[None]], *args: object) -> None:
        """A bug in the runtime ends the run with its name, never with a silent task."""
        try:
            await work(*args)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.fail(error)

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
        self.park(Parked(overdue.code, overdue.summary, path))

    # --- what changes the world ------------------------------------------------------------------------------------

    def _place(self, path: str, effect: Place) -> None:
        refused = self._gate.judge(path, effect.order, self._now())
        if refused is not None:
            self._feed(path, refused)
            return
        self._intend(path, effect, generation=0)

    def _intend(self, path: str, effect: Effect, generation: int) -> None:
        intent = self._intent(path, effect, generation)
        verdict = order = None
        if isinstance(effect, Place):
            verdict, order = self._gate.intend(path, effect.order, intent.at)
        self._intents[path] = intent
        self._sending.add(path)
        body = intent.body(self._setting.hub.encoding, verdict=verdict, order=order)
        self._record("intended", body, lambda: self._work(path, self._leave, path, effect, intent))

    def _intent(self, path: str, effect: Effect, generation: int) -> Intent:
        key = idempotency_key(self._nonce, path, generation)
        match effect:
            case Call(method=method, args=args) | Withdraw(method=method, args=args):
                full = {**args, "idempotency_key": key} if METHODS[method].keyed else dict(args)
                request = self._setting.hub.encode(method, full)
            case Place(order=order):
                method = order.method
                request = self._setting.hub.encode(method, {**order.args, "idempotency_key": key})
            case _:
                method, request = "notify", b"{}"
        return Intent(path, method, request, key, generation, effect_digest(effect), self._now())

    async def _leave(self, path: str, effect: Effect, intent: Intent) -> None:
        """After the commit: send, and take the ending."""
        try:
            answer = await self._deliver(effect, intent)
        except NotSent as error:
            await self._not_sent(path, effect, intent, error)
            return
        except OutcomeUnknown as error:
            self._became_unknown(path, intent, str(error))
            return
        except CallRefused as refused:
            if METHODS[intent.method].keyed and not self._gate.proves_refusal(intent.method, refused.status):
                self._became_unknown(path, intent, str(refused))
                return
            self._sent(path, refusal(refused))
            return
        self._sent(path, Done(answer))

    async def _deliver(self, effect: Effect, intent: Intent) -> Value:
        match effect:
            case Place():
                return await send(self._setting, intent, self._gate.clear(intent.path))
            case Withdraw():
                return await send(self._setting, intent, Withdrawal(intent.method, intent.path))
            case Tell():
                answer = await self._setting.tell(effect)
                self._setting.crash.reach(f"answered:{intent.path}")
                return dict(answer)
            case _:
                return await deliver(self._setting.hub, self._setting, intent)

    def _sent(self, path: str, outcome: Outcome) -> None:
        self._sending.discard(path)
        self._unknown.pop(path, None)
        self._feed(path, outcome)
        self._leave_when_quiet()

    async def _not_sent(self, path: str, effect: Effect, intent: Intent, error: HubError) -> None:
        """Nothing left this process. An order goes back to its action, which looks at the market again; the rest waits
        for the hub and is repeated with the same bytes."""
        if isinstance(effect, Place):
            self._sent(path, Refused("not_sent", str(error), {}, retryable=True))
            return
        until = intent.at + self._setting.budget
        if self._setting.clock.now() >= until or self._leaving is not None:
            self._sending.discard(path)
            refused = unavailable(intent.method, error)
            self.park(Parked(refused.code, refused.summary, path, dict(refused.details)))
            self._leave_when_quiet()
            return
        await self._setting.clock.sleep_until(min(self._setting.clock.now() + _SECOND, until))
        await self._leave(path, effect, intent)

    # --- unknown outcomes ------------------------------------------------------------------------------------------

    def _became_unknown(self, path: str, intent: Intent, why: str) -> None:
        self._sending.discard(path)
        self._unknown[path] = intent
        self._setting.progress(Progress("note", path, None, None, f"outcome unknown: {why}"))
        self._settle_unknowns()

    def _settle_unknowns(self) -> None:
        if self._settler is None or self._settler.done():
            self._settler = asyncio.get_running_loop().create_task(self._guarded(self._settle_each))

    async def _settle_each(self) -> None:
        """One unknown at a time, in the order in which they were intended."""
        while self._unknown and self._leaving is None:
            path, intent = next(iter(self._unknown.items()))
            effect = self._interpreter.waiting[path]
            case = Case(effect, intent, self._setting, self._performer, path in self._from_before)
            try:
                verdict = await self._verdict(case, path)
            except HubAway as away:
                self.park(Parked("hub_unavailable", f"what became of {path} cannot be asked: {away}", path))
                return
            self._record("engine", {"path": f"engine/reconcile/{path}", **_said(verdict), "at": self._now()})
            if not await self._act_on(path, effect, intent, verdict, case):
                return
        self._release_held()

    async def _verdict(self, case: Case, path: str) -> Verdict:
        """The table's verdict; a call that stays unknown however often it is settled is a person's affair."""
        self._settlings[path] = self._settlings.get(path, 0) + 1
        if self._settlings[path] > SETTLINGS_MAX:
            return Human(f"still unknown after {SETTLINGS_MAX} look-ups", {"method": case.intent.method})
        return await settle_unknown(case)

    async def _act_on(self, path: str, effect: Effect, intent: Intent, verdict: Verdict, case: Case) -> bool:
        match verdict:
            case Settle(outcome=outcome):
                self._sent(path, outcome)
            case Resend():
                return await self._resend(path, effect, intent, case)
            case Renew():
                self._unknown.pop(path)
                self._intend(path, effect, intent.generation + 1)
            case Human(reason=reason, said=said):
                self.park(
                    Parked(
                        "outcome_unknown", f"what became of {path} ({intent.method}): {reason}", path, said
                    )
                )
                return False
        return True

    async def _resend(self, path: str, effect: Effect, intent: Intent, case: Case) -> bool:
        """A resend is a start: not in a cancelled scope, and not against today's rails."""
        if isinstance(effect, Place):
            reason = "the run was cancelled" if self._cancelled else await self._forbidden(path, effect.order)
            if reason and case.died_with_runner:
                self._sent(path, Refused("not_sent", f"it had not left when the runner died; now {reason}"))
                return True
            if reason:
                said = {"method": intent.method, "sent_at": intent.at}
                self.park(
                    Parked("outcome_unknown", f"what became of {path}: no record, and {reason}", path, said)
                )
                return False
        self._unknown.pop(path)
        self._sending.add(path)
        await self._leave(path, effect, intent)
        return True

    async def _forbidden(self, path: str, order: Order) -> str:
        """Why today's rails, on today's quotes, refuse that it is sent again, or ""."""
        try:
            current = await self._refreshed(order)
        except (HubError, StepError) as error:
            return f"the market cannot be read: {error}"
        return self._gate.forbids(path, current, self._now())

    async def _refreshed(self, order: Order) -> Order:
        if self._setting.refresh is None:
            return order
        ctx = replace(self._machine.context)
        refreshed: Order = await self._performer.act(ctx, self._setting.refresh(ctx, order))
        return refreshed

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for path, effect in held:
            self._start(path, effect)

    # --- resuming --------------------------------------------------------------------------------------------------

    def _replay(self, history: Sequence[Record], started_at: datetime) -> list[tuple[str, Effect]]:
        """Feed the journal's inputs in their order; returns what is waited for at its end."""
        asked: dict[str, Effect] = {}
        self._last = started_at
        _apply(asked, self._interpreter.start(started_at))
        for record in history:
            body = record.body
            if record.kind == "intended":
                self._replay_intent(asked, body)
            elif record.kind == "settled":
                path = body["path"]
                effect = asked.pop(path, None)
                _same(path, body["digest"], effect)
                self._intents.pop(path, None)
                self._last, self._cursor = body["at"], body.get("cursor", self._cursor)
                if isinstance(effect, Place):
                    self._gate.settled(path, effect.order, read_outcome(body), body["at"])
                _apply(asked, self._interpreter.settle(path, read_outcome(body), body["at"]))
            elif record.kind == "mark":
                self._marks[body["path"]] = (body["account"], body["position_id"])
            elif record.kind == "input":
                self._last, self._cancelled = body["at"], True
                _apply(asked, self._interpreter.cancel(body["cancel"], body["at"]))
        return list(asked.items())

    def _replay_intent(self, asked: Mapping[str, Effect], body: Mapping[str, Value]) -> None:
        path = body["path"]
        effect = asked.get(path)
        _same(path, body["digest"], effect)
        self._intents[path] = read_intent(body)
        if isinstance(effect, Place):
            self._gate.replayed(path, effect.order, body["at"])

    def _resume(self, asked: list[tuple[str, Effect]]) -> None:
        """Unknown intents first; everything else that is waited for is asked for again."""
        self._unknown = {path: self._intents[path] for path, _ in asked if path in self._intents}
        for path, effect in asked:
            if path not in self._unknown:
                self._start(path, effect)
        if self._unknown:
            self._from_before = set(self._unknown)
            self._settle_unknowns()
        self._see_whether_over()

    # --- leaving ---------------------------------------------------------------------------------------------------

    def sending_path(self, method: str, key: str | None) -> str | None:
        """The path of the call under way with this key, or the only one of this method (for crash points)."""
        for path in self._sending:
            intent = self._intents[path]
            if intent.method == method and key in (None, intent.key):
                return path
        return None

    def _heard(self, callback: str, event: Mapping[str, Any]) -> None:
        self._performer.wake()

    def _leave_when_quiet(self) -> None:
        """Park once no call that changes the world is under way; one that stays unanswered stays unknown."""
        if self._leaving is None or self._sending or self._over.done():
            return
        parked, at = self._leaving, self._now()
        body = {"code": parked.code, "reason": parked.reason, "path": parked.path, "at": at}
        if parked.details:
            body["details"] = dict(parked.details)
        self._record("parked", body, lambda: self._finish(parked))

    def _drop_everything(self) -> None:
        for work in self._working.values():
            work.cancel()
        self._working.clear()
        if self._settler is not None and self._settler is not asyncio.current_task():
            self._settler.cancel()


def _apply(asked: dict[str, Effect], turn: Turn) -> None:
    for path in turn.abandon:
        asked.pop(path, None)
    asked.update(turn.perform)


def _same(path: str, digest: str, effect: Effect | None) -> None:
    """A path, kind or request that differs on replay stops the run (ARCHITECTURE.md §4)."""
    if effect is None:
        raise ReplayDiffers(path, f"an effect {digest}", "nothing there")
    if effect_digest(effect) != digest:
        raise ReplayDiffers(path, f"an effect {digest}", f"{effect_digest(effect)}: {effect_value(effect)}")


def _said(verdict: Verdict) -> dict[str, Value]:
    return {"verdict": type(verdict).__name__.lower(), "said": dict(verdict.said)}
