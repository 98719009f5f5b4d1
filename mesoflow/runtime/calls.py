"""Calls that change the world, from the wish to the outcome (EXECUTION.md §2): judge, intend, commit, look at HALT, send.

Which outcome a call ends in is decided here; one that ends in none is unknown and goes to unknowns.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from mesoflow.engine.effects import Call, Done, Effect, Govern, Outcome, Place, Refused, Tell, Value, Withdraw
from mesoflow.engine.paths import idempotency_key
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import CallRefused, HubError, NotSent, OutcomeUnknown
from mesoflow.journal.records import Entry, Record
from mesoflow.runtime.bodies import Intent, effect_digest
from mesoflow.runtime.commits import Guard
from mesoflow.runtime.core import Core, Parked
from mesoflow.runtime.perform import refusal, unavailable
from mesoflow.runtime.send import Halted, deliver, send
from mesoflow.runtime.setting import Progress
from mesoflow.trading.clearance import Withdrawal

_SECOND = timedelta(seconds=1)


class Calls(Core):
    """Intents and sendings."""

    def _place(self, path: str, effect: Place) -> None:
        refused = self._gate.judge(path, effect.order, self._now())
        if refused is not None:
            self._feed(path, refused)
            return
        self._intend(path, effect, generation=0)

    def _intend(self, path: str, effect: Effect, generation: int) -> None:
        intent = self._intent(path, effect, generation)
        self._intents[path] = intent
        self._sending.add(path)
        account, guard = "", None
        if isinstance(effect, Place):
            account, guard = effect.order.account, self._guard(path, effect, intent)
        elif isinstance(effect, Withdraw):
            self._gate.withdrawing(path, effect.method, intent.at)
        self._record(
            "intended",
            self._intended(path, effect, intent),
            lambda: self._work(path, self._leave, path, effect, intent),
            account,
            guard,
        )

    def _intended(self, path: str, effect: Effect, intent: Intent) -> dict[str, Value]:
        """The body of the intent; from here on the ledger counts an order."""
        verdict = order = None
        if isinstance(effect, Place):
            verdict, order = self._gate.intend(path, effect.order, intent.at)
            self._views.intended(effect.order)
        return intent.body(self._setting.hub.encoding, verdict=verdict, order=order)

    def _guard(self, path: str, effect: Place, intent: Intent) -> Guard:
        """Two processes that each see "1 of 2 open orders" must not both send: the verdict holds for this ledger only."""

        def again(moved: Sequence[Record]) -> Sequence[Entry] | None:
            order = effect.order
            self._gate.settled(path, order, Refused("not_sent", "the ledger has moved"), intent.at)
            self._gate.catch_up(moved)
            refused = self._gate.judge(path, order, self._now())
            if refused is None:
                return [Entry(self.run_id, "intended", self._intended(path, effect, intent), order.account)]
            self._intents.pop(path, None)
            self._sending.discard(path)
            self._feed(path, refused)
            self._leave_when_quiet()
            return None

        return Guard(self.run_id, effect.order.account, again)

    def _intent(self, path: str, effect: Effect, generation: int) -> Intent:
        key = idempotency_key(self._nonce, path, generation)
        match effect:
            case Call(method=method, args=args) | Withdraw(method=method, args=args):
                full = {**args, "idempotency_key": key} if METHODS[method].keyed else dict(args)
                request = self._setting.hub.encode(method, full)
            case Place(order=order):
                method = order.method
                request = self._setting.hub.encode(method, {**order.args, "idempotency_key": key})
            case Govern():
                method, request = "govern", b"{}"
            case _:
                method, request = "notify", b"{}"
        return Intent(path, method, request, key, generation, effect_digest(effect), self._now())

    # --- sending -----------------------------------------------------------------------------------------------------

    async def _leave(self, path: str, effect: Effect, intent: Intent) -> None:
        """After the commit: send, and take the ending."""
        try:
            answer = await self._deliver(effect, intent)
        except Halted:
            self._stopped_at_the_gate(path)
            return
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
            case Govern():
                governed = await self._setting.govern(effect)
                self._setting.crash.reach(f"answered:{intent.path}")
                return dict(governed)
            case _:
                return await deliver(self._setting.hub, self._setting, intent)

    def _sent(self, path: str, outcome: Outcome) -> None:
        self._sending.discard(path)
        self._unknown.pop(path, None)
        self._feed(path, outcome)
        self._leave_when_quiet()

    def _stopped_at_the_gate(self, path: str) -> None:
        """HALT came between the commit and the first byte: it is certain that nothing left.

        The run that halts itself goes on and is told `halted`; every other one parks, and its action, which looks at the
        market anew under a new key when the run is resumed, is told that it had not left.
        """
        if self._halts_itself:
            self._sent(path, Refused("halted", "no order leaves this state home: it is halted"))
            return
        self.halt()
        self._sent(path, Refused("not_sent", "the state home was halted before it left", {}, retryable=True))

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

    def _became_unknown(self, path: str, intent: Intent, why: str) -> None:
        self._sending.discard(path)
        self._unknown[path] = intent
        self._setting.progress(Progress("note", path, None, None, f"outcome unknown: {why}"))
        self._settle_unknowns()
        self._leave_when_quiet()

    def sending_path(self, method: str, key: str | None) -> str | None:
        """The path of the call under way with this key, or the only one of this method (for crash points)."""
        for path in self._sending:
            intent = self._intents[path]
            if intent.method == method and key in (None, intent.key):
                return path
        return None
