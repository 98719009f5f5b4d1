"""Unknown outcomes: while one is open only reads and withdrawals are launched, and the unknowns are settled one at a time by
reconcile.py, in the order in which they were intended. What cannot be settled parks the run, with a page that says exactly
what a person has to look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mesoflow.engine.effects import Effect, Place, Refused, Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.errors import HubError
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.calls import Calls
from mesoflow.runtime.core import Parked
from mesoflow.runtime.pages import unknown_page
from mesoflow.runtime.reconcile import Case, HubAway, Human, Renew, Resend, Settle, Verdict, settle_unknown
from mesoflow.trading.orders import Order

# A call may be resent twice (a hub that restarts while we ask); more is not a fault that asking again can mend.
SETTLINGS_MAX = 4
RECONCILED = "engine/reconcile/"


class Unknowns(Calls):
    """Settles them."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as Core takes them
        super().__init__(*args)
        self._from_before: set[str] = set()
        self._settlings: dict[str, int] = {}
        # When the bytes of an intent were sent again, by path; a process that resumes reads it in the journal.
        self._resent: dict[str, datetime] = {}
        self._settler: asyncio.Task[None] | None = None

    def _release_held(self) -> None:
        raise NotImplementedError

    def _settle_unknowns(self) -> None:
        if self._leaving is None and (self._settler is None or self._settler.done()):
            self._settler = self._task(self._settle_each)

    async def _settle_each(self) -> None:
        """One unknown at a time, in the order in which they were intended."""
        while self._unknown and self._leaving is None:
            path, intent = next(iter(self._unknown.items()))
            effect = self._interpreter.waiting[path]
            case = self._case(path, effect, intent)
            try:
                verdict = await self._verdict(case, path)
            except HubAway as away:
                self.park(Parked("hub_unavailable", f"what became of {path} cannot be asked: {away}", path))
                return
            self._note_verdict(path, verdict)
            if not await self._act_on(path, effect, intent, verdict, case):
                return
        self._release_held()

    def _case(self, path: str, effect: Effect, intent: Intent) -> Case:
        return Case(
            effect,
            intent,
            self._setting,
            self._performer,
            path in self._from_before,
            self._views.ours(),
            self._resent.get(path),
        )

    def _note_verdict(self, path: str, verdict: Verdict) -> None:
        said: dict[str, Value] = {"verdict": type(verdict).__name__.lower(), "said": dict(verdict.said)}
        self._record("engine", {"path": f"{RECONCILED}{path}", **said, "at": self._now()})

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
                await self._call_a_human(path, effect, intent, f"({intent.method}): {reason}", said)
                return False
        return True

    async def _call_a_human(self, path: str, effect: Effect, intent: Intent, why: str, said: Any) -> None:  # noqa: ANN401
        """Park, with everything that a person needs to look at the broker; whom to page is told at once."""
        page = unknown_page(self.run_id, intent, effect, why)
        await self._page(path, "outcome unknown", page)
        self.park(
            Parked(
                "outcome_unknown", f"what became of {path} {why}", path, {**said, "look": page.splitlines()}
            )
        )

    # --- resending -----------------------------------------------------------------------------------------------------

    async def _resend(self, path: str, effect: Effect, intent: Intent, case: Case) -> bool:
        """A resend is a start: not in a cancelled scope, not while halted, not past its time, not against today's rails."""
        if isinstance(effect, Place):
            reason = await self._no_start(path, effect.order)
            if reason and case.died_with_runner:
                self._sent(path, Refused("not_sent", f"it had not left when the runner died; now {reason}"))
                return True
            if reason:
                said = {"method": intent.method, "sent_at": intent.at}
                await self._call_a_human(
                    path, effect, intent, f"({intent.method}): no record, and {reason}", said
                )
                return False
        self._unknown.pop(path)
        self._sending.add(path)
        self._resent[path] = self._now()
        await self._leave(path, effect, intent)
        return True

    def _replay_engine(self, body: Mapping[str, Value]) -> None:
        """What an earlier process has sent again. It may have died before it did: then it is waited for in vain."""
        path = str(body["path"])
        if path.startswith(RECONCILED) and body.get("verdict") == "resend":
            self._resent[path.removeprefix(RECONCILED)] = body["at"]

    async def _no_start(self, path: str, order: Order) -> str:
        """Why this order would not be started now, or ""."""
        if self._cancelled or self._interpreter.is_cancelled(path):
            return "the run was cancelled" if self._cancelled else "its scope was cancelled"
        if self._setting.halted():
            return "the state home is halted"
        if order.until is not None and self._now() >= order.until:
            return "its time is over"
        return await self._forbidden(path, order)

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

    def _drop_everything(self) -> None:
        super()._drop_everything()
        if self._settler is not None and self._settler is not asyncio.current_task():
            self._settler.cancel()
