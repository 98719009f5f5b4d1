"""Agents: the two programs that bring quotes and orders. Both are connected, unless a dial says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from mesoflow.simulator.faults import Faults
from mesoflow.simulator.world.errors import bad

CONNECTORS = ("IBKR", "TastyTrade")


def list_agents(now: datetime, faults: Faults | None = None) -> dict[str, Any]:
    """An agent that is connected takes a snapshot every second, also of an exchange that is closed."""
    return {"agents": [_agent(name, now, faults or Faults()) for name in CONNECTORS]}


def _agent(name: str, now: datetime, faults: Faults) -> dict[str, Any]:
    at = _seen(name, now, faults)
    return {
        "provider": name,
        "connector": connector_of(name, faults),
        "is_connected": at == now and faults.agent_back(name, now) is None,
        "last_snapshot_at": at.replace(microsecond=0),
    }


def serving(broker: str) -> tuple[str, ...]:
    """Whose quotes an account gets: its broker's; on paper those of any agent."""
    return (broker,) if broker in CONNECTORS else CONNECTORS


def all_away(agents: Sequence[str], at: datetime, faults: Faults) -> str | None:
    """Why some agents bring no quotes; None: one of them does."""
    if any(faults.agent_back(name, at) is None for name in agents):
        return None
    return f"agent {' and '.join(agents)} is not connected"


def quotes_seen(agents: Iterable[str], now: datetime, faults: Faults) -> datetime:
    """Until when the freshest of some agents has brought quotes: now, or when the last of them went."""
    return max((_seen(name, now, faults) for name in agents), default=now)


def _seen(name: str, now: datetime, faults: Faults) -> datetime:
    gone = (
        away.start
        for connector, away in faults.agents_away
        if connector == name and away.start <= now < away.end
    )
    return min([now, *gone])


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
