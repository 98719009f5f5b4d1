"""Going on where a run stopped (EXECUTION.md §4): the journal's inputs are fed in their order, withdrawals that were cut in two
are brought to their end, accounts and agents are read anew, unknowns are settled, and what the hub shows is compared with what
the journal says before anything new is sent. Nothing trades to fix a difference: the run parks with the repair written out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mesoflow.engine.effects import Effect, Place, Value
from mesoflow.engine.errors import StepError
from mesoflow.engine.interpreter import Turn
from mesoflow.engine.paths import ENGINE, is_withdrawal
from mesoflow.hubs.errors import CallRefused, HubError
from mesoflow.journal.records import Record
from mesoflow.runtime.bodies import Intent, effect_digest, effect_value, read_intent, read_outcome
from mesoflow.runtime.collector import uncollected
from mesoflow.runtime.core import Parked
from mesoflow.runtime.leaving import Leaving
from mesoflow.runtime.legs import Differing, legs_that_differ
from mesoflow.runtime.pages import RESUME, repair_page
from mesoflow.runtime.perform import unavailable
from mesoflow.runtime.setting import Expected


class ReplayDiffers(Exception):
    """The journal and the program do not agree: the run stops with both shown. Never guess."""

    def __init__(self, path: str, journal: str, program: str) -> None:
        super().__init__(f"at {path}: the journal holds {journal}, the program asks for {program}")
        self.path = path


class Resuming(Leaving):
    """Replays, and recovers."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as Core takes them
        super().__init__(*args)
        # Withdrawals that the journal holds: by order, until the input that says what came of it.
        self._begun: dict[int, tuple[str, Intent, bool]] = {}
        self._counted: dict[str, int] = {}

    # --- the journal again ---------------------------------------------------------------------------------------------

    @uncollected
    def _replay(self, history: Sequence[Record], started_at: datetime) -> list[tuple[str, Effect]]:
        """Feed the journal's inputs in their order; returns what is waited for at its end."""
        asked: dict[str, Effect] = {}
        self._last, self._replaying = started_at, True
        _apply(asked, self._interpreter.start(started_at))
        for record in history:
            body = record.body
            if record.kind == "intended":
                self._replay_intent(asked, body)
            elif record.kind == "settled":
                self._replay_settled(asked, body)
            elif record.kind == "mark":
                self._marks[body["path"]] = (body["account"], body["position_id"])
            elif record.kind == "engine":
                self._replay_engine(body)
            elif record.kind == "event":
                self._replay_event(body)
            elif record.kind == "input":
                self._replay_input(asked, body)
        self._replaying = False
        return list(asked.items())

    def _replay_intent(self, asked: Mapping[str, Effect], body: Mapping[str, Value]) -> None:
        path = body["path"]
        if is_withdrawal(path):
            self._replay_withdrawal(path, body)
            return
        effect = asked.get(path)
        _same(path, body["digest"], effect)
        self._intents[path] = read_intent(body)
        if isinstance(effect, Place):
            self._gate.replayed(path, effect.order, body["at"])
            self._views.intended(effect.order)
        elif body["method"].startswith("Cancel"):
            self._gate.withdrawing(path, body["method"], body["at"])

    def _replay_withdrawal(self, path: str, body: Mapping[str, Value]) -> None:
        by, number, order = _withdrawal_of(path)
        self._begun[order] = (by, read_intent(body), False)
        self._counted[by] = max(self._counted.get(by, 0), number)
        self._gate.withdrawing(path, body["method"], body["at"])

    def _replay_settled(self, asked: dict[str, Effect], body: Mapping[str, Value]) -> None:
        path = body["path"]
        self._last, self._cursor = body["at"], body.get("cursor", self._cursor)
        if is_withdrawal(path):
            order = _withdrawal_of(path)[2]
            by, intent, _ = self._begun[order]
            self._begun[order] = (by, intent, True)
            return
        effect = asked.pop(path, None)
        _same(path, body["digest"], effect)
        assert effect is not None
        self._intents.pop(path, None)
        outcome = read_outcome(body)
        self._took(path, effect, outcome, body["at"])
        _apply(asked, self._interpreter.settle(path, outcome, body["at"]))

    def _replay_event(self, body: Mapping[str, Value]) -> None:
        self._last, self._cursor = body["at"], body.get("cursor", self._cursor)
        self._views.observed(body["order"])
        self._gate.observed(body["order"], body["at"])

    def _replay_input(self, asked: dict[str, Effect], body: Mapping[str, Value]) -> None:
        self._last = body["at"]
        if "cancel" in body:
            self._cancelled = True
            _apply(asked, self._interpreter.cancel(body["cancel"], body["at"]))
            return
        _apply(asked, self._learn(body))
        told = body.get("withdrawn") or body.get("late_fill")
        if told is not None:
            view = self._views.of(told["order"])
            fact = {**view.fact(), "state": told.get("state") or view.state, "cum_qty": told["filled"]}
            self._views.observed(fact)
            self._gate.observed(view.shown(), body["at"])
            self._views.told(view.order_id, view.state, view.filled)
        if "withdrawn" in body:
            self._begun.pop(body["withdrawn"]["order"], None)

    def _last_number(self, by: str) -> int:
        return self._counted.get(by, 0)

    # --- recovering ----------------------------------------------------------------------------------------------------

    def _resume(self, asked: list[tuple[str, Effect]]) -> None:
        """Withdrawals that were begun come first; then agents and accounts are read anew."""
        self._unknown = {path: self._intents[path] for path, _ in asked if path in self._intents}
        self._from_before = set(self._unknown)
        self._comparing = bool(self._views.ours())
        self._task(self._recover, asked)

    async def _recover(self, asked: list[tuple[str, Effect]]) -> None:
        await self._finish_withdrawals()
        if self._unconfirmed:
            self.park(
                Parked(
                    "outcome_unknown",
                    f"order {self._unconfirmed[0].order_id} was asked to stop, and nobody has confirmed it",
                )
            )
        elif self._leaving is None and not self._cancelled and self._interpreter.over is None:
            await self._recheck()
        self._begin(asked)

    async def _recheck(self) -> None:
        """Step 2: each account can be read and is allowed, its agent serves it. A run that is cancelled only stops what it has
        working, and needs none of that."""
        if self._setting.recheck is None:
            return
        ctx = replace(self._machine.context)
        try:
            await self._performer.act(ctx, self._setting.recheck(ctx))
        except StepError as error:
            if not self._cancelled:  # somebody may have cancelled it in the meantime
                reason = f"before the run can go on: {error.summary}"
                self.park(Parked(error.code, reason, "", dict(error.details)))

    async def _finish_withdrawals(self) -> None:
        """The same bytes with the same key, at any age: a cancel can be asked for twice."""
        for order_id, (by, intent, answered) in list(self._begun.items()):
            order = self._views.of(order_id)
            self._intents[intent.path] = intent
            self._sending.add(intent.path)
            self._stopped.add(order_id)
            await self._bring_to_its_end(order, by, intent, answered=answered)
            self._begun.pop(order_id)

    def _begin(self, asked: list[tuple[str, Effect]]) -> None:
        """Unknown intents first; everything else that is waited for is asked for again."""
        if self._leaving is not None:
            self._leave_when_quiet()
            return
        for path, effect in asked:
            # What a cancel has called off in the meantime is not asked for any more.
            if path not in self._unknown and self._interpreter.asked(path) is not None:
                self._start(path, effect)
        if self._unknown:
            self._settle_unknowns()
        if self._comparing:
            self._task(self._compare)
        self._see_whether_over()

    def _withdraw_only(self) -> None:
        """For a kill: nothing of the run goes on; what it has working is withdrawn."""
        self._leaving = None
        self._task(self._finish_then_halt)

    async def _finish_then_halt(self) -> None:
        await self._finish_withdrawals()
        self.halt(by_a_person=True)

    # --- comparing -----------------------------------------------------------------------------------------------------

    async def _compare(self) -> None:
        """Once unknowns are settled: read each adopted order, then hold the legs at the hub against the fills known."""
        if self._settler is not None:
            await self._settler
        if self._unknown or self._leaving is not None or self._over.done():
            return
        try:
            for order in self._views.ours():
                await self._performer.read_once("GetOrder", {"live_order_id": order.order_id})
            differing = await self._legs_that_differ()
        except CallRefused as refused:
            self.park(
                Parked("hub_refused", f"after the restart the hub does not show what is ours: {refused}")
            )
            return
        except HubError as error:
            away = unavailable("GetOrder", error)
            self.park(Parked(away.code, away.summary))
            return
        if differing:
            page = repair_page(differing)
            self._mark(differing, page.splitlines()[0])
            self._call_people("", "legs differ", f"{page}\n{RESUME.format(self.run_id)}")
            self.park(Parked("legs_differ", page.splitlines()[0], "", {"repair": page.splitlines()[1:]}))
            return
        self._comparing = False
        self._release_held()

    def _mark(self, differing: Differing, summary: str) -> None:
        """Entries on the account are refused until a person has cleared each position (C21)."""
        at = self._now()
        for position in sorted(differing):
            account = self._account_of(position)
            path = f"{ENGINE}/compare/position-{position}"
            mark: dict[str, Value] = {
                "path": path,
                "account": account,
                "position_id": position,
                "summary": summary,
                "at": at,
            }
            self._record("mark", mark)

    def _account_of(self, position: int) -> str:
        orders = [view.order for view in self._views.ours() if view.order is not None]
        mine = [order for order in orders if order.position_id == position]
        return (mine or orders)[0].account

    async def _legs_that_differ(self) -> Differing:
        expected_legs, committer = self._setting.expected_legs, self._setting.committer
        if expected_legs is None:
            return {}
        plans = {order.order.exec_plan_id for order in self._views.ours() if order.order is not None}

        def expected_now() -> Expected:
            committer.flush()  # the fold reads the journal
            return expected_legs(plans)

        return await legs_that_differ(self._performer, self._setting, expected_now)


def _withdrawal_of(path: str) -> tuple[str, int, int]:
    """`engine/halt-2/order-17/cancel` → (halt, 2, 17)."""
    _, occasion, order, _ = path.split("/")
    by, number = occasion.rsplit("-", 1)
    return by, int(number), int(order.removeprefix("order-"))


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
