"""A hub whose answers are free of our secrets before anything sees them: what the journal keeps, it keeps for good.

Only a hub that a real key was given to is wrapped; the embedded simulator knows none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from mesoflow.hubs.errors import CallRefused, OutcomeUnknown
from mesoflow.hubs.hub import Hub
from mesoflow.logs import scrub, scrub_value


class Scrubbed:
    """The same hub; answers and refusals without secrets."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    @property
    def encoding(self) -> str:
        """The hub's."""
        return self._hub.encoding

    @property
    def cursor(self) -> int:
        """The hub's."""
        return self._hub.cursor

    def encode(self, method: str, args: Mapping[str, Any]) -> bytes:
        """The hub's."""
        return self._hub.encode(method, args)

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:  # noqa: ANN401 - a Value
        """The answer without secrets; raises as the hub does."""
        try:
            return scrub_value(await self._hub.invoke(method, argument, within=within))
        except CallRefused as refused:
            refused.message = scrub(refused.message)
            refused.fields = scrub_value(refused.fields)
            raise
        except OutcomeUnknown as unknown:
            unknown.reason = scrub(unknown.reason)
            raise

    async def fresh(self) -> None:
        """The hub's."""
        await self._hub.fresh()

    def listen(self, heard: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Events without secrets."""
        self._hub.listen(lambda name, event: heard(name, scrub_value(dict(event))))

    async def close(self) -> None:
        """The hub's."""
        await self._hub.close()
