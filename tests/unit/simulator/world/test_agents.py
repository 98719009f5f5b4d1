from datetime import UTC, datetime

import pytest

from mesoflow.simulator.world.agents import list_agents, require_provider
from mesoflow.simulator.world.errors import Refused


def test_both_agents_have_a_snapshot_of_this_second() -> None:
    now = datetime(2025, 1, 18, 3, 0, 0, 900_000, tzinfo=UTC)
    rows = list_agents(now)["agents"]
    assert [(row["provider"], row["is_connected"], row["last_snapshot_at"]) for row in rows] == [
        ("IBKR", True, now.replace(microsecond=0)),
        ("TastyTrade", True, now.replace(microsecond=0)),
    ]


def test_a_provider_is_one_of_the_agents() -> None:
    require_provider("IBKR", needed=True)
    require_provider(None, needed=False)
    for provider, needed in ((None, True), ("Nobody", False), ("ibkr", True)):
        with pytest.raises(Refused, match=f"no agent provides {provider}"):
            require_provider(provider, needed=needed)
