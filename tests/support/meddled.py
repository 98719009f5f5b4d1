"""A simulated world as `doctor` meets it, with a hand in between that may change what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import CallRefused, OutcomeUnknown
from tests.support.worlds import Desk, as_json

# (method, envelope as decoded) → the envelope, or an exception to raise.
Meddle = Callable[[str, dict[str, Any]], Any]


class MeddledHub:
    """What mesoflow.cli.doctor.visit asks of a MesoLive."""

    def __init__(self, desk: Desk, meddle: Meddle = lambda _, envelope: envelope) -> None:
        self.desk, self.meddle = desk, meddle
        self.asked: list[str] = []

    def encode(self, method: str, args: Mapping[str, Any]) -> bytes:
        return msgspec.json.encode(as_json(METHODS[method].args_model.write(args).wire()))

    async def answer(self, method: str, argument: bytes, *, within: object) -> Any:
        self.asked.append(method)
        hub = self.desk.hub(METHODS[method].hub)
        envelope = as_json(await hub.invoke(method, [msgspec.json.decode(argument)], self.desk.caller))
        return raised(self.meddle(method, envelope))

    @asynccontextmanager
    async def items(self, method: str, argument: bytes) -> AsyncIterator[AsyncIterator[Any]]:
        self.asked.append(method)
        stream = self.desk.hub("data").stream(method, [msgspec.json.decode(argument)], self.desk.caller)
        yield (raised(self.meddle(method, as_json(item))) async for item in stream)
        await stream.aclose()  # type: ignore[attr-defined]

    async def unknown(self, hub: str, name: str, *, within: object) -> None:
        answer = self.meddle("unknown", {"text": f"Unknown hub method '{name}'"})
        raise CallRefused(name, "HubError", answer["text"])


def raised(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def silence(method: str) -> OutcomeUnknown:
    return OutcomeUnknown(method, "no answer in 15 s")
