"""A hand-written hub with everything a client can meet on the wire, and no market."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mesoflow.simulator.wire.core import VOID, Caller, HubError, IsAStream, NotAStream, UnknownMethod

PATH = "/hubs/echo"
START = datetime(2025, 1, 16, 15, tzinfo=UTC)
CALLS = frozenset(
    [
        "Echo",
        "Null",
        "Nothing",
        "Money",
        "ByLeg",
        "Fail",
        "Crash",
        "CallMe",
        "Remember",
        "Remembered",
        "Abort",
        "Goodbye",
        "StreamClosed",
        "Hold",
        "Unwritable",
    ]
)
STREAMS = frozenset({"Count", "CountThenFail", "CountThenCrash", "Forever"})


class EchoHub:
    """`remembered`, `callers`, `gone` and `hold` are for tests in the same process."""

    def __init__(self) -> None:
        self.remembered: list[object] = []
        self.callers: list[Caller] = []
        self.gone: list[Caller] = []
        self.hold = asyncio.Event()
        self._closed_streams: dict[Caller, asyncio.Event] = {}

    async def connected(self, caller: Caller) -> None:
        self.callers.append(caller)
        self._closed_streams[caller] = asyncio.Event()

    async def disconnected(self, caller: Caller) -> None:
        self.gone.append(caller)

    async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
        match target, arguments:
            case "Echo", [value]:
                return value
            case "Nothing", []:
                return VOID
            case "Null", []:
                return None
            case "Money", []:
                return {"Price": Decimal("12.50"), "At": START}
            case "ByLeg", []:
                return {7: Decimal("-0.05")}
            case "Fail", [text]:
                raise HubError(text)
            case "Crash", []:
                raise RuntimeError("not for the client's eyes")
            case "CallMe", [count]:
                for number in range(count):
                    caller.send("OnTick", number, "tick")
                return count
            case "Remember", [value]:
                self.remembered.append(value)
                return VOID
            case "Remembered", []:
                return self.remembered
            case "Abort", []:
                caller.abort()
                return VOID
            case "Goodbye", [allow]:
                caller.close(None if allow else "The hub closes.", allow_reconnect=allow)
                return VOID
            case "StreamClosed", []:
                async with asyncio.timeout(5):
                    await self._closed_streams[caller].wait()
                return True
            case "Hold", []:
                await self.hold.wait()
                return "held"
            case "Unwritable", []:
                return object()
        if target in STREAMS:
            raise IsAStream(target)
        if target not in CALLS:
            raise UnknownMethod(target)
        raise HubError(f"'{target}' does not take {len(arguments)} arguments")

    async def stream(self, target: str, arguments: list[Any], caller: Caller) -> AsyncIterator[object]:
        match target, arguments:
            case (("Count" | "CountThenFail" | "CountThenCrash"), [count]):
                for number in range(count):
                    yield {"N": number}
                if target == "CountThenFail":
                    raise HubError("The market is closed.")
                if target == "CountThenCrash":
                    raise RuntimeError("not for the client's eyes")
            case "Forever", []:
                try:
                    number = 0
                    while True:
                        yield {"N": number}
                        number += 1
                        await asyncio.sleep(0.005)
                finally:
                    self._closed_streams[caller].set()
            case _:
                raise NotAStream(target) if target in CALLS else UnknownMethod(target)
