"""`hub watch` and `hub stream`: what a hub sends by itself, until Ctrl-C, SIGTERM or as many as were asked for.

A stream that ends with its connection is begun again: its first item is the whole, so nothing needs to be remembered. Events
are replayed from the cursor over every reconnect by the client itself.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from mesoflow.cli.ground import Ground, to_read
from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.contract import HubName, Method
from mesoflow.hubs.errors import CallRefused, NotSent, OutcomeUnknown
from mesoflow.logs import scrub_value
from mesoflow.runtime.refusal import HUB_AWAY, HUB_REFUSED, Refusal

# A hub that is back takes a stream within this; while it is away nothing is asked.
AGAIN_S = 0.5

Show = Callable[[Mapping[str, Any]], None]


async def connected(ground: Ground, hub: HubName, cursor: int | None = None) -> MesoLive:
    """One hub, to read. Raises ConnectFailed."""
    return await to_read(ground, hubs=(hub,), cursor=cursor, changed=_told)


def _told(hub: str, state: str, reason: str) -> None:
    if state in ("reconnecting", "stopped") and reason:
        print(f"the {hub} hub is {state}: {reason}", file=sys.stderr, flush=True)


async def watch(
    ground: Ground, strategy: int | None, since: int | None, count: int | None, show: Show
) -> None:
    """Every event after the number `since` (None: after now); of one strategy only, if that is asked.

    The client's replay begins a little before its cursor, for events that came out of order; those are not shown.
    """
    over = _until_asked()
    seen = 0

    def heard(name: str, event: Mapping[str, Any]) -> None:
        nonlocal seen
        number = event.get("event_seq_id")
        before = since is not None and isinstance(number, int) and number <= since
        other = strategy is not None and event.get("strategy_id") != strategy
        if over.is_set() or before or other:
            return
        show({"callback": name, "event": scrub_value(dict(event))})
        seen += 1
        if count is not None and seen >= count:
            over.set()

    client = await connected(ground, "event", since)
    try:
        client.listen(heard)
        while not over.is_set():
            await _wait(over, AGAIN_S)
            _require_alive(client, "event")
    finally:
        await client.close()


async def stream(
    ground: Ground, method: Method, args: Mapping[str, Any], count: int | None, show: Show
) -> None:
    """Every item. Raises Refusal when the hub refuses the stream."""
    over = _until_asked()
    client = await connected(ground, method.hub)
    argument = client.encode(method.name, args)
    reading = asyncio.ensure_future(_read(client, method, argument, count, show))
    asked = asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait((reading, asked), return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
    finally:
        for task in (reading, asked):
            task.cancel()
        await asyncio.wait((reading, asked))
        await client.close()


async def _read(client: MesoLive, method: Method, argument: bytes, count: int | None, show: Show) -> None:
    seen = 0
    while True:
        try:
            async with client.stream(method.name, argument) as items:
                async for item in items:
                    show(scrub_value(item))
                    seen += 1
                    if count is not None and seen >= count:
                        return
            return
        except CallRefused as refused:
            raise Refusal(HUB_REFUSED, f"the hub refused {method.name}: {refused.message}") from refused
        except (NotSent, OutcomeUnknown):
            _require_alive(client, method.hub)
            await asyncio.sleep(AGAIN_S)


def _require_alive(client: MesoLive, hub: HubName) -> None:
    if client.state(hub) == "stopped":
        raise Refusal(
            HUB_AWAY, f"the {hub} hub does not let us come back", help=("look at the key and the address",)
        )


def _until_asked() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM: the ordinary ends of a watch."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    return over


async def _wait(over: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return
