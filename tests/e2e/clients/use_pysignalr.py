"""Stock pysignalr against a served echo hub: `use_pysignalr.py URL PROTOCOL`. Prints what it saw, one JSON line each.

A process of its own: importing pysignalr changes `websockets` for the whole process.
"""

import asyncio
import json
import sys
from typing import Any

from pysignalr.client import SignalRClient
from pysignalr.protocol.json import JSONProtocol
from pysignalr.protocol.messagepack import MessagepackProtocol

WITHIN_S = 10


def say(saw: str, value: Any) -> None:
    print(json.dumps({"saw": saw, "value": value}, default=str), flush=True)


async def main(url: str, protocol: str) -> None:
    chosen = MessagepackProtocol() if protocol == "messagepack" else JSONProtocol()
    # Its access_token_factory is asked only after the negotiation that it is for.
    hub = SignalRClient(url, protocol=chosen, headers={"Authorization": "Bearer any"}, retry_count=1)
    opened, ticks = asyncio.Event(), list[Any]()

    async def open_() -> None:
        opened.set()

    async def tick(arguments: Any) -> None:
        ticks.append(arguments)

    hub.on_open(open_)
    hub.on("OnTick", tick)
    running = asyncio.create_task(hub.run())
    async with asyncio.timeout(WITHIN_S):
        await opened.wait()
    say("opened", True)

    async def call(target: str, *arguments: Any) -> Any:
        answer = asyncio.get_running_loop().create_future()

        async def take(message: Any) -> None:
            answer.set_result(message.result)

        await hub.send(target, list(arguments), on_invocation=take)
        async with asyncio.timeout(WITHIN_S):
            return await answer

    say("text", await call("Echo", "héllo"))
    say("tree", await call("Echo", {"A": [1, None, True]}))
    say("price", (await call("Money"))["Price"])
    say("answer", await call("CallMe", 3))
    say("ticks", ticks)
    streamed, items = asyncio.Event(), list[Any]()

    async def take_item(item: Any) -> None:
        items.append(item)

    async def end(_: Any) -> None:
        streamed.set()

    await hub.stream("Count", [2], on_next=take_item, on_complete=end, on_error=end)
    async with asyncio.timeout(WITHIN_S):
        await streamed.wait()
    say("streamed", items)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
