"""A stream by hand outlives its connection: it is asked for again, and begins with a whole picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mesoflow.cli.byhand.feeds import stream
from mesoflow.cli.ground import Ground
from mesoflow.hubs.contract import METHODS
from mesoflow.runtime.clock import SystemClock
from mesoflow.runtime.refusal import Refusal
from mesoflow.runtime.setting import HubFacts
from tests.support.fault_proxy import Act, Fault, FaultProxy, close, garbage, half_open, reset
from tests.support.virtual_loop import run
from tests.support.wire_server import Call, WireServer, respond

STREAM = "StreamUnderlyingData"
ARGS: dict[str, Any] = {"underlying": {"symbol": "SPX"}, "provider": "IBKR"}


def ground(url: str) -> Ground:
    return Ground(url=url, clock=SystemClock(), facts=HubFacts(), where={}, token="T")


def quotes() -> WireServer:
    """Each stream begins with a snapshot, then changes come."""
    server = WireServer()
    started = 0

    async def flow(call: Call) -> None:
        nonlocal started
        started += 1
        for number in range(3):
            await call.item({"Prices": {"Mark": 100 * started + number}})

    server.handlers[STREAM] = flow
    return server


@pytest.mark.parametrize("act", [reset, close, half_open, garbage()], ids=lambda act: act.__qualname__)
def test_a_stream_is_started_again_with_a_snapshot(act: Act) -> None:
    async def scenario() -> list[int]:
        marks: list[int] = []

        def show(item: Mapping[str, Any]) -> None:
            marks.append(int(item["prices"]["mark"]))

        async with quotes() as server, FaultProxy(server.port, Fault("item", act, 2)) as proxy:
            await stream(ground(proxy.url), METHODS[STREAM], ARGS, 4, show)
        return marks

    assert run(scenario()) == [100, 200, 201, 202]


def test_a_hub_that_does_not_let_us_back_ends_it() -> None:
    async def scenario() -> str:
        async with quotes() as server, FaultProxy(server.port, Fault("item", reset, 2)) as proxy:

            def show(_: Mapping[str, Any]) -> None:
                server.negotiate_script = [lambda _: respond(403)]

            with pytest.raises(Refusal) as refused:
                await stream(ground(proxy.url), METHODS[STREAM], ARGS, 4, show)
            return str(refused.value)

    assert "the data hub does not let us come back" in run(scenario())
