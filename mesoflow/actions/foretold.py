"""Forecasts of trading steps: what they might ask of the world, on a paper account and at a broker.

A preview does not know the account's kind, the leg groups or the prices, so numbers in paths are a `*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mesoflow.actions.adjustments import JOB as ADJUSTMENT
from mesoflow.actions.base import Acting
from mesoflow.actions.exits import JOB as EXIT
from mesoflow.actions.hub import call, place, sleep, withdraw
from mesoflow.actions.jobs import JobKind
from mesoflow.actions.unknown import Unknown, is_known
from mesoflow.actions.values import ExecPlan
from mesoflow.engine.effects import Tell, Value
from mesoflow.trading.orders import Order, OrderFacts

_THEN = datetime.max.replace(tzinfo=UTC)


def known_of_plan(plan: Any, names: tuple[str, ...]) -> dict[str, Value]:  # noqa: ANN401 - a plan, or unknowns for one
    """Those figures of a plan that a preview knows."""
    found = {name: of_plan(plan, name) for name in names}
    return {name: value for name, value in found.items() if is_known(value) and value is not None}


def of_plan(plan: Any, name: str) -> Value:  # noqa: ANN401
    """A figure of the plan, which in a preview is a mapping that holds unknowns, or an unknown as a whole."""
    if isinstance(plan, ExecPlan):
        return getattr(plan, name)
    if isinstance(plan, Mapping):
        return plan.get(name)
    fields = plan.fields if isinstance(plan, Unknown) else None
    return (fields or {}).get(name, Unknown("any"))


def trading_forecast(
    plan: Any,  # noqa: ANN401
    until: str,
    *,
    books: bool = True,
    stops: bool = False,
    unwinds: bool = False,
) -> Acting[None]:
    """A booking, or rungs of walks, and what may come of them. `stops`: orders may be taken back with no walk around."""
    if books:
        yield from booking_forecast(plan, until)
    yield from walk_forecast(plan, until, "group-*/rung-*")
    if stops:
        yield from withdraw(
            "group-*/stop/cancel", "CancelOrder", {"live_order_id": Unknown("integer", until)}
        )
    yield Tell("page", (), "incomplete", Unknown("string", until), "page")
    if unwinds:
        yield from prepare_forecast("unwind/prepare", until)
        yield from walk_forecast(Unknown("ExecPlan", until), until, "unwind/group-*/rung-*")


def booking_forecast(plan: Any, until: str) -> Acting[None]:  # noqa: ANN401
    """One booking on paper; again where it did not leave or an exit is paused."""
    yield from place("fill", _booking(plan, until))
    yield from sleep("pause", _THEN)


def walk_forecast(plan: Any, until: str, rung: str) -> Acting[None]:  # noqa: ANN401
    """One rung: sent, watched, taken back; what is left of an exit is prepared again."""
    yield from place(f"{rung}/send", _rung(plan, until))
    yield from sleep(f"{rung}/pause", _THEN)
    yield from sleep(f"{rung}/watch*/pause", _THEN)
    yield from withdraw(f"{rung}/cancel", "CancelOrder", {"live_order_id": Unknown("integer", until)})
    if of_plan(plan, "kind") != "entry":
        yield from withdraw(
            f"{rung}/clear-*/cancel", "CancelOrder", {"live_order_id": Unknown("integer", until)}
        )
        yield Tell(f"{rung}/page", (), "paused", Unknown("string", until), "page")
        yield from prepare_forecast(f"{rung}/prepare", until, *_jobs_of(of_plan(plan, "kind")))


def prepare_forecast(name: str, until: str, *jobs: JobKind[Any]) -> Acting[None]:
    """A prepare within a trading step: an exit, unless another job is named."""
    for job in jobs or (EXIT,):
        yield from call(f"{name}/start", job.start, {"position_id": Unknown("integer", until)})
        yield from withdraw(f"{name}/stop", job.cancel, {"job_id": Unknown("string", until)})


def _jobs_of(kind: Value) -> tuple[JobKind[Any], ...]:
    """By which jobs what is left of a plan is prepared again."""
    if kind == "exit":
        return (EXIT,)
    return (ADJUSTMENT,) if kind == "adjustment" else (EXIT, ADJUSTMENT)


def _booking(plan: Any, until: str) -> Order:  # noqa: ANN401
    args: dict[str, Value] = {
        "broker_account_id": of_plan(plan, "broker_account_id"),
        "exec_plan_id": of_plan(plan, "exec_plan_id"),
        "qty_multiplier": of_plan(plan, "lots") if of_plan(plan, "kind") == "entry" else None,
        "paper_leg_fills": Unknown("map<PaperLegFill>", until),
    }
    return _order("ApplyPaperFills", plan, args)


def _rung(plan: Any, until: str) -> Order:  # noqa: ANN401
    args: dict[str, Value] = {
        "replaces_order": None,
        "broker_account_id": of_plan(plan, "broker_account_id"),
        "exec_plan_id": of_plan(plan, "exec_plan_id"),
        "qty_multiplier": Unknown("decimal", until),
        "leg_group_id": Unknown("integer", until),
        "leg_group_order": Unknown("map", until),
    }
    return _order("SendOrder", plan, args)


def _order(method: Any, plan: Any, args: dict[str, Value]) -> Order:  # noqa: ANN401
    return Order(
        method=method,
        account=args["broker_account_id"],
        kind=of_plan(plan, "kind"),
        exec_plan_id=args["exec_plan_id"],
        position_id=of_plan(plan, "position_id"),
        strategy_id=of_plan(plan, "strategy_id"),
        symbol="",
        legs=(),
        groups=(),
        facts=OrderFacts(None, None, (), None),
        args=args,
    )
