"""The Control Hub: accounts, agents, strategies, positions, prepare jobs, fills and records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mesoflow.hubs.models.accounts import GetAccountArgs, ListAccountsArgs
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.contracts import GetLegArgs, GetLegsArgs, ListLegsArgs
from mesoflow.hubs.models.executions import GetExecutionArgs, GetExecutionsArgs, ListExecutionsArgs
from mesoflow.hubs.models.idempotency import GetIdempotencyRecordArgs
from mesoflow.hubs.models.orders import (
    ApplyPaperFillsArgs,
    CancelOrderArgs,
    GetOrderArgs,
    ListOrdersArgs,
    SendOrderArgs,
)
from mesoflow.hubs.models.positions import GetPositionArgs, ListPositionsArgs
from mesoflow.hubs.models.prepares import (
    CancelJobArgs,
    JobArgs,
    PreparePositionAdjustmentArgs,
    PreparePositionEntryArgs,
    PreparePositionExitArgs,
)
from mesoflow.hubs.models.strategies import (
    CreateStrategyArgs,
    DeleteStrategyArgs,
    GetStrategyArgs,
    ListStrategiesArgs,
    RenameStrategyArgs,
    UpdateStrategyArgs,
)
from mesoflow.simulator.clock import SimulatorClock
from mesoflow.simulator.hubs.base import Hub
from mesoflow.simulator.world.agents import list_agents
from mesoflow.simulator.world.positions import id_lists
from mesoflow.simulator.world.world import World

Answer = dict[str, Any]


class ControlHub(Hub):
    """One handler a method; each says in a line or a few what the world is asked."""

    name = "control"

    def __init__(self, world: World, clock: SimulatorClock, ahead: Callable[[], None]) -> None:
        super().__init__(world, clock, ahead)
        self.handlers = {
            "GetIdempotencyRecord": self._record,
            "ListAgents": lambda _, now: list_agents(now, world.faults),
            "ListAccounts": self._accounts,
            "GetAccount": self._account,
            "CreateStrategy": self._create,
            "UpdateStrategy": self._update,
            "RenameStrategy": self._rename,
            "DeleteStrategy": self._delete,
            "ListStrategies": self._strategies,
            "GetStrategy": self._strategy,
            "ListPositions": self._positions,
            "GetPosition": self._position,
            "ListLegs": self._list_legs,
            "GetLeg": self._leg,
            "GetLegs": self._legs,
            "StartPreparePositionEntry": self._start_entry,
            "GetPreparePositionEntryStatus": self._entry_status,
            "CancelPreparePositionEntry": self._cancel_entry,
            "StartPreparePositionExit": self._start_exit,
            "GetPreparePositionExitStatus": self._exit_status,
            "CancelPreparePositionExit": self._cancel_exit,
            "StartPreparePositionAdjustment": self._start_adjustment,
            "GetPreparePositionAdjustmentStatus": self._adjustment_status,
            "CancelPreparePositionAdjustment": self._cancel_adjustment,
            "SendOrder": self._send_order,
            "ApplyPaperFills": self._apply_fills,
            "CancelOrder": self._cancel_order,
            "GetOrder": self._order,
            "ListOrders": self._orders,
            "ListExecutions": self._list_executions,
            "GetExecution": self._execution,
            "GetExecutions": self._executions,
        }

    # --- records and accounts --------------------------------------------------------------------------------------

    def _record(self, args: GetIdempotencyRecordArgs, now: datetime) -> Wire:
        return self._world.records.read(args.idempotency_key, now)

    def _accounts(self, args: ListAccountsArgs, now: datetime) -> Answer:
        accounts, token = self._world.accounts.page(args.limit, args.continuation_token, now)
        return {"accounts": accounts, "continuation_token": token}

    def _account(self, args: GetAccountArgs, now: datetime) -> Answer:
        return {"account": self._world.accounts.get(args.broker_account_id, now)}

    # --- strategies ------------------------------------------------------------------------------------------------

    def _create(self, args: CreateStrategyArgs, now: datetime) -> Answer:
        return {"strategy_id": self._world.strategies.create(args, now)}

    def _update(self, args: UpdateStrategyArgs, now: datetime) -> Answer:
        return {"strategy_id": self._world.strategies.update(args, now)}

    def _rename(self, args: RenameStrategyArgs, now: datetime) -> Answer:
        return {"strategy_id": self._world.strategies.rename(args.strategy_id, args.name, now)}

    def _delete(self, args: DeleteStrategyArgs, now: datetime) -> Answer:
        return {"strategy_id": self._world.strategies.delete(args.strategy_id, bool(args.force), now)}

    def _strategies(self, args: ListStrategiesArgs, _: datetime) -> Answer:
        strategies, token = self._world.strategies.page(
            args.active_on_accounts, args.limit, args.continuation_token
        )
        return {"strategies": strategies, "continuation_token": token}

    def _strategy(self, args: GetStrategyArgs, _: datetime) -> Answer:
        return {"strategy": self._world.strategies.get(args.strategy_id)}

    # --- positions -------------------------------------------------------------------------------------------------

    def _positions(self, args: ListPositionsArgs, _: datetime) -> Answer:
        where, values = _where(
            ("account = ?", args.broker_account_id),
            ("strategy = ?", args.live_strategy_id),
            ("id IN (SELECT position FROM position_plans WHERE plan = ?)", args.live_exec_plan_id),
        )
        positions, token = self._world.positions.page(where, values, args.limit, args.continuation_token)
        return {"positions": positions, "continuation_token": token}

    def _position(self, args: GetPositionArgs, now: datetime) -> Answer:
        positions = self._world.positions
        position, legs = positions.get(args.position_id), positions.legs(args.position_id)
        figures = positions.figures(legs, now)
        return {
            "position": position,
            "legs": legs,
            "vars": positions.variables(position.id, now),
            "position_prices": figures.prices(position.qty_multiplier),
            "position_greeks": figures.greeks(),
            "position_pnls": figures.pnl(),
        }

    def _list_legs(self, args: ListLegsArgs, _: datetime) -> Answer:
        where, values = _where(
            ("position = ?", args.live_position_id), ("account = ?", args.broker_account_id)
        )
        legs, token = self._world.positions.leg_page(where, values, args.limit, args.continuation_token)
        return {"legs": legs, "continuation_token": token}

    def _leg(self, args: GetLegArgs, _: datetime) -> Answer:
        return {"leg": self._world.positions.leg(args.leg_id)}

    def _legs(self, args: GetLegsArgs, _: datetime) -> Answer:
        where, values = id_lists(args.leg_ids)
        legs = [leg for _, leg in self._world.positions.leg_documents.find(where, values)]
        return {"legs": legs}

    def _list_executions(self, args: ListExecutionsArgs, _: datetime) -> Answer:
        where, values = _where(
            ("plan = ?", args.exec_plan_id),
            ("live_order = ?", args.live_order_id),
            ("account = ?", args.broker_account_id),
        )
        found, token = self._world.positions.execution_page(
            where, values, args.limit, args.continuation_token
        )
        return {"executions": found, "continuation_token": token}

    def _execution(self, args: GetExecutionArgs, _: datetime) -> Answer:
        return {"execution": self._world.positions.execution(args.execution_id)}

    def _executions(self, args: GetExecutionsArgs, _: datetime) -> Answer:
        where, values = id_lists(args.execution_ids)
        return {"executions": [found for _, found in self._world.positions.executions.find(where, values)]}

    # --- prepare jobs ----------------------------------------------------------------------------------------------

    def _start_entry(self, args: PreparePositionEntryArgs, now: datetime) -> Wire:
        return self._world.jobs.start_entry(args, now, self._world.records)

    def _entry_status(self, args: JobArgs, _: datetime) -> Answer:
        return self._world.jobs.status(args.job_id, "entry")

    def _cancel_entry(self, args: CancelJobArgs, now: datetime) -> Answer:
        return self._world.jobs.cancel("entry", "CancelPreparePositionEntry", args, now, self._world.records)

    def _start_exit(self, args: PreparePositionExitArgs, now: datetime) -> Wire:
        return self._world.jobs.start_exit(args, now, self._world.records)

    def _exit_status(self, args: JobArgs, _: datetime) -> Answer:
        return self._world.jobs.status(args.job_id, "exit")

    def _cancel_exit(self, args: CancelJobArgs, now: datetime) -> Answer:
        return self._world.jobs.cancel("exit", "CancelPreparePositionExit", args, now, self._world.records)

    def _start_adjustment(self, args: PreparePositionAdjustmentArgs, now: datetime) -> Wire:
        return self._world.jobs.start_adjustment(args, now, self._world.records)

    def _adjustment_status(self, args: JobArgs, _: datetime) -> Answer:
        return self._world.jobs.status(args.job_id, "adjustment")

    def _cancel_adjustment(self, args: CancelJobArgs, now: datetime) -> Answer:
        return self._world.jobs.cancel(
            "adjustment", "CancelPreparePositionAdjustment", args, now, self._world.records
        )

    # --- trading ---------------------------------------------------------------------------------------------------

    def _apply_fills(self, args: ApplyPaperFillsArgs, now: datetime) -> Wire:
        return self._world.fills.apply(args, now, self._world.records)

    def _send_order(self, args: SendOrderArgs, now: datetime) -> Wire:
        return self._world.broker.desk.send(args, now, self._world.records)

    def _cancel_order(self, args: CancelOrderArgs, now: datetime) -> Wire:
        return self._world.broker.desk.cancel(args, now, self._world.records)

    def _order(self, args: GetOrderArgs, now: datetime) -> Answer:
        return {"order": self._world.broker.desk.get(args.live_order_id, now)}

    def _orders(self, args: ListOrdersArgs, now: datetime) -> Answer:
        orders, token = self._world.broker.desk.page(
            args.exec_plan_id, args.broker_account_id, args.limit, args.continuation_token, now
        )
        return {"orders": orders, "continuation_token": token}


def _where(*conditions: tuple[str, object]) -> tuple[str, list[object]]:
    """Those that were asked for, all of them together."""
    asked = [(text, value) for text, value in conditions if value is not None]
    return " AND ".join(text for text, _ in asked) or "1", [value for _, value in asked]
