"""One unknown outcome, and how the hub is asked about it: patient look-ups, the idempotency record, what may arrive late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mesoflow.engine.effects import Effect, Place, Value
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import CallRefused, ConnectFailed, HubError, NotSent, OutcomeUnknown
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.perform import PAUSES_S, Performer
from mesoflow.runtime.setting import Setting
from mesoflow.runtime.views import OrderView

# The status of a missing record is not documented: every name that .NET services use for it.
NO_RECORD = frozenset({"NotFound", "IdempotencyRecordNotFound"})

FINISHED, FAILED, PROCESSING = "Completed", "Failed", "Processing"


class HubAway(Exception):
    """The look-ups themselves got no answer within the budget: the run parks, the unknown stays."""


class RecordOfAnother(Exception):
    """The hub's record under our key is of another call (its Conflict in the other meaning): nothing of it is ours."""

    def __init__(self, said: dict[str, Value]) -> None:
        super().__init__("the hub's record under this key is of another call")
        self.said = said


@dataclass(slots=True)
class Case:
    """One unknown: its effect, its intent, and what asks the hub. `ours`: orders of the run that the hub has accepted.
    `sent_at`: when its bytes left last, where that is not the intent's time: a resend can arrive late as well."""

    effect: Effect
    intent: Intent
    setting: Setting
    performer: Performer
    recovering: bool = False
    ours: Sequence[OrderView] = ()
    sent_at: datetime | None = None

    @property
    def now(self) -> datetime:
        """The run's clock."""
        return self.setting.clock.now()

    async def read(self, method: str, args: Mapping[str, Value]) -> Value:
        """A look-up of the engine's own, repeated while the hub stays away. Raises CallRefused, HubAway, and OutcomeUnknown
        where it answers what cannot be read."""
        until = self.now + self.setting.budget
        tries = 0
        while True:
            try:
                return await self.performer.read_once(method, args)
            except (NotSent, OutcomeUnknown, ConnectFailed) as error:
                if isinstance(error, OutcomeUnknown) and error.unreadable:
                    raise
                if self.now >= until:
                    raise HubAway(str(error)) from error
            await self.pause(tries, until)
            tries += 1

    async def pause(self, tries: int, until: datetime) -> None:
        """Before the next look, after so many; longer each time, and no longer than there is time."""
        seconds = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
        await self.setting.clock.sleep_until(min(self.now + timedelta(seconds=seconds), until))

    async def pages(self, method: str, args: Mapping[str, Value], name: str) -> list[Mapping[str, Any]]:
        """All pages of a list: half of one proves nothing."""
        found: list[Mapping[str, Any]] = []
        token = None
        while True:
            page = await self.read(method, args if token is None else {**args, "continuation_token": token})
            found.extend(page[name])
            token = page.get("continuation_token")
            if not token:
                return found

    async def record(self) -> Mapping[str, Any] | None:
        """The hub's idempotency record of the intent's key, None where it has none. Raises RecordOfAnother."""
        try:
            answer = await self.read("GetIdempotencyRecord", {"idempotency_key": self.intent.key})
        except CallRefused as refused:
            if refused.status in NO_RECORD:
                return None
            raise
        record = answer.get("record") if isinstance(answer, Mapping) and "record" in answer else answer
        if record and not self._is_ours(record):
            raise RecordOfAnother(evidence(record))
        return record or None

    def _is_ours(self, record: Mapping[str, Any]) -> bool:
        """Of this operation and exec plan, as far as the record names them; a name that nobody knows says nothing."""
        operation = str(record["operation"])
        if operation != self.intent.method and operation in METHODS:
            return False
        plan = self.effect.order.exec_plan_id if isinstance(self.effect, Place) else None
        return plan is None or record.get("live_exec_plan_id") in (None, plan)

    async def fresh_connection(self) -> None:
        """Ask over a connection that was opened after the sending one closed: what was on its way has arrived or died."""
        until = self.now + self.setting.budget
        tries = 0
        while True:
            try:
                return await self.setting.hub.fresh()
            except HubError as error:
                if self.now >= until:
                    raise HubAway(str(error)) from error
            await self.pause(tries, until)
            tries += 1

    async def late_arrivals(self) -> None:
        """Wait until nothing sent with the intent can still arrive."""
        if not self.died_with_runner:
            await self.late_acceptance()

    async def late_acceptance(self) -> None:
        """Wait until a broker whose hub has given up on it would show what it took; a world goes on where it was left."""
        left = self.sent_at or self.intent.at
        await self.setting.clock.sleep_until(left + self.setting.facts.late_arrival)

    @property
    def died_with_runner(self) -> bool:
        """The sender and an embedded simulator died together: nothing was under way between them."""
        return self.recovering and self.setting.facts.died_with_runner


async def settled_record(case: Case) -> Mapping[str, Any] | None:
    """The record, once it is no longer Processing; waits at most `record_wait`."""
    until = case.now + case.setting.record_wait
    tries = 0
    while True:
        record = await case.record()
        if record is None or record["status"] != PROCESSING or case.now >= until:
            return record
        await case.pause(tries, until)
        tries += 1


def evidence(record: Mapping[str, Any]) -> dict[str, Value]:
    kept = (
        "operation",
        "status",
        "live_exec_plan_id",
        "live_order_ids",
        "error_message",
        "job_id",
        "response_status",
    )
    return {name: record[name] for name in kept if record.get(name) is not None}
