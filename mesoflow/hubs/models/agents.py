"""Agents: the programs that connect a broker to the hub."""

from mesoflow.hubs.models.base import Args, Instant, Wire
from mesoflow.hubs.models.enums import AConnector


class AgentInfo(Wire):
    """One agent. Field names are inferred; that the hub tells connector and last snapshot is documented."""

    provider: str | None = None
    connector: AConnector | None = None
    is_connected: bool | None = None
    last_snapshot_at: Instant | None = None  # when it last produced market data, if known


class ListAgentsArgs(Args):
    """No fields."""


class ListAgentsResult(Wire):
    """Who is connected."""

    agents: list[AgentInfo]
