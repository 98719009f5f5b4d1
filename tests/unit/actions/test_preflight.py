"""What the engine makes sure of before step 1."""

from typing import Any

from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.preflight import ERRORS, preflight
from mesoflow.engine.action import Context
from mesoflow.playbook.lint.rules import PREFLIGHT_ERRORS
from tests.support.acting import Acted, Script, act, context
from tests.support.answers import account, agent, agents


class Nothing(Inputs):
    pass


@action("engine.preflight", "read", inputs=Nothing)
def before(ctx: Context, inputs: Nothing) -> Acting[None]:
    yield from preflight(ctx)


def check(ctx: Any, *rows: dict[str, Any]) -> Acted:
    return act(
        before, {}, Script().answers("GetAccount", account()).answers("ListAgents", agents(*rows)), ctx
    )


def test_every_account_is_read_and_served() -> None:
    ctx = context(provider=None, account=None, risk={"accounts": ["PAPER-1", "IB/1"]})
    acted = check(ctx, agent("TastyTrade"), agent("IBKR"))
    assert acted.asked == [
        "account/each[PAPER-1]/account: GetAccount",
        "account/each[PAPER-1]/agents: ListAgents",
        "account/each[IB%2F1]/account: GetAccount",
        "account/each[IB%2F1]/agents: ListAgents",
    ]
    assert ctx.provider == "IBKR"


def test_nobody_who_serves() -> None:
    assert check(context(), agent(connected=False)).code == "agent_offline"
    assert check(context(), agent(age_s=None)).code == "agent_stale"


def test_a_playbook_without_accounts_needs_nobody() -> None:
    assert check(context(risk={}, account=None)).asked == []


def test_what_it_can_end_with_is_what_the_checker_knows() -> None:
    no_account = Script().refuses("GetAccount", "NotFound")
    ended_in = {
        act(before, {}, no_account, context()).code,
        check(context(), agent(connected=False)).code,
        check(context(), agent(age_s=None)).code,
    }
    assert ended_in == set(ERRORS) == set(PREFLIGHT_ERRORS)
