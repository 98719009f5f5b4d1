"""How an unknown outcome is settled: the table of EXECUTION.md §4, one row a method. Generators never see unknown.

Theory. A call left and no readable answer came (time-out, disconnect, crash), or the hub answered only "read the record"
(DuplicateRequest, Conflict). Each row asks the hub and ends in one of four verdicts:

    Settle      it is proved what happened: done, or refused
    Resend      it is proved as far as can be that it did not arrive: the same bytes with the same key, once more
    Renew       no market effect, and the old try is dead: a new generation, with a new key
    Human       it cannot be settled from here: the run parks, exit 4

Absence never proves: a missing record is only one of the conditions of Resend. What the table lacks is a Human.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.engine.effects import Call, Done, Effect, Govern, Outcome, Place, Refused, Tell, Value, Withdraw
from mesoflow.hubs.errors import CallRefused, ConnectFailed, HubError, NotSent, OutcomeUnknown
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.perform import PAUSES_S, Performer
from mesoflow.runtime.setting import Setting
from mesoflow.runtime.views import OrderView, filled_legs
from mesoflow.trading.orders import Order


@dataclass(frozen=True, slots=True)
class Settle:
    """What happened is known. `said` is the evidence, for the journal."""

    outcome: Outcome
    said: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the same bytes again; `said` is why that is safe."""

    said: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Renew:
    """Begin anew under the next generation."""

    said: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Human:
    """A person must look; `said` is what to look at."""

    reason: str
    said: Mapping[str, Value]


Verdict: TypeAlias = Settle | Resend | Renew | Human


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
        """A look-up of the engine's own, repeated while the hub stays away. Raises CallRefused, HubAway."""
        until = self.now + self.setting.budget
        tries = 0
        while True:
            try:
                return await self.performer.read_once(method, args)
            except (NotSent, OutcomeUnknown, ConnectFailed) as error:
                if self.now >= until:
                    raise HubAway(str(error)) from error
            pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
            tries += 1
            await self.setting.clock.sleep_until(min(self.now + timedelta(seconds=pause), until))

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
        """The hub's idempotency record of the intent's key, None where it has none."""
        try:
            answer = await self.read("GetIdempotencyRecord", {"idempotency_key": self.intent.key})
        except CallRefused as refused:
            if refused.status in NO_RECORD:
                return None
            raise
        record = answer.get("record") if isinstance(answer, Mapping) and "record" in answer else answer
        return record or None

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
            pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
            tries += 1
            await self.setting.clock.sleep_until(min(self.now + timedelta(seconds=pause), until))

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


class HubAway(Exception):
    """The look-ups themselves got no answer within the budget: the run parks, the unknown stays."""


# More legs than any position has.
PAGE = 200

# The status of a missing record is not documented: every name that .NET services use for it.
NO_RECORD = frozenset({"NotFound", "IdempotencyRecordNotFound"})

FINISHED, FAILED, PROCESSING = "Completed", "Failed", "Processing"


async def settle_unknown(case: Case) -> Verdict:
    """Look the method up in the table."""
    if isinstance(case.effect, Tell):
        return Resend({"why": "a notification may arrive twice; it says so"})
    if isinstance(case.effect, Govern):
        return Resend({"why": "asked for twice it changes nothing more"})
    row = ROWS.get(case.intent.method)
    if row is None:
        return Human(f"no rule settles {case.intent.method}", {"method": case.intent.method})
    return await row(case)


# --- trades ------------------------------------------------------------------------------------------------------------


async def _trade(case: Case) -> Verdict:
    """SendOrder and ApplyPaperFills: the record decides; without one, every condition of a resend must hold."""
    await case.fresh_connection()
    record = await _settled_record(case)
    if record is not None:
        return await _trade_by_record(case, record)
    await case.late_arrivals()
    record = await _settled_record(case)
    if record is not None:
        return await _trade_by_record(case, record)
    traces = await _traces(case)
    if traces:
        return Human("no record of the call, but the hub shows something of its exec plan", traces)
    if case.now - case.intent.at >= case.setting.facts.retention:
        return Human(
            "no record of the call, and the hub no longer keeps records as old as it",
            {"sent_at": case.intent.at},
        )
    return Resend(
        {"why": "no record over a new connection, late arrivals waited for, no trace of the exec plan"}
    )


async def _settled_record(case: Case) -> Mapping[str, Any] | None:
    """The record, once it is no longer Processing; waits at most `record_wait`."""
    until = case.now + case.setting.record_wait
    tries = 0
    while True:
        record = await case.record()
        if record is None or record["status"] != PROCESSING or case.now >= until:
            return record
        pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
        tries += 1
        await case.setting.clock.sleep_until(min(case.now + timedelta(seconds=pause), until))


async def _trade_by_record(case: Case, record: Mapping[str, Any]) -> Verdict:
    said = _evidence(record)
    if record["status"] == FINISHED:
        if record.get("response_status") not in (None, "Success"):
            return await _proved_refused(case, record, said)
        return await _adopted(case, record, said)
    if record["status"] == FAILED:
        return await _proved_refused(case, record, said)
    return Human(f"the hub's record is still {record['status']}", said)


async def _proved_refused(case: Case, record: Mapping[str, Any], said: Mapping[str, Value]) -> Verdict:
    """Failed proves nothing by itself: hubs write it when they tire of waiting for an agent whose broker then accepts."""
    if record.get("live_order_ids"):
        return Human("the record failed and yet names orders", said)
    await case.late_acceptance()
    traces = await _traces(case)
    if traces:
        return Human("the record failed, but the hub shows something of its exec plan", {**said, **traces})
    summary = (
        record.get("error_message")
        or record.get("response_message")
        or "the hub's record says that it failed"
    )
    return Settle(Refused("rejected", str(summary), said), said)


async def _adopted(case: Case, record: Mapping[str, Any], said: Mapping[str, Value]) -> Verdict:
    """The ids to adopt are the record's; a record of an order that names none is a human's affair."""
    if case.intent.method == "ApplyPaperFills":
        return Settle(Done(await _booked(case, record)), said)
    ids = list(record.get("live_order_ids") or [])
    if len(ids) != 1:
        return Human(f"the record says that the order was accepted, and names {ids or 'none'}", said)
    return Settle(Done({"live_order_id": ids[0]}), said)


async def _booked(case: Case, record: Mapping[str, Any]) -> dict[str, Value]:
    """A booking's answer: the record's ids, and the position that the exec plan made."""
    order = _order(case)
    positions = await case.read("ListPositions", {"live_exec_plan_id": order.exec_plan_id})
    found = positions["positions"]
    return {
        "exec_plan_id": order.exec_plan_id,
        "position_id": found[0]["id"] if found else order.position_id,
        "live_order_ids": list(record.get("live_order_ids") or []),
    }


async def _traces(case: Case) -> dict[str, Value]:
    """What the hub shows of the exec plan that nothing of ours explains: other rungs and groups of it do not count."""
    order = _order(case)
    plan = order.exec_plan_id
    ours = {view.order_id for view in case.ours if view.order is not None and view.order.exec_plan_id == plan}
    orders = await case.pages("ListOrders", {"exec_plan_id": plan}, "orders")
    executions = await case.pages("ListExecutions", {"exec_plan_id": plan}, "executions")
    positions = await case.pages("ListPositions", {"live_exec_plan_id": plan}, "positions")
    seen: dict[str, Value] = {}
    if strange := [found["order_id"] for found in orders if found["order_id"] not in ours]:
        seen["orders"] = strange
    if odd := [found.get("id") for found in executions if found.get("live_order_id") not in ours]:
        seen["executions"] = odd
    # An exit's plan belongs to a position that was there before; only an entry's makes one, with its first fill.
    filled = any(view.filled for view in case.ours if view.order_id in ours)
    if positions and order.kind == "entry" and not filled:
        seen["positions"] = [found["id"] for found in positions]
    elif positions and filled:
        seen |= await _strange_legs(case, ours, positions)
    return seen


async def _strange_legs(
    case: Case, ours: set[int], positions: Sequence[Mapping[str, Any]]
) -> dict[str, Value]:
    """Where orders of ours have filled on an entry's plan, its position must hold exactly that."""
    order = _order(case)
    if order.kind != "entry":
        return {}
    known: dict[str, Decimal] = {}
    for view in case.ours:
        if view.order_id in ours and view.order is not None:
            for name, quantity in filled_legs(view.order, view.filled).items():
                known[name] = known.get(name, Decimal(0)) + quantity
    held: dict[str, Decimal] = {}
    for position in positions:
        legs = (await case.read("ListLegs", {"live_position_id": position["id"], "limit": PAGE}))["legs"]
        for leg in legs:
            if leg["closed_at"] is None:
                held[leg["name"]] = held.get(leg["name"], Decimal(0)) + leg["qty"]
    nothing = Decimal(0)
    if all(held.get(name, nothing) == known.get(name, nothing) for name in {*held, *known}):
        return {}
    return {"legs": held, "legs_known": known}


def _order(case: Case) -> Order:
    assert isinstance(case.effect, Place)
    return case.effect.order


# --- withdrawals ---------------------------------------------------------------------------------------------------------


async def _cancel_order(case: Case) -> Verdict:
    """Done by the record; else the order itself says: over is done, alive is asked again, same bytes, same key, any age."""
    assert isinstance(case.effect, Withdraw)
    record = await case.record()
    if (
        record is not None
        and record["status"] == FINISHED
        and record.get("response_status") in (None, "Success")
    ):
        return Settle(Done({"live_order_id": case.effect.args["live_order_id"]}), _evidence(record))
    order = (await case.read("GetOrder", case.effect.args))["order"]
    said: dict[str, Value] = {
        "order": order["order_id"],
        "state": order["state"],
        "cum_qty": order["cum_qty"],
    }
    if str(order["state"]) in ORDER_ENDS:
        return Settle(Done({"live_order_id": order["order_id"]}), said)
    if record is not None and record["status"] == PROCESSING:
        record = await _settled_record(case)
    if record is not None and record["status"] != PROCESSING:
        # Read the order: it is alive. A record that has ended answers a repeat with itself; the watch will tell.
        return Settle(
            Refused(
                "hub_refused",
                "the hub's record of the cancel has ended, and the order is alive",
                _evidence(record),
            ),
            said,
        )
    return Resend({**said, "why": "the order is alive; a cancel may be asked for at any age"})


# --- prepares and changes ----------------------------------------------------------------------------------------------


async def _prepare(case: Case) -> Verdict:
    """A prepare job has no market effect: its record names the job; a dead one is begun anew."""
    record = await _settled_record(case)
    if record is None:
        return Resend({"why": "no record; a prepare job has no market effect"})
    said = _evidence(record)
    if record.get("job_id"):
        return Settle(Done({"job_id": record["job_id"]}), said)
    return Renew(said) if record["status"] == FAILED else Human("the record names no job", said)


async def _adjustment(case: Case) -> Verdict:
    """As any prepare job; but new variables are applied by the hub itself, so those are read back and compared first."""
    assert isinstance(case.effect, Call)
    args = case.effect.args
    if args.get("operation") != "UpdateVars":
        return await _prepare(case)
    record = await _settled_record(case)
    if record is not None and record.get("job_id"):
        return Settle(Done({"job_id": record["job_id"]}), _evidence(record))
    await case.late_arrivals()
    now = (await case.read("GetPosition", {"position_id": args["position_id"]})).get("vars") or {}
    before, names = case.effect.hints["vars_before"], case.effect.hints["vars_names"]
    changed = sorted(name for name in (names or {*before, *now}) if now.get(name) != before.get(name))
    if changed:
        return Settle(Done({"job_id": None}), {"read_back": "applied", "changed": changed})
    if record is None:
        return Resend({"why": "no record, and the variables are what they were"})
    said = _evidence(record)
    return Renew(said) if record["status"] == FAILED else Human("the record names no job", said)


async def _repeat(case: Case) -> Verdict:
    """Asking twice changes nothing."""
    return Resend({"why": f"{case.intent.method} may be repeated"})


async def _create_strategy(case: Case) -> Verdict:
    """Not keyed by the hub: a strategy that was not there before, with the asked-for name or the template's, is ours."""
    assert isinstance(case.effect, Call)
    hints = case.effect.hints
    found = await _new_strategies(case, hints)
    if not found:
        await case.late_arrivals()
        found = await _new_strategies(case, hints)
    if len(found) > 1:
        return Human("several new strategies could be ours", {"strategies": found})
    if found:
        return Settle(Done({"strategy_id": found[0]}), {"new_strategy": found[0]})
    return Resend({"why": "no new strategy, late arrivals waited for"})


async def _new_strategies(case: Case, hints: Mapping[str, Value]) -> list[int]:
    listed = await _all_strategies(case)
    names = set(hints["names"])
    return [s["id"] for s in listed if s["id"] not in hints["ids_before"] and s["name"] in names]


async def _all_strategies(case: Case) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    token = None
    while True:
        page = await case.read("ListStrategies", {"limit": 50, "continuation_token": token})
        found.extend(page["strategies"])
        token = page.get("continuation_token")
        if not token:
            return found


async def _changed_strategy(case: Case) -> Verdict:
    """Update and rename: read back and compare; the same is done, anything else is repeated."""
    assert isinstance(case.effect, Call)
    args = case.effect.args
    try:
        strategy = (await case.read("GetStrategy", {"strategy_id": args["strategy_id"]}))["strategy"]
    except CallRefused as refused:
        return Settle(
            Refused("hub_refused", str(refused), {"status": refused.status}), {"status": refused.status}
        )
    asked = {name: value for name, value in args.items() if name != "strategy_id" and value is not None}
    if all(strategy.get(name) == value for name, value in asked.items()):
        return Settle(Done({"strategy_id": args["strategy_id"]}), {"read_back": "as asked"})
    return Resend({"read_back": "not as asked"})


async def _deleted_strategy(case: Case) -> Verdict:
    """Gone is done."""
    assert isinstance(case.effect, Call)
    try:
        await case.read("GetStrategy", {"strategy_id": case.effect.args["strategy_id"]})
    except CallRefused as refused:
        return Settle(Done({"strategy_id": case.effect.args["strategy_id"]}), {"status": refused.status})
    return Resend({"read_back": "still there"})


def _evidence(record: Mapping[str, Any]) -> dict[str, Value]:
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


Row: TypeAlias = Callable[[Case], Awaitable[Verdict]]

ROWS: Mapping[str, Row] = {
    "SendOrder": _trade,
    "ApplyPaperFills": _trade,
    "CancelOrder": _cancel_order,
    "StartPreparePositionEntry": _prepare,
    "StartPreparePositionExit": _prepare,
    "StartPreparePositionAdjustment": _adjustment,
    "CancelPreparePositionEntry": _repeat,
    "CancelPreparePositionExit": _repeat,
    "CancelPreparePositionAdjustment": _repeat,
    "CreateStrategy": _create_strategy,
    "UpdateStrategy": _changed_strategy,
    "RenameStrategy": _changed_strategy,
    "DeleteStrategy": _deleted_strategy,
}

__all__ = ["ROWS", "Case", "HubAway", "Human", "Renew", "Resend", "Settle", "Verdict", "settle_unknown"]
