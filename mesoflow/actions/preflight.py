"""What the engine itself makes sure of before step 1, and again before a run is resumed: each account of `risk` can be read,
and its agent serves it.

No playbook writes this, so none can forget it. What fails here is an error like any other. The provider of the first
account's agent is the default of every later read, unless the hub's profile names another.
"""

from __future__ import annotations

from mesoflow.actions.agents import require_agent
from mesoflow.actions.base import Acting
from mesoflow.engine.action import Context
from mesoflow.engine.paths import item

# What it can end with, besides what any read can; the checker knows them by the same names (playbook/lint/rules.py).
ERRORS = ("account_not_found", "agent_offline", "agent_stale")


def preflight(ctx: Context) -> Acting[None]:
    """Read each account and find its agent; effects are named by the account."""
    accounts = ctx.risk.get("accounts") or ([ctx.account] if ctx.account else [])
    provider = ctx.hub.get("provider")
    for account_id in accounts:
        agent = yield from require_agent(ctx, account_id, prefix=item("account", account_id) + "/")
        provider = provider or agent.provider
    ctx.provider = provider
