"""What a hub is to the wire: the two protocols between them, and the errors whose text a client sees.

A hub behind these protocols can be served by any transport. Nothing here knows SignalR's encodings or sockets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol


class Caller(Protocol):
    """One connected client, as its hub sees it."""

    @property
    def connection_id(self) -> str: ...

    @property
    def closed(self) -> bool: ...

    def send(self, target: str, *arguments: Any) -> None:  # noqa: ANN401 - whatever the encoder can write
        """A callback. Never blocks; encoded at once, so what changes later is not seen. Nothing once closed."""

    def close(self, error: str | None = None, *, allow_reconnect: bool = False) -> None:
        """Say goodbye with a Close message, then close."""

    def abort(self) -> None:
        """Cut the connection without a word, as a network does."""


class HubApp(Protocol):
    """One hub. What it changes is durable before `invoke` returns: the reply leaves after that."""

    async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
        """The result of a call; None is null. Raises HubError; anything else is reported as unexpected."""

    def stream(self, target: str, arguments: list[Any], caller: Caller) -> AsyncIterator[object]:
        """The items of a stream. Raises HubError at once or while it is read; closed when the client cancels."""

    async def connected(self, caller: Caller) -> None:
        """After the handshake, before the first call."""

    async def disconnected(self, caller: Caller) -> None:
        """Once, however the connection ended."""


class _Void:
    """The result of a method that has none; `null` is another thing."""

    def __repr__(self) -> str:
        return "VOID"


VOID = _Void()


class HubError(Exception):
    """Its text reaches the client verbatim as the error of the completion."""


class UnknownMethod(HubError):
    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return f"Unknown hub method '{self.target}'"


class NotAStream(HubError):
    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return f"The client attempted to invoke the non-streaming '{self.target}' method with a streaming invocation."


class IsAStream(HubError):
    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return f"The client attempted to invoke the streaming '{self.target}' method with a non-streaming invocation."
