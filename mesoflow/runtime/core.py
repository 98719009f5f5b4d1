"""What the parts of a run share: its inputs in their order, the interpreter that is fed them, and how it ends.

Theory of operation. Every input goes through `_feed` (or `_take_in`, for what no effect waited for): it is written into
this turn's commit, then the interpreter is fed, then what it asks for is launched; outcome, next intent and verdict thus
land in one commit. What changes the world leaves only after that commit (`then`).

A run is built in layers, each in its file, each knowing only those before it; what a layer needs of a later one is a hook
declared here:  core · calls (what changes the world) · unknowns · launching · leaving · resuming · run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesoflow.engine.control import Ended, Machine, run_playbook
from mesoflow.engine.effects import (
    Call,
    Done,
    Effect,
    Govern,
    Outcome,
    Place,
    Refused,
    Tell,
    Value,
    Watch,
    Withdraw,
)
from mesoflow.engine.errors import Cancelled
from mesoflow.engine.interpreter import EngineBug, Interpreter, Turn
from mesoflow.hubs.contract import METHODS
from mesoflow.journal.records import Entry, Kind
from mesoflow.runtime.bodies import Intent, effect_digest, ended_value, settled, trip
from mesoflow.runtime.clearing import Clearing
from mesoflow.runtime.clock import ClockError, ClockWentBack
from mesoflow.runtime.commits import Guard
from mesoflow.runtime.pages import late_fill_page
from mesoflow.runtime.perform import Performer
from mesoflow.runtime.setting import Progress, Setting
from mesoflow.runtime.views import OrderView, Views

GET_ORDER = "GetOrder"


@dataclass(frozen=True, slots=True)
class Parked:
    """The run can be resumed. `code` is the reason (exits.py has its exit code), `path` where it stands."""

    code: str
    reason: str
    path: str = ""
    details: Mapping[str, Value] | None = None


def changes_world(effect: Effect) -> bool:
    """What is intended before it leaves, and never abandoned by a cancel."""
    match effect:
        case Place() | Withdraw() | Tell() | Govern():
            return True
        case Call(method=method):
            return METHODS[method].klass != "read"
        case _:
            return False


class Core:
    """The state of one run, and its inputs."""

    def __init__(self, run_id: str, nonce: str, machine: Machine, setting: Setting, gate: Clearing) -> None:
        self.run_id = run_id
        self._nonce = nonce
        self._machine = machine
        self._setting = setting
        self._gate = gate
        self._interpreter = Interpreter(run_playbook(machine), changes_world=changes_world, tick=machine.tick)
        self._views = Views(self._late_fill)
        self._performer = Performer(setting, self._views)
        self._over: asyncio.Future[Ended | Parked] = asyncio.get_running_loop().create_future()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._intents: dict[str, Intent] = {}
        self._sending: set[str] = set()
        self._unknown: dict[str, Intent] = {}
        self._cancelled = False
        self._halts_itself = False
        self._closing = False
        self._clockless = False
        self._leaving: Parked | None = None
        self._replaying = False
        self._last: datetime | None = None
        self._cursor = 0
        self._inputs: deque[Callable[[], Turn]] = deque()
        self._feeding = False
        # People who are being told why the run parks; it waits for that.
        self._paging: set[asyncio.Task[None]] = set()

    # --- hooks: what later layers do ---------------------------------------------------------------------------------

    def _launch(self, turn: Turn) -> None:
        raise NotImplementedError

    def _settle_unknowns(self) -> None:
        raise NotImplementedError

    def _leave_when_quiet(self) -> None:
        raise NotImplementedError

    def park(self, parked: Parked) -> None:
        """Leave, resumable: nothing new is launched; calls that are under way are awaited first."""
        raise NotImplementedError

    def halt(self, *, by_a_person: bool = False) -> None:
        """HALT is there: the send gate closes, working orders are withdrawn, the run parks."""
        raise NotImplementedError

    # --- inputs ----------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        """The run's clock; it never goes back, whatever the clock behind it does."""
        now = self._setting.clock.now()
        self._last = now if self._last is None or now >= self._last else self._last
        return self._last

    def _record(
        self,
        kind: Kind,
        body: Mapping[str, Value],
        then: Callable[[], None] | None = None,
        account: str = "",
        guard: Guard | None = None,
    ) -> None:
        self._setting.committer.add([Entry(self.run_id, kind, body, account)], then, guard)

    def _feed(self, path: str, outcome: Outcome) -> None:
        """An outcome becomes an input: written, then fed as it will be read."""
        if self._over.done():
            return
        effect = self._interpreter.asked(path)
        if effect is None:
            return
        if isinstance(outcome, Refused) and outcome.retryable and not self._handled(path, outcome.code):
            self.park(Parked(outcome.code, outcome.summary, path, dict(outcome.details)))
            return
        at, (outcome, stored) = self._now(), trip(outcome)
        self._working.pop(path, None)
        intent = self._intents.pop(path, None)
        digest = effect_digest(effect) if intent is None else intent.digest
        # Recorded before its meaning is drawn: a late fill that it shows is an input of its own, after it.
        body = settled(path, stored, digest, at, self._moved_cursor(), plan=_plan_asked(effect))
        self._record("settled", body, account=_account(effect, outcome))
        self._inputs.append(lambda: self._interpreter.settle(path, outcome, at))
        self._took(path, effect, outcome, at)
        self._setting.progress(Progress("settled", path, effect, outcome))
        self._drain()

    def _took(self, path: str, effect: Effect, outcome: Outcome, at: datetime) -> None:
        """What an outcome means for the ledger and for the views: the same live and in replay."""
        match effect:
            case Place(order=order):
                self._gate.settled(path, order, outcome, at)
                self._views.settled(path, order, outcome)
            case Watch(method="GetOrder") | Call(method="GetOrder"):
                if isinstance(outcome, Done) and outcome.value is not None:
                    self._told(outcome.value["order"], at)
            case Govern(state=state):
                if isinstance(outcome, Done):
                    self._halts_itself = state == "halted"

    def _told(self, order: Mapping[str, Any], at: datetime) -> None:
        """The program has been told how an order stands."""
        self._gate.observed(order, at)
        if self._replaying:
            self._views.observed(order)
        self._views.told(order["order_id"], order["state"], order["cum_qty"])

    def _take_in(self, body: Mapping[str, Value], account: str = "") -> None:
        """An input that no effect waited for: written, then told to the context that actions read."""
        self._record("input", body, account=account)
        self._inputs.append(lambda: self._learn(body))

    def _learn(self, body: Mapping[str, Value]) -> Turn:
        """What such an input tells the actions, live and in replay."""
        for name, known in (
            ("withdrawn", self._machine.context.withdrawn),
            ("late_fill", self._machine.context.late_fills),
        ):
            if name in body:
                known[body[name]["order"]] = body[name]
        return Turn()

    def _late_fill(self, view: OrderView) -> None:
        """A fill after a terminal state: counted, told to the walk, and a person is called (I1, I5)."""
        if self._replaying or self._over.done():
            return
        at = self._now()
        account = view.order.account if view.order is not None else ""
        self._take_in({"late_fill": {"order": view.order_id, "filled": view.filled}, "at": at}, account)
        self._gate.observed(view.shown(), at)
        self.park(
            Parked(
                "late_fill",
                f"order {view.order_id} had been reported {view.state}, and then filled: {view.filled} in all",
                view.path,
                {"order": view.order_id, "filled": view.filled, "state": view.state},
            )
        )
        self._call_people(view.path, "late fill", late_fill_page(self.run_id, view))
        self._drain()

    # --- people ----------------------------------------------------------------------------------------------------

    def _call_people(self, path: str, what: str, page: str) -> None:
        """Page whom the policy names, while the run parks; the park waits until they are told."""

        async def paged() -> None:
            try:
                await self._page(path, what, page)
            finally:
                self._paging.discard(task)
            self._leave_when_quiet()

        task = self._task(paged)
        self._paging.add(task)

    async def _page(self, path: str, what: str, page: str) -> None:
        """What a person must know of, shown and told; may be told twice after a crash."""
        self._setting.progress(Progress("note", path, None, None, page))
        try:
            await self._setting.tell(Tell("page", self._setting.page, f"{self.run_id}: {what}", page, "page"))
        except Exception as error:
            # A page that cannot be sent changes nothing of what is parked; the park says the same.
            self._setting.progress(Progress("note", path, None, None, f"could not page: {error}"))

    def _handled(self, path: str, code: str) -> bool:
        """`not_sent` is the action's own affair: it looks at the market again under a new key."""
        return code == "not_sent" or self._interpreter.would_handle(path, code)

    def _moved_cursor(self) -> int | None:
        cursor = self._setting.hub.cursor
        if cursor <= self._cursor:
            return None
        self._cursor = cursor
        return cursor

    def _take(self, step: Callable[[], Turn]) -> None:
        self._inputs.append(step)
        self._drain()

    def _drain(self) -> None:
        """Feed the interpreter; inputs that arise while it is fed (a note) wait their turn, so nothing recurses."""
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

    # --- how it ends -----------------------------------------------------------------------------------------------

    def fail(self, error: BaseException) -> None:
        """The process cannot go on (a commit failed, a bug): nothing is recorded any more."""
        if isinstance(error, ClockError) and self._last is not None:
            self._lose_the_clock(error, self._last)
            return
        self._drop_everything()
        if not self._over.done():
            self._over.set_exception(error)

    def _lose_the_clock(self, error: ClockError, last: datetime) -> None:
        """Nothing may be sent by a clock that cannot be trusted: the run parks at the last time that it knew. What has left
        and is not answered stays unknown, for the next runner to settle."""
        self._drop_everything()
        if self._over.done() or self._clockless:
            return
        self._clockless = self._closing = True
        remedy = "set the clock, then go on" if isinstance(error, ClockWentBack) else "go on when it does"
        parked = Parked("clock_lost", f"{error}; nothing more was sent: {remedy}")
        self._leaving = parked
        body = {"code": parked.code, "reason": parked.reason, "path": "", "at": last}
        self._record("parked", body, lambda: self._finish(parked))

    def _see_whether_over(self) -> None:
        over = self._interpreter.over
        if over is None or self._closing:
            return  # what is parked already ends when it is resumed
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

    def _drop_everything(self) -> None:
        for work in self._working.values():
            work.cancel()
        self._working.clear()

    # --- work ------------------------------------------------------------------------------------------------------

    def _work(self, path: str, work: Callable[..., Awaitable[None]], *args: object) -> None:
        self._working[path] = self._task(work, *args)

    def _task(self, work: Callable[..., Awaitable[None]], *args: object) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._guarded(work, *args))

    async def _guarded(self, work: Callable[..., Awaitable[None]], *args: object) -> None:
        """A bug in the runtime ends the run with its name, never with a silent task."""
        try:
            await work(*args)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.fail(error)


def _account(effect: Effect, outcome: Outcome) -> str:
    """The account whose ledger an outcome moves, "" for none."""
    match effect:
        case Place(order=order):
            return order.account
        case Watch(method="GetOrder") | Call(method="GetOrder"):
            told = outcome.value if isinstance(outcome, Done) else None
            return str(told["order"].get("broker_account_id") or "") if told is not None else ""
        case _:
            return ""


def _plan_asked(effect: Effect) -> int | None:
    """The exec plan whose positions were read: how the journal learns which position an entry has made (holdings.py)."""
    match effect:
        case Watch(method="ListPositions", args=args) | Call(method="ListPositions", args=args):
            return args.get("live_exec_plan_id")
        case _:
            return None
