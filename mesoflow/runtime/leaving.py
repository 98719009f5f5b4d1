"""How a run is left, resumable: parked for a reason, interrupted by its operator, or halted.

A park for a reason (an unknown outcome, a hub that stays away) leaves working orders and names them. An interrupt withdraws
those that the policy's C16 says, a halt all of them: each is cancelled under `engine/halt-1/order-17/cancel`, with a key of
its own, and confirmed by its terminal state. The generators are not told: their waits end here and begin anew at the next
resume, which finds in the journal what was withdrawn (an input) and goes on at the same price. A withdrawal that a crash cut
in two is brought to its end by the next runner before anything else begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from mesoflow.engine.effects import Done, Outcome, Refused, Value, Withdraw
from mesoflow.engine.paths import ENGINE
from mesoflow.hubs.errors import CallRefused, ConnectFailed, NotSent, OutcomeUnknown
from mesoflow.runtime.bodies import Intent, settled
from mesoflow.runtime.core import Parked
from mesoflow.runtime.launching import Launching
from mesoflow.runtime.reconcile import HubAway, Resend, Settle
from mesoflow.runtime.send import send
from mesoflow.runtime.setting import Progress
from mesoflow.runtime.views import OrderView
from mesoflow.trading.clearance import Withdrawal

# An order is asked to stop and confirmed within this, or named as unknown (EXECUTION.md §3).
CONFIRM_WITHIN = timedelta(seconds=60)
# How soon a cancelled order is looked at again where no event tells of it.
LOOKS_S = (0.25, 0.5, 1.0, 2.0)

ALL_KINDS = frozenset({"entry", "exit", "adjustment"})
HALTED = Parked("halted", "the state home is halted")


class Leaving(Launching):
    """Parks, and withdraws working orders."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as Core takes them
        super().__init__(*args)
        self._stopping: asyncio.Task[None] | None = None
        self._stop_kinds: set[str] = set()
        self._stopped: set[int] = set()
        self._moved = asyncio.Event()
        self._numbers: dict[str, int] = {}
        self._unconfirmed: list[OrderView] = []
        self._parked = False

    # --- from outside --------------------------------------------------------------------------------------------------

    def park(self, parked: Parked) -> None:
        """Leave for a reason; working orders stay and are named."""
        if self._leaving is None and not self._over.done():
            self._leaving = parked
            self._leave_when_quiet()

    def interrupt(self, parked: Parked, kinds: Collection[str]) -> None:
        """The operator leaves: working orders of these kinds are withdrawn first."""
        if not kinds:
            self.park(parked)
        elif not self._gone:
            self._leaving = self._leaving or parked
            self._stop("park", kinds)

    def halt(self, *, by_a_person: bool = False) -> None:
        """HALT is there: everything that works is withdrawn. Harmless twice; the run that halted itself goes on, unless a
        person's kill asks for it."""
        if self._gone or (self._halts_itself and not by_a_person):
            return
        if self._leaving is None or self._leaving.code == "interrupted":
            self._leaving = HALTED
        self._stop("halt", ALL_KINDS)

    @property
    def leaving(self) -> bool:
        """Whether nothing new is launched any more."""
        return self._leaving is not None

    def working_orders(self) -> list[OrderView]:
        """Orders of ours that may be alive, for whoever asks before the run is left."""
        return self._views.working()

    @property
    def _gone(self) -> bool:
        return self._over.done() or self._closing or self._parked

    # --- stopping ------------------------------------------------------------------------------------------------------

    def _stop(self, by: str, kinds: Collection[str]) -> None:
        """Begin to withdraw, at once: what works already does not wait for calls that are under way."""
        self._stop_kinds |= set(kinds)
        self._drop_waits()
        if self._stopping is None:
            self._stopping = self._task(self._stop_all, by)

    async def _stop_all(self, by: str) -> None:
        asked = found = False
        while True:
            by = "halt" if self._leaving is HALTED else by
            orders = [order for order in self._views.working() if self._is_to_stop(order)]
            if orders:
                self._stopped |= {order.order_id for order in orders}
                await asyncio.gather(*(self._take_back(order, by) for order in orders))
            elif self._sending:
                await self._something_moves()
            elif self._settler is not None and not self._settler.done():
                await asyncio.wait({self._settler})
            elif self._views.nameless_plans() and not found:
                found = True
                await self._find_nameless()
            elif self._unknown and by == "halt" and not asked:
                asked = True
                await self._ask_unknowns()
            else:
                break
        self._stopping = None
        self._leave_when_quiet()

    def _is_to_stop(self, order: OrderView) -> bool:
        return order.kind in self._stop_kinds and order.order_id not in self._stopped

    async def _something_moves(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def _find_nameless(self) -> None:
        """Orders that were accepted without an id are found by their exec plan."""
        for plan in self._views.nameless_plans():
            try:
                answer = await self._performer.read_once("ListOrders", {"exec_plan_id": plan})
            except (CallRefused, NotSent, OutcomeUnknown, ConnectFailed):
                continue
            for order in answer["orders"]:
                self._views.read({"order": order})

    async def _ask_unknowns(self) -> None:
        """An order whose sending was not answered may be alive: what its record names is adopted, and then withdrawn."""
        for path, intent in list(self._unknown.items()):
            case = self._case(path, self._interpreter.waiting[path], intent)
            try:
                verdict = await self._verdict(case, path)
            except HubAway:
                continue
            self._note_verdict(path, verdict)
            if isinstance(verdict, Settle):
                self._sent(path, verdict.outcome)
            elif isinstance(verdict, Resend) and case.died_with_runner and intent.method == "SendOrder":
                self._sent(
                    path, Refused("not_sent", "it had not left when the runner died", {}, retryable=True)
                )

    # --- withdrawing one -----------------------------------------------------------------------------------------------

    async def _take_back(self, order: OrderView, by: str) -> None:
        """Cancel an order of ours, and confirm it."""
        number = self._numbers.setdefault(by, self._last_number(by) + 1)
        path = f"{ENGINE}/{by}-{number}/order-{order.order_id}/cancel"
        effect = Withdraw("cancel", "CancelOrder", {"live_order_id": order.order_id})
        intent = self._intent(path, effect, 0)
        self._gate.withdrawing(path, effect.method, intent.at)
        self._intents[path] = intent
        self._sending.add(path)
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._record("intended", intent.body(self._setting.hub.encoding), lambda: durable.set_result(None))
        await durable
        await self._bring_to_its_end(order, by, intent, answered=False)

    def _last_number(self, by: str) -> int:
        raise NotImplementedError

    async def _bring_to_its_end(self, order: OrderView, by: str, intent: Intent, *, answered: bool) -> None:
        """Ask until there is an answer, look until the order is over; one that stays alive is named."""
        clock, looks = self._setting.clock, 0
        until = clock.now() + CONFIRM_WITHIN
        while True:
            if not answered:
                answered = await self._asked(order, intent)
            if await self._is_confirmed(order) or clock.now() >= until:
                break
            await self._performer.pause(
                clock.now() + timedelta(seconds=LOOKS_S[min(looks, len(LOOKS_S) - 1)])
            )
            looks += 1
        self._sending.discard(intent.path)
        self._intents.pop(intent.path, None)
        if not order.is_over:
            self._unconfirmed.append(order)
            return
        if not answered:  # the reply was lost; the order itself says what came of it
            self._settled_by_engine(intent, Done({"live_order_id": order.order_id}))
        self._withdrawn(order, by)

    async def _asked(self, order: OrderView, intent: Intent) -> bool:
        """Send the cancel; whether there is an answer. Without one the same bytes go again, at any age."""
        try:
            answer = await send(self._setting, intent, Withdrawal(intent.method, intent.path))
        except (NotSent, OutcomeUnknown, ConnectFailed):
            return False
        except CallRefused as refused:
            # Filled, or over already: the order is looked at, and tells.
            self._settled_by_engine(intent, Refused("hub_refused", str(refused), {"status": refused.status}))
            return True
        self._settled_by_engine(intent, Done(answer))
        return True

    def _settled_by_engine(self, intent: Intent, outcome: Outcome) -> None:
        self._record("settled", settled(intent.path, outcome, intent.digest, self._now()))

    async def _is_confirmed(self, order: OrderView) -> bool:
        if not order.is_over:
            try:
                await self._performer.read_once("GetOrder", {"live_order_id": order.order_id})
            except (CallRefused, NotSent, OutcomeUnknown, ConnectFailed):
                return order.is_over
        return order.is_over

    def _withdrawn(self, order: OrderView, by: str) -> None:
        """An input: to the walk it is not somebody else's cancel."""
        at = self._now()
        body: dict[str, Value] = {
            "order": order.order_id,
            "by": by,
            "filled": order.filled,
            "state": order.state,
        }
        self._take_in({"withdrawn": body, "at": at}, account=order.order.account if order.order else "")
        self._gate.observed(order.shown(), at)
        self._views.told(order.order_id, order.state, order.filled)
        self._setting.progress(
            Progress("note", order.path, text=f"order {order.order_id}: {order.state}, {order.filled} filled")
        )
        self._drain()

    # --- parking -------------------------------------------------------------------------------------------------------

    def _leave_when_quiet(self) -> None:
        """Park once no call that changes the world is under way; one that stays unanswered stays unknown."""
        self._moved.set()
        if self._leaving is None or self._sending or self._stopping is not None or self._gone:
            return
        if self._paging:
            return
        self._parked = True
        parked, at = self._conclusion(self._leaving), self._now()
        body: dict[str, Value] = {"code": parked.code, "reason": parked.reason, "path": parked.path, "at": at}
        if parked.details:
            body["details"] = dict(parked.details)
        self._record("parked", body, lambda: self._finish(parked))

    def _conclusion(self, leaving: Parked) -> Parked:
        """The reason of the park, with the orders that are still alive; one that nobody confirmed outranks a halt."""
        details = dict(leaving.details or {})
        working: list[Value] = [order.order_id for order in self._views.working()]
        working += [f"one of exec plan {plan}, without an id" for plan in self._views.nameless_plans()]
        if working:
            details["working"] = working
        if leaving.code not in ("halted", "interrupted"):
            return Parked(leaving.code, leaving.reason, leaving.path, details or None)
        if self._unconfirmed:
            names = ", ".join(str(order.order_id) for order in self._unconfirmed)
            reason = f"order {names} was asked to stop, and nobody has confirmed it"
            return Parked("outcome_unknown", reason, self._unconfirmed[0].path, details)
        unknown = [
            intent for intent in self._unknown.values() if intent.method in ("SendOrder", "ApplyPaperFills")
        ]
        if unknown and leaving.code == "halted":
            reason = f"what became of {unknown[0].path} ({unknown[0].method}) is not known"
            return Parked("outcome_unknown", reason, unknown[0].path, {**details, "key": unknown[0].key})
        return Parked(leaving.code, leaving.reason, leaving.path, details or None)

    def _drop_everything(self) -> None:
        super()._drop_everything()
        if self._stopping is not None and self._stopping is not asyncio.current_task():
            self._stopping.cancel()
