"""Executions: what really traded."""

from decimal import Decimal

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire


class LiveExecution(Wire):
    """One execution of one leg: signed contracts, points without commission, commission in dollars."""

    id: int | None = None
    live_leg_id: int | None = None
    leg_name: str | None = None
    live_order_id: int | None = None
    price: Decimal
    qty: Decimal | None = None
    commission: Decimal | None = None
    executed_at: Instant | None = None


class ListExecutionsArgs(PageArgs):
    """Executions of an exec plan, an order or an account."""

    exec_plan_id: int | None = None
    live_order_id: int | None = None
    broker_account_id: str | None = None


class ListExecutionsResult(Page):
    """One page of executions."""

    executions: list[LiveExecution]


class GetExecutionArgs(Args):
    """Which execution."""

    execution_id: int


class GetExecutionResult(Wire):
    """One execution."""

    execution: LiveExecution


class GetExecutionsArgs(Args):
    """Which executions."""

    execution_ids: list[int]


class GetExecutionsResult(Wire):
    """Several executions."""

    executions: list[LiveExecution]
