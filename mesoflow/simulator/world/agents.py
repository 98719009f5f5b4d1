"""Agents: the two programs that bring quotes and orders. Both are connected, unless a dial says otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mesoflow.simulator.faults import Faults
from mesoflow.simulator.world.errors import bad

CONNECTORS = ("IBKR", "TastyTrade")


def list_agents(now: datetime, faults: Faults | None = None) -> dict[str, Any]:
    """An agent that is connected takes a snapshot every second, also of an exchange that is closed."""
    return {"agents": [_agent(name, now, faults or Faults()) for name in CONNECTORS]}


def _agent(name: str, now: datetime, faults: Faults) -> dict[str, Any]:
    gone = [
        away.start
        for connector, away in faults.agents_away
        if connector == name and away.start <= now < away.end
    ]
    at = min([*gone, now]).replace(microsecond=0)
    return {
        "provider": name,
        "connector": connector_of(name, faults),
        "is_connected": not gone,
        "last_snapshot_at": at,
    }


def connector_of(name: str, faults: Faults) -> str:
    """What an agent's connector is called: as the broker of its accounts, unless a dial says otherwise."""
    return f"{name}Gateway" if faults.agent_of_account else name


def require_provider(provider: object, *, needed: bool) -> None:
    """A data provider is one of the agents. Raises Refused."""
    if provider is None and not needed:
        return
    if provider is None or str(provider) not in CONNECTORS:
        raise bad(
            "Provider",
            f"no agent provides {provider!s}",
            fields={"Provider": [f"one of {', '.join(CONNECTORS)}"]},
        )
