"""How an effect that changes nothing is performed: reads, watches. What changes the world is send.py.

GetOrder is read through the views of the run (views.py): its answer is the folded view, in the shape of the hub's. A read that gets no answer is repeated by itself until the budget is spent (LANGUAGE.md §2, `retry`), then refused as
`hub_unavailable`. A watch polls, and looks at once when an event is heard; polls are not journalled, the answer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from mesoflow.actions.ready import READY
from mesoflow.engine.action import Context, Effects
from mesoflow.engine.effects import Call, Done, Outcome, Refused, Value, Watch
from mesoflow.engine.errors import StepError
from mesoflow.hubs.errors import CallRefused, ConnectFailed, NotSent, OutcomeUnknown
from mesoflow.runtime.setting import Setting
from mesoflow.runtime.views import Views

# The first look comes at once, the next soon (a prepare job takes about a second), later ones at a calm pace.
POLLS_S = (0.25, 0.5, 1.0)
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class Overdue(Exception):
    """A watch that ended at `until` and parks: nothing is settled, a resume watches again."""

    def __init__(self, code: str, summary: str) -> None:
        super().__init__(summary)
        self.code = code
        self.summary = summary


class Performer:
    """Reads and watches of one run."""

    def __init__(self, setting: Setting, views: Views | None = None) -> None:
        self._setting = setting
        self._views = views if views is not None else Views()
        self._heard = asyncio.Event()

    def wake(self) -> None:
        """Something happened at the hub: watches look again."""
        self._heard.set()
        self._heard = asyncio.Event()

    async def read_once(self, method: str, args: Mapping[str, Value]) -> Value:
        """One read, one answer. Raises HubError."""
        hub = self._setting.hub
        answer = await hub.invoke(method, hub.encode(method, args), within=self._setting.call_within)
        return self._views.read(answer) if method == "GetOrder" else answer

    async def act(self, ctx: Context, body: Effects) -> Value:
        """Run a generator of reads and watches to its end, outside the interpreter. Raises StepError."""
        value: Value = None
        error: StepError | None = None
        while True:
            ctx.now = self._setting.clock.now()
            try:
                effect = body.send(value) if error is None else body.throw(error)
            except StopIteration as stop:
                return stop.value
            assert isinstance(effect, Call | Watch), f"{effect!r} is no read"
            outcome = await (self.read(effect) if isinstance(effect, Call) else self.watch(effect))
            value, error = None, None
            if isinstance(outcome, Refused):
                error = StepError(outcome.code, outcome.summary, dict(outcome.details), outcome.retryable)
            else:
                value = outcome.value

    async def read(self, call: Call) -> Outcome:
        """A read, repeated while the hub does not answer."""
        clock = self._setting.clock
        until = clock.now() + self._setting.budget
        tries = 0
        while True:
            try:
                return Done(await self.read_once(call.method, call.args))
            except CallRefused as refused:
                return refusal(refused)
            except (NotSent, OutcomeUnknown, ConnectFailed) as error:
                if clock.now() >= until:
                    return unavailable(call.method, error)
            pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
            tries += 1
            await clock.sleep_until(min(clock.now() + timedelta(seconds=pause), until))

    async def watch(self, watch: Watch) -> Outcome:
        """Look until the predicate holds or `until` has come. Raises Overdue where that parks the run.

        A hub that is silent just then is asked on for a reader's budget: what has come of it meanwhile is told late, and an
        absence that passes ends nothing.
        """
        clock = self._setting.clock
        until = self._fresh_budget(watch)
        ready = READY[watch.ready]
        silent: Exception | None = None
        spoke = clock.now()
        looks = 0
        while True:
            try:
                value = await self.read_once(watch.method, watch.args)
                if ready(value, watch.params, clock.now()):
                    return Done(value)
                silent, spoke = None, clock.now()
            except CallRefused as refused:
                return refusal(refused)
            except (NotSent, OutcomeUnknown, ConnectFailed) as error:
                silent = error
            last = until
            if silent is not None and watch.overdue == "nothing":
                last = max(until, spoke + self._setting.budget)
            if clock.now() >= last:
                return _overdue(watch, silent)
            pause = POLLS_S[min(looks, len(POLLS_S) - 1)]
            looks += 1
            await self.pause(min(clock.now() + timedelta(seconds=pause), last))

    def _fresh_budget(self, watch: Watch) -> datetime:
        """`until`; where overdue is an error that may pass, a watch that begins late has a budget of its own."""
        now = self._setting.clock.now()
        if watch.overdue == "nothing" or watch.until > now:
            return watch.until
        return now + (timedelta(seconds=30) if watch.overdue == "park" else self._setting.budget)

    async def pause(self, until: datetime) -> None:
        """Sleep until then, or until something is heard."""
        heard = asyncio.ensure_future(self._heard.wait())
        slept = asyncio.ensure_future(self._setting.clock.sleep_until(until))
        try:
            await asyncio.wait({heard, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard.cancel()
            slept.cancel()


def refusal(refused: CallRefused) -> Refused:
    """A status that is not Success, as the outcome that actions map to their own codes."""
    details: dict[str, Value] = {"method": refused.method, "status": refused.status}
    details |= {
        name: value for name, value in (("code", refused.code), ("provider", refused.provider)) if value
    }
    if refused.fields:
        details["fields"] = refused.fields
    return Refused("hub_refused", str(refused), details)


def unavailable(method: str, error: Exception) -> Refused:
    """The hub stayed away: an error that may pass by itself."""
    return Refused(
        "hub_unavailable", f"the hub did not answer {method}: {error}", {"method": method}, retryable=True
    )


def _overdue(watch: Watch, silent: Exception | None) -> Outcome:
    if silent is not None and watch.overdue == "park":
        # What was to be confirmed is not, and no clause may take that for an answer: an order might be alive.
        code = watch.code if watch.code == "outcome_unknown" else "hub_unavailable"
        raise Overdue(code, f"{watch.summary}: {silent}")
    if silent is not None:
        return unavailable(watch.method, silent)
    if watch.overdue == "park":
        raise Overdue(watch.code, watch.summary)
    if watch.overdue == "refuse":
        return Refused(watch.code, watch.summary, {}, retryable=True)
    return Done(None)
