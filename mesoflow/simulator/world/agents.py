"""Agents: the two programs that bring quotes. In this version both are always connected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mesoflow.simulator.world.errors import bad

CONNECTORS = ("IBKR", "TastyTrade")


def list_agents(now: datetime) -> dict[str, Any]:
    """An agent that is connected takes a snapshot every second, also of an exchange that is closed."""
    at = now.replace(microsecond=0)
    return {
        "agents": [
            {"provider": name, "connector": name, "is_connected": True, "last_snapshot_at": at}
            for name in CONNECTORS
        ]
    }


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
