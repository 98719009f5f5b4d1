"""SignalR's messages as values, and their numbers. What a server neither reads nor writes is not here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

from mesoflow.simulator.wire.core import VOID


class Kind(IntEnum):
    """The `type` of a message."""

    INVOCATION = 1
    STREAM_ITEM = 2
    COMPLETION = 3
    STREAM_INVOCATION = 4
    CANCEL = 5
    PING = 6
    CLOSE = 7


class Malformed(Exception):
    """The client sent what is no SignalR message; the connection ends."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call; without an id no answer is due, ever. `streams`: the upload streams it announces."""

    target: str
    arguments: list[Any]
    id: str | None = None
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamInvocation:
    target: str
    arguments: list[Any]
    id: str
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamItem:
    id: str
    item: Any


@dataclass(frozen=True, slots=True)
class Completion:
    """A result (None is null), or VOID, or an error."""

    id: str
    result: Any = VOID
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CancelInvocation:
    id: str


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Close:
    error: str | None = None
    allow_reconnect: bool = False


Message: TypeAlias = Invocation | StreamInvocation | StreamItem | Completion | CancelInvocation | Ping | Close
