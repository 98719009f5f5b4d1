"""`hub call`: one call, or all pages of it. In an embedded world time stands still meanwhile."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from mesoflow.cli.ground import Ground, hub_of
from mesoflow.hubs.contract import Klass, Method
from mesoflow.hubs.errors import CallRefused, NotSent, OutcomeUnknown
from mesoflow.hubs.hub import Hub
from mesoflow.runtime.idle_loop import IdleLoop
from mesoflow.runtime.refusal import HUB_REFUSED, Refusal

WITHIN = timedelta(seconds=30)
# Nobody reads more rows than that in a shell; the token of the next page is shown.
PAGES_MAX = 200
# An embedded hub answers in milliseconds; one that has not answered within this never will.
PATIENCE_S = 20.0


async def call(
    ground: Ground, method: Method, args: Mapping[str, Any], allow: frozenset[Klass], *, one_page: bool
) -> Any:  # noqa: ANN401 - a Value
    """The answer as a Value; of a paged method all rows. Raises Refusal, ConnectFailed."""
    with still(ground):
        async with hub_of(ground, allow) as hub:
            try:
                return await _pages(hub, method, dict(args), one_page=one_page)
            except (CallRefused, NotSent, OutcomeUnknown) as error:
                raise _refusal(error, args) from error


@contextmanager
def still(ground: Ground, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold an embedded world's time: a look at it must not move its market.

    After `patience_s` of real time it is let go: an answer that is lost would otherwise be waited for without end, for
    deadlines are in that time, too.
    """
    loop = asyncio.get_running_loop()
    if not (ground.embedded and isinstance(loop, IdleLoop)):
        yield
        return
    loop.hold()
    holding = True

    def let_go() -> None:
        nonlocal holding
        if holding:
            holding = False
            loop.release()

    timer = loop.every_real(patience_s, let_go)
    try:
        yield
    finally:
        timer.cancel()
        let_go()


async def _pages(hub: Hub, method: Method, args: dict[str, Any], *, one_page: bool) -> Any:  # noqa: ANN401 - a Value
    answer = await _one(hub, method, args)
    if method.items is None or one_page or args.get("continuation_token") is not None:
        return answer
    for _ in range(PAGES_MAX - 1):
        if answer["continuation_token"] is None:
            return answer
        page = await _one(hub, method, args | {"continuation_token": answer["continuation_token"]})
        rows = [*answer[method.items], *page[method.items]]
        answer = {**page, method.items: rows}
    print(f"mesoflow hub: only the first {PAGES_MAX} pages; go on with continuation_token=…", file=sys.stderr)
    return answer


async def _one(hub: Hub, method: Method, args: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a Value
    return await hub.invoke(method.name, hub.encode(method.name, args), within=WITHIN)


def _refusal(error: CallRefused | NotSent | OutcomeUnknown, args: Mapping[str, Any]) -> Refusal:
    """How the call ended, in the one shape of refusals."""
    if isinstance(error, CallRefused):
        rows = [("status", error.status), ("code", error.code or ""), ("provider", error.provider or "")]
        rows += [(path, "; ".join(problems)) for path, problems in error.fields.items()]
        shown = tuple((label, text) for label, text in rows if text)
        return Refusal(HUB_REFUSED, f"the hub refused {error.method}: {error.message or error.status}", shown)
    key = args.get("idempotency_key")
    help_ = (f"mesoflow hub call GetIdempotencyRecord idempotency_key={key}",) if key else ("ask again",)
    return Refusal(HUB_REFUSED, str(error), help=help_)
