"""The seam between a run and a MesoLive: one Protocol, its real form hubs/client.py, its in-memory twin in tests.

A run keeps its encoding ("json" or "messagepack"); `encode` gives the exact bytes of the argument that an intent stores
and that `invoke` sends, and sends again, unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol


class Hub(Protocol):
    """Calls end in a result, or raise CallRefused, NotSent or OutcomeUnknown (hubs/errors.py); nothing hangs."""

    @property
    def encoding(self) -> str:
        """ "json" or "messagepack"."""

    def encode(self, method: str, args: Mapping[str, Any]) -> bytes:
        """The method's one argument as it goes on the wire. `args` in snake_case, idempotency_key included where due.

        Raises pydantic.ValidationError when the arguments do not fit the contract (a bug of ours)."""

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:  # noqa: ANN401 - a Value
        """Send it; the envelope's Data as a Value in snake_case (enums by name, times aware, decimals exact)."""

    async def fresh(self) -> None:
        """Close the control connection and open a new one, after which records may be asked for (EXECUTION.md §4).

        Raises ConnectFailed."""

    def listen(self, heard: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Call `heard(callback name, event in snake_case)` for every event, deduplicated by event id, in order, live or
        replayed. Called in the loop; must not block."""

    @property
    def cursor(self) -> int:
        """The newest EventSeqId up to which every event has been handed to `heard`."""

    async def close(self) -> None:
        """Close everything. Pending calls end as NotSent or OutcomeUnknown."""
