"""Prepare jobs: started, running for a simulated while that is drawn by their key, then completed or failed.

A job looks at the market and at the world when it ends. Every call first lets what is due end, in the order of its time,
so what comes out depends on simulated time and not on who asked when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.models.enums import LivePositionState, PreparationStatus
from mesoflow.hubs.models.prepares import (
    CancelJobArgs,
    PreparePositionAdjustmentArgs,
    PreparePositionEntryArgs,
    PreparePositionExitArgs,
    StartPreparePositionAdjustmentResult,
    StartPreparePositionEntryResult,
    StartPreparePositionExitResult,
)
from mesoflow.simulator.draws import hexes, log_normal
from mesoflow.simulator.strategies.entry import preview
from mesoflow.simulator.strategies.margins import MarginRule
from mesoflow.simulator.strategies.selection import Circumstances, Impossible
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.adjustments import Adjustments, require_constraint
from mesoflow.simulator.world.agents import all_away, require_provider, serving
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import Refused, bad, missing
from mesoflow.simulator.world.known import Known
from mesoflow.simulator.world.plans import EntryOf, Kind, Plans
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.records import Records
from mesoflow.simulator.world.store import moment_of, packed, unpacked, written
from mesoflow.simulator.world.strategies import Strategies

# How long a job takes: seconds, the deviation of their logarithm, and the bounds.
_MEDIAN_S, _SIGMA = 1.2, 0.4
_LEAST, _MOST = timedelta(milliseconds=300), timedelta(seconds=8)
_OPERATIONS: Mapping[str, str] = {
    "entry": "StartPreparePositionEntry",
    "exit": "StartPreparePositionExit",
    "adjustment": "StartPreparePositionAdjustment",
}
_EVENTS: Mapping[str, str] = {
    "entry": "PositionEntryPreparation",
    "exit": "PositionExitPreparation",
    "adjustment": "PositionAdjustmentPreparation",
}
_StartArgs = PreparePositionEntryArgs | PreparePositionExitArgs | PreparePositionAdjustmentArgs
_Started = (
    StartPreparePositionEntryResult | StartPreparePositionExitResult | StartPreparePositionAdjustmentResult
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands."""

    id: int
    job: str
    kind: Kind
    args: dict[str, Any]
    status: str
    created: datetime
    updated: datetime
    due: datetime
    plan: int | None
    error: str | None


class Jobs:
    """The prepare jobs of a world."""

    def __init__(
        self, core: Core, accounts: Accounts, strategies: Strategies, positions: Positions, plans: Plans
    ) -> None:
        self._core, self._accounts, self._strategies = core, accounts, strategies
        self._positions, self._plans = positions, plans
        self._adjustments = Adjustments(core, strategies, positions, plans)

    # --- starting and stopping -------------------------------------------------------------------------------------

    def start_entry(
        self, args: PreparePositionEntryArgs, now: datetime, records: Records
    ) -> StartPreparePositionEntryResult:
        """Raises Refused."""
        records.admit(_OPERATIONS["entry"], args.idempotency_key, args, now)
        definition = self._strategies.definition(args.strategy_id)
        self._accounts.kept(args.broker_account_id)
        require_provider(args.data_provider, needed=False)
        if not args.position_name.strip():
            raise bad("PositionName", "a position has a name", fields={"PositionName": ["not blank"]})
        require_constraint(str(args.leg_selection_constraint))
        symbol = definition.symbol if args.underlying is None else args.underlying.symbol
        if symbol not in self._core.market.optioned:
            raise bad("Underlying", f"this market has no options on {symbol}")
        answer = StartPreparePositionEntryResult(job_id=self._name(args.idempotency_key, now))
        self._start("entry", args, answer, now, records)
        return answer

    def start_exit(
        self, args: PreparePositionExitArgs, now: datetime, records: Records
    ) -> StartPreparePositionExitResult:
        """Raises Refused."""
        records.admit(_OPERATIONS["exit"], args.idempotency_key, args, now)
        require_provider(args.data_provider, needed=False)
        position = self._positions.get(args.position_id)
        if position.state == LivePositionState.CLOSED:
            raise bad("Closed", f"position {position.id} is closed")
        answer = StartPreparePositionExitResult(job_id=self._name(args.idempotency_key, now))
        self._start("exit", args, answer, now, records)
        return answer

    def start_adjustment(
        self, args: PreparePositionAdjustmentArgs, now: datetime, records: Records
    ) -> StartPreparePositionAdjustmentResult:
        """Raises Refused."""
        records.admit(_OPERATIONS["adjustment"], args.idempotency_key, args, now)
        require_provider(args.data_provider, needed=False)
        self._adjustments.admit(args)
        answer = StartPreparePositionAdjustmentResult(job_id=self._name(args.idempotency_key, now))
        self._start("adjustment", args, answer, now, records)
        return answer

    def cancel(
        self, kind: Kind, operation: str, args: CancelJobArgs, now: datetime, records: Records
    ) -> dict[str, Any]:
        """Best effort: what has ended stays as it ended. Raises Refused."""
        records.admit(operation, args.idempotency_key, args, now)
        job = self.get(args.job_id, kind)
        status = job.status if job.status != PreparationStatus.RUNNING else str(PreparationStatus.CANCELLED)
        answer = {"job_id": job.job, "status": status}
        with self._core.change(now):
            if status != job.status:
                self._end(job, now, status, plan=None, error=None)
            records.add(
                operation,
                args.idempotency_key,
                args,
                now,
                METHODS[operation].result_model.model_validate(answer, context="write"),
                job_id=job.job,
            )
        return answer

    def _name(self, key: str, now: datetime) -> str:
        return f"job-{hexes(self._core.seed, 'job', key, written(now), digits=16)}"

    def _start(
        self,
        kind: Kind,
        args: _StartArgs,
        answer: _Started,
        now: datetime,
        records: Records,
    ) -> None:
        key, operation = args.idempotency_key, _OPERATIONS[kind]
        takes = log_normal(self._core.seed, "prepare", key, median=_MEDIAN_S, sigma=_SIGMA)
        due = now + min(max(timedelta(seconds=round(takes, 3)), _LEAST), _MOST)
        running = str(PreparationStatus.RUNNING)
        with self._core.change(now):
            self._core.store.run(
                "INSERT INTO jobs (id, job, kind, args, status, created, updated, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._core.store.next_id("jobs"),
                    answer.job_id,
                    kind,
                    packed(args.wire()),
                    running,
                    written(now),
                    written(now),
                    written(due),
                ),
            )
            records.add(operation, key, args, now, answer, job_id=answer.job_id)

    # --- reading ---------------------------------------------------------------------------------------------------

    def get(self, name: str, kind: Kind) -> Job:
        found = self._row("job = ? AND kind = ?", (name, kind))
        if found is None:
            raise missing(f"{kind} job", name)
        return found

    def status(self, name: str, kind: Kind) -> dict[str, Any]:
        job = self.get(name, kind)
        return {
            "job_id": job.job,
            "status": job.status,
            "result": None if job.plan is None else self._plans.result(job.plan),
            "error": job.error,
            "created_at": job.created,
            "updated_at": job.updated,
        }

    def record_fields(self, name: str) -> dict[str, Any]:
        """What an idempotency record tells of the job that its call started."""
        job = self._row("job = ?", (name,))
        if job is None:
            return {}
        return {
            "job_status": job.status,
            "job_result": None if job.plan is None else self._plans.result(job.plan).wire(),
            "job_error_message": job.error,
            "live_exec_plan_id": job.plan,
            "updated_at": job.updated,
        }

    def next_due(self) -> datetime | None:
        row = self._core.store.row("SELECT min(due) FROM jobs WHERE status = 'Running'")
        return None if row is None or row[0] is None else moment_of(row[0])

    def _row(self, where: str, args: tuple[object, ...]) -> Job | None:
        row = self._core.store.row(
            f"SELECT id, job, kind, args, status, created, updated, due, plan, error FROM jobs WHERE {where}",
            args,
        )
        if row is None:
            return None
        id, job, kind, text, status, created, updated, due, plan, error = row
        times = moment_of(created), moment_of(updated), moment_of(due)
        return Job(id, job, kind, unpacked(text), status, *times, plan, error)

    # --- ending ----------------------------------------------------------------------------------------------------

    def end(self, due: datetime) -> None:
        """Let the first job that is due at a time end, at that time."""
        job = self._row("status = 'Running' AND due = ? ORDER BY id LIMIT 1", (written(due),))
        assert job is not None, "a job is due then"
        with self._core.change(due):
            try:
                plan, error = self._plan(job), None
            # Arithmetic that overflows is the definition's fault, and must not leave a job that can never end.
            except (Impossible, Refused, ArithmeticError) as refusal:
                plan, error = None, refusal.detail if isinstance(refusal, Refused) else str(refusal)
            status = PreparationStatus.FAILED if plan is None else PreparationStatus.COMPLETED
            self._end(job, due, str(status), plan, error)

    def _plan(self, job: Job) -> int:
        self._require_quotes(job)
        match job.kind:
            case "entry":
                return self._entry(job)
            case "exit":
                return self._exit(job)
            case _:
                args = PreparePositionAdjustmentArgs.read(job.args)
                position = self._positions.get(args.position_id)
                margin = self._strategies.definition(position.live_strategy_id).margin
                known = self.names(position.broker_account_id, job.due, margin)
                return self._adjustments.plan(args, job.due, known)

    def _require_quotes(self, job: Job) -> None:
        """Without an agent nothing is prepared. Raises Impossible."""
        provider, account = job.args.get("DataProvider"), self._whose(job)[2]
        broker = str(self._accounts.kept(account)[1].broker_type)
        gone = all_away((provider,) if provider else serving(broker), job.due, self._core.faults)
        if gone is not None:
            raise Impossible(f"there are no quotes: {gone}")

    def _entry(self, job: Job) -> int:
        args = PreparePositionEntryArgs.read(job.args)
        definition = self._strategies.definition(args.strategy_id)
        symbol = definition.symbol if args.underlying is None else args.underlying.symbol
        if symbol != definition.symbol:
            raise bad(
                "Underlying",
                f"an entry on another underlying than {definition.symbol} is not in this version",
            )
        constraint = str(args.leg_selection_constraint)
        circumstances = Circumstances(
            today=self._core.market.calendar.local_date(job.due),
            names=self.names(args.broker_account_id, job.due, definition.margin),
            used=self._positions.used() if constraint == "FullyUnique" else frozenset(),
            unique_in_position=constraint != "None",
        )
        found = preview(definition, self._core.market.at(job.due), circumstances, self._core.lua)
        of = EntryOf(
            position_name=args.position_name,
            strategy=args.strategy_id,
            strategy_name=self._strategies.name(args.strategy_id),
            account=args.broker_account_id,
            symbol=symbol,
        )
        return self._plans.add_entry(of, found, job.due).exec_plan_id

    def names(self, account: str, at: datetime, margin: MarginRule | None = None) -> Known:
        """What the language knows of account, underlying and calendar; `margin`: the definition's."""
        return Known(self._core, self._accounts, self._positions, account, at, margin)

    def _exit(self, job: Job) -> int:
        args = PreparePositionExitArgs.read(job.args)
        position = self._positions.get(args.position_id)
        legs = self._positions.legs(position.id, open_only=True)
        if not legs:
            raise bad("Closed", f"position {position.id} holds nothing any more")
        variables = self._positions.variables(position.id, job.due)
        return self._plans.add_exit(position, legs, variables, job.due).exec_plan_id

    def _end(self, job: Job, at: datetime, status: str, plan: int | None, error: str | None) -> None:
        self._core.store.run(
            "UPDATE jobs SET status = ?, updated = ?, plan = ?, error = ? WHERE id = ?",
            (status, written(at), plan, error, job.id),
        )
        if status == PreparationStatus.CANCELLED:
            return
        strategy, name, account = self._whose(job)
        fields: dict[str, Any] = {"strategy_name": name, "broker_account_id": account, "job_id": job.job}
        ended: Literal["CompletedEvent", "FailedEvent"] = (
            "CompletedEvent" if plan is not None else "FailedEvent"
        )
        fields |= {"error": error} if plan is None else {"result": self._plans.result(plan)}
        self._core.events.add(_EVENTS[job.kind] + ended, at, fields, strategy)

    def _whose(self, job: Job) -> tuple[int, str, str]:
        """Strategy, its name, and account; the strategy may be gone by now."""
        if job.kind != "entry":
            position = self._positions.get(job.args["PositionId"])
            return position.live_strategy_id, position.strategy_name, position.broker_account_id
        args = PreparePositionEntryArgs.read(job.args)
        try:
            name = self._strategies.name(args.strategy_id)
        except Refused:
            name = str(args.strategy_id)
        return args.strategy_id, name, args.broker_account_id
