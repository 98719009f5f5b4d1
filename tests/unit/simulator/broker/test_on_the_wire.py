"""A client of the hubs, the simulator served in its own loop: callbacks leave on time, and time is not pulled along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.errors import CallRefused
from mesoflow.runtime.idle_loop import IdleLoop, new_idle_loop
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.simulator import Simulator
from tests.support.broker_desk import BrokerDesk, mishap

_WITHIN = timedelta(seconds=30)
Story = Callable[["Client"], Awaitable[Any]]


class Client:
    """A connected client that trades, and what it heard of orders: simulated time, state, cumulative fill."""

    def __init__(self, hub: MesoLive, clock: EmbeddedClock) -> None:
        self.hub, self.clock = hub, clock
        self.heard: list[tuple[datetime, str, Decimal]] = []
        hub.listen(self._hear)

    def _hear(self, kind: str, event: Any, *_: Any) -> None:
        if "order_id" in event:
            self.heard.append((self.clock.now(), str(event["state"]), event["filled_qty"]))

    async def call(self, method: str, args: dict[str, Any]) -> Any:
        return await self.hub.invoke(method, self.hub.encode(method, args), within=_WITHIN)


def embedded(folder: Path, faults: Faults, story: Story) -> Any:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, IdleLoop)
        simulator = Simulator.open(folder, lambda last: EmbeddedClock(loop, last), faults=faults)
        server = await simulator.start(keep_alive_s=None)
        hub = await MesoLive.connect(
            server.url,
            token="t",
            allow=frozenset({"read", "change", "prepare", "trade"}),
            keepalive=None,
            random=lambda: 0.5,
        )
        try:
            await hub.invoke("SubscribeToStrategies", hub.encode("SubscribeToStrategies", {}), within=_WITHIN)
            assert isinstance(simulator.clock, EmbeddedClock)
            return await story(Client(hub, simulator.clock))
        finally:
            await hub.close()
            await simulator.stop()

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        return runner.run(main())


def test_a_fill_is_heard_when_it_happens_although_nobody_asks(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    plan = desk.plan()
    args = desk.args(plan, desk.price(plan, "0"))
    desk.close()

    async def story(client: Client) -> tuple[datetime, list[Any]]:
        order = await client.call("SendOrder", args)
        sent = client.clock.now()
        await asyncio.sleep(300)
        answer = await client.call("GetOrder", {"live_order_id": order["live_order_id"]})
        assert str(answer["order"]["state"]) == "Filled"
        try:
            await client.call(
                "CancelOrder", {"idempotency_key": "c", "live_order_id": order["live_order_id"]}
            )
        except CallRefused as refusal:
            assert "is filled" in str(refusal)
        else:
            raise AssertionError("a filled order was cancelled")
        return sent, client.heard

    faults = Faults(orders=[mishap("ack_late", 1), mishap("fills", 100)])
    sent, heard = embedded(tmp_path / "w", faults, story)
    seconds = [(round((at - sent).total_seconds()), state, cum) for at, state, cum in heard]
    assert seconds == [(1, "Submitted", Decimal(0)), (101, "Filled", Decimal(-1))]


def test_the_market_fills_at_the_same_time_whether_or_not_somebody_listens(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "heard")
    plan = desk.plan()
    args = desk.args(plan, desk.price(plan, "0.6"))
    desk.close()
    alone = BrokerDesk(tmp_path / "alone")
    id = alone.send(alone.plan(), args["leg_group_order"]["limit_price"])
    alone.wait(600)
    filled = alone.order(id)
    assert filled["State"] == "Filled"

    async def story(client: Client) -> datetime:
        await client.call("SendOrder", args)
        await asyncio.sleep(600)
        at, state, _ = client.heard[-1]
        assert state == "Filled"
        return at

    at = embedded(tmp_path / "heard", Faults(), story)
    assert abs(at - datetime.fromisoformat(filled["LastUpdated"])) < timedelta(milliseconds=1)


def test_time_is_not_pulled_along_for_an_order_of_which_nobody_hears(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    plan = desk.plan()
    desk.send(plan, desk.price(plan, "0"), time_in_force="GTC")
    desk.wait(10)
    desk.ok("ListAccounts")
    assert [timer for timer in desk.clock.timers if not timer.cancelled] == []
    # Somebody connects: the next look is near, and the one after it is set when it is over.
    asyncio.run(desk.hub("event").connected(desk.caller))
    (timer,) = [timer for timer in desk.clock.timers if not timer.cancelled]
    assert timer.when == desk.now + timedelta(seconds=30)
    desk.wait(95)
    (timer,) = [timer for timer in desk.clock.timers if not timer.cancelled]
    assert desk.now < timer.when <= desk.now + timedelta(seconds=30)
