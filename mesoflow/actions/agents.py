"""Agents: `agent.require`. Its provider is the default of every later read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from mesoflow.actions.accounts import read_account, require_allowed
from mesoflow.actions.base import Acting, Inputs, Outputs, account_of, action
from mesoflow.actions.hub import PATIENCE, Overdue, insist
from mesoflow.actions.kinds import Duration, Seconds
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.inferred import agent_of
from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.hubs.models.agents import AgentInfo, ListAgentsResult

SNAPSHOT_AGE_MAX = timedelta(seconds=15)


class Requirement(Inputs):
    """Inputs of `agent.require`."""

    broker_account_id: str | None = Field(
        None, description="whose agent; without it that of risk.accounts", examples=["PAPER-1"]
    )
    max_age: Duration = Field(SNAPSHOT_AGE_MAX, description="oldest snapshot accepted", examples=["15s"])


class Agent(Outputs):
    """Outputs of `agent.require`."""

    provider: str = Field(description="the data provider of every later read", examples=["IBKR"])
    connector: str = Field(description="the broker's connector", examples=["IBKR"])
    snapshot_age: Seconds = Field(description="age of its last snapshot, in seconds", examples=[1])


@action(
    "agent.require",
    "read",
    inputs=Requirement,
    outputs=Agent,
    errors=("agent_offline", "agent_stale"),
    methods=("GetAccount", "ListAgents"),
)
def agent_require(ctx: Context, inputs: Requirement) -> Acting[Agent]:
    """The agent that serves the account is connected and its snapshot is fresh; its provider is the default of every later read."""
    agent = yield from require_agent(ctx, account_of(ctx, inputs.broker_account_id), max_age=inputs.max_age)
    ctx.provider = agent.provider
    return agent


def require_agent(
    ctx: Context, account_id: str, *, max_age: timedelta = SNAPSHOT_AGE_MAX, prefix: str = ""
) -> Acting[Agent]:
    """The agent of an account, connected and fresh; waited for as long as what may pass by itself is."""
    require_allowed(ctx, account_id)
    account = yield from read_account(f"{prefix}account", account_id)
    connector = None if account.is_paper_account else str(account.broker_type)
    look = _Look(account, connector, ctx.now + PATIENCE, prefix)
    listed = yield from _connected(look)
    age = _age(ctx, _serving(account, listed))
    if age is None or age > max_age:
        listed = yield from _fresh(look, max_age)
    agent = _serving(account, listed)
    age = _age(ctx, agent)
    if agent is None or age is None or agent.provider is None:
        raise StepError("agent_offline", f"no agent that serves {account_id} names its provider")
    return Agent(
        provider=agent.provider,
        connector=str(agent.connector),
        snapshot_age=Decimal(int(age.total_seconds())),
    )


def heard_from(
    ctx: Context, name: str, account: LiveAccount, until: datetime, overdue: Overdue = "refuse"
) -> Acting[datetime]:
    """When the agent of a broker's account last sent a word of itself: a fresh one, or `agent_stale`."""
    look = _Look(account, str(account.broker_type), until, "")
    listed = yield from _fresh(look, SNAPSHOT_AGE_MAX, name, overdue)
    agent = _serving(account, listed)
    if agent is None or agent.last_snapshot_at is None:
        raise StepError("agent_stale", f"no agent serves {account.broker_account_id}", {}, retryable=True)
    return agent.last_snapshot_at


def _serving(account: LiveAccount, listed: ListAgentsResult) -> AgentInfo | None:
    """The agent that serves the account, by the rule of hubs/inferred.py; one that tells no snapshot is not fresh."""
    found = agent_of(account.value(), listed.value()["agents"])
    return None if found is None else AgentInfo.read(found)


def _age(ctx: Context, agent: AgentInfo | None) -> timedelta | None:
    if agent is None or agent.last_snapshot_at is None:
        return None
    return max(ctx.now - agent.last_snapshot_at, timedelta(0))


@dataclass(frozen=True, slots=True)
class _Look:
    """For whose agent we look, until when, and below which name."""

    account: LiveAccount
    connector: str | None
    until: datetime
    prefix: str


def _connected(look: _Look) -> Acting[ListAgentsResult]:
    broker = f"{look.connector} " if look.connector else ""
    return (
        yield from insist(
            f"{look.prefix}agents",
            "ListAgents",
            {},
            ListAgentsResult,
            ready="agent_connected",
            params={"connector": look.connector},
            until=look.until,
            code="agent_offline",
            summary=f"no {broker}agent is connected for {look.account.broker_account_id}",
        )
    )


def _fresh(
    look: _Look, max_age: timedelta, name: str = "snapshot", overdue: Overdue = "refuse"
) -> Acting[ListAgentsResult]:
    seconds = int(max_age.total_seconds())
    params: dict[str, Value] = {"connector": look.connector, "max_age_s": seconds}
    return (
        yield from insist(
            f"{look.prefix}{name}",
            "ListAgents",
            {},
            ListAgentsResult,
            ready="agent_fresh",
            params=params,
            until=look.until,
            code="agent_stale",
            summary=f"the agent of {look.account.broker_account_id} has no snapshot of the last {seconds} s",
            overdue=overdue,
        )
    )
