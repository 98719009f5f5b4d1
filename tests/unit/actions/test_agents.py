"""agent.require: which agent serves an account, and when it is fresh enough."""

from decimal import Decimal

import pytest

from tests.support.acting import Script, act, context
from tests.support.answers import account, agent, agents


def script(*answers: dict, **of_account: object) -> Script:
    return Script().answers("GetAccount", account(**of_account)).answers("ListAgents", *answers)


def test_a_paper_account_is_served_by_the_freshest_agent() -> None:
    ctx = context(provider=None)
    acted = act(
        "agent.require", {}, script(agents(agent("IBKR", age_s=9), agent("TastyTrade", age_s=2))), ctx
    )
    assert acted.asked == ["account: GetAccount", "agents: ListAgents"]
    assert acted.outputs == {"provider": "TastyTrade", "connector": "TastyTrade", "snapshot_age": Decimal(2)}
    assert ctx.provider == "TastyTrade"


def test_equally_fresh_agents_are_taken_by_name() -> None:
    both = agents(agent("TastyTrade"), agent("IBKR"))
    assert act("agent.require", {}, script(both)).outputs["provider"] == "IBKR"


def test_a_broker_account_is_served_by_its_own_brokers_agent() -> None:
    both = agents(agent("IBKR", age_s=9), agent("TastyTrade", age_s=1))
    served = script(both, is_paper_account=False, broker_type="IBKR")
    assert act("agent.require", {}, served).outputs["provider"] == "IBKR"


def test_an_agent_that_comes_back_in_time_is_taken() -> None:
    acted = act("agent.require", {}, script(agents(), agents(agent(connected=False)), agents(agent())))
    assert acted.outputs["provider"] == "IBKR"


def test_a_snapshot_that_becomes_fresh_is_waited_for() -> None:
    acted = act("agent.require", {}, script(agents(agent(age_s=40)), agents(agent(age_s=1))))
    assert acted.asked == ["account: GetAccount", "agents: ListAgents", "snapshot: ListAgents"]
    assert acted.outputs["snapshot_age"] == Decimal(1)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (agent(connected=False), "agent_offline"),
        (agent(age_s=60), "agent_stale"),
        (agent(age_s=None), "agent_stale"),
    ],
)
def test_nobody_who_serves(row: dict, code: str) -> None:
    acted = act("agent.require", {}, script(agents(row)))
    assert (acted.code, acted.error.retryable) == (code, True)


def test_another_brokers_agent_does_not_serve() -> None:
    served = script(agents(agent("TastyTrade")), is_paper_account=False, broker_type="IBKR")
    acted = act("agent.require", {}, served)
    assert str(acted.error) == "agent_offline: no IBKR agent is connected for PAPER-1"
