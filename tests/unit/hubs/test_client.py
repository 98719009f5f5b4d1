"""The three hubs as one object, in both encodings, over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.errors import CallRefused, ConnectFailed, NotAllowed, NotSent, OutcomeUnknown
from mesoflow.hubs.hub import Hub
from mesoflow.hubs.transport import LinkClosed, WebSocket
from tests.support.virtual_loop import run
from tests.support.wire_server import Call, Client, WireServer, respond, silent

SECOND = timedelta(seconds=1)
AT = "2025-01-16T15:00:00Z"
ALL = frozenset({"read", "change", "prepare", "trade"})


def hub_server() -> WireServer:
    server = WireServer()
    server.data = {
        "SubscribeToStrategies": {"SuccessfulStrategies": [], "FailedStrategies": []},
        "GetLatestEventSeqId": {"LatestEventSeqId": 0, "SnapshotTime": AT},
        "GetEventsSince": {"Events": [], "ContinuationToken": None},
        "GetUnderlyingSnapshot": {"Prices": {"Mark": "5990.10", "MarkAgeMs": 5, "SnapshotTime": AT}},
        "ListAgents": {"Agents": [{"Connector": "IBKR", "IsConnected": True}]},
    }
    return server


async def connect(server: WireServer, **options: Any) -> MesoLive:
    return await MesoLive.connect(
        server.url, **({"token": "T", "allow": ALL, "keepalive": None, "random": lambda: 0.5} | options)
    )


def test_it_is_a_hub() -> None:
    async def scenario() -> Hub:
        async with hub_server() as server:
            hub: Hub = await connect(server)
            await hub.close()
            return hub

    assert run(scenario()).encoding == "json"


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
def test_a_call_goes_to_its_hub_and_comes_back_as_a_value(encoding: Any) -> None:
    async def scenario() -> tuple[Any, Any, list[str]]:
        async with hub_server() as server:
            hub = await connect(server, encoding=encoding)
            argument = hub.encode(
                "GetUnderlyingSnapshot", {"underlying": {"symbol": "SPX"}, "provider": "IBKR"}
            )
            value = await hub.invoke("GetUnderlyingSnapshot", argument, within=SECOND)
            agents = await hub.invoke("ListAgents", hub.encode("ListAgents", {}), within=SECOND)
            await hub.close()
            return value, agents, [client.hub for client in server.clients if client.received]

    value, agents, hubs = run(scenario())
    assert value == {
        "prices": {
            "snapshot_time": datetime(2025, 1, 16, 15, tzinfo=UTC),
            "bid_age_ms": None,
            "ask_age_ms": None,
            "last_age_ms": None,
            "mark_age_ms": 5,
            "bid": None,
            "ask": None,
            "last": None,
            "mark": Decimal("5990.10"),
        }
    }
    assert agents["agents"][0]["connector"] == "IBKR"
    assert sorted(hubs) == ["control", "data", "event"]


def test_the_same_values_give_the_same_bytes() -> None:
    hub = MesoLive("http://127.0.0.1:1", random=lambda: 0.5)
    args = {
        "idempotency_key": "k",
        "exec_plan_id": 9,
        "paper_leg_fills": {"put": {"price": Decimal("1.250000")}},
    }
    expected = b'{"IdempotencyKey":"k","ExecPlanId":9,"PaperLegFills":{"put":{"Price":1.250000}}}'
    assert hub.encode("ApplyPaperFills", args) == expected
    assert hub.encode("ApplyPaperFills", dict(reversed(args.items()))) == expected


@pytest.mark.parametrize(
    "args", [{}, {"broker_account_id": "A", "typo": 1}, {"BrokerAccount": "A"}, {"broker_account_id": None}]
)
def test_arguments_that_do_not_fit_are_a_mistake_of_ours(args: Any) -> None:
    with pytest.raises(ValidationError):
        MesoLive("http://127.0.0.1:1", random=lambda: 0.5).encode("GetAccount", args)


def test_a_stream_as_values_and_leaving_it_stops_it() -> None:
    async def scenario() -> tuple[list[Any], Any]:
        async with hub_server() as server:

            async def ticks(call: Call) -> None:
                for number in range(5):
                    await call.item({"prices": {"mark": number}})

            server.handlers["StreamUnderlyingData"] = ticks
            hub = await connect(server)
            argument = hub.encode(
                "StreamUnderlyingData", {"underlying": {"symbol": "SPX"}, "provider": "IBKR"}
            )
            marks = []
            async with hub.stream("StreamUnderlyingData", argument) as items:
                async for item in items:
                    marks.append(item["prices"]["mark"])
                    if len(marks) == 3:
                        break
            await asyncio.sleep(0.1)
            data = next(client for client in server.clients if client.hub == "data")
            await hub.close()
            return marks, data.received[-1]

    assert run(scenario()) == ([Decimal(0), Decimal(1), Decimal(2)], [5, {}, "1"])


@pytest.mark.parametrize("encoding", ["json", "messagepack"])
def test_an_adjustment_that_only_updates_variables_is_a_change(encoding: Any) -> None:
    """Whoever may prepare may not change: the class is that of the call, not of the method."""

    async def scenario() -> dict[str, str]:
        prepares = frozenset({"read", "prepare"})
        hub = MesoLive("http://127.0.0.1:1", random=lambda: 0.5, allow=prepares, encoding=encoding)
        ended: dict[str, str] = {}
        for operation in ("MoveLeg", "UpdateVars"):
            args = {"position_id": 1, "operation": operation, "condition": "c", "idempotency_key": "k"}
            argument = hub.encode("StartPreparePositionAdjustment", args | {"data_provider": None})
            try:
                await hub.invoke("StartPreparePositionAdjustment", argument, within=timedelta(seconds=1))
            except (NotAllowed, NotSent) as error:
                ended[operation] = type(error).__name__
        await hub.close()
        return ended

    assert asyncio.run(scenario()) == {"MoveLeg": "NotSent", "UpdateVars": "NotAllowed"}


def test_what_is_not_allowed_is_refused_also_while_there_is_no_connection() -> None:
    async def scenario() -> None:
        hub = MesoLive("http://127.0.0.1:1", random=lambda: 0.5)
        for method in (
            "ApplyPaperFills",
            "SendOrder",
            "CancelOrder",
            "StartPreparePositionExit",
            "RenameStrategy",
        ):
            with pytest.raises(NotAllowed):
                await hub.invoke(method, b"{}", within=SECOND)
        with pytest.raises(ValueError, match="of kind stream"):
            await hub.invoke("StreamPositionData", b"{}", within=SECOND)

    run(scenario())


def test_only_the_hubs_that_were_asked_for_are_opened() -> None:
    async def scenario() -> tuple[list[str], str]:
        async with hub_server() as server:
            hub = await connect(server, hubs=["control"])
            with pytest.raises(NotSent) as not_sent:
                await hub.invoke("GetUnderlyingSnapshot", b"{}", within=SECOND)
            await hub.close()
            return [client.hub for client in server.clients], str(not_sent.value)

    assert run(scenario()) == (
        ["control"],
        "GetUnderlyingSnapshot was not sent: the data hub was not asked for",
    )


def test_all_hubs_or_none() -> None:
    async def scenario() -> tuple[str, int]:
        async with hub_server() as server:

            def only_control(request: Any) -> Any:
                return None if "control" in request.path else respond(403)

            server.negotiate_script = [only_control] * 3
            with pytest.raises(ConnectFailed) as failed:
                await connect(server)
            await asyncio.sleep(0.5)
            open_ones = [client for client in server.clients if client.socket.state.name == "OPEN"]
            return failed.value.reason, len(open_ones)

    assert run(scenario()) == ("this token may not use the hub", 0)


def test_fresh_closes_the_control_connection_before_it_opens_another() -> None:
    async def scenario() -> tuple[list[str], str, Any]:
        async with hub_server() as server:
            server.handlers["GetAccount"] = silent
            hub = await connect(server, hubs=["control"])
            argument = hub.encode("GetAccount", {"broker_account_id": "A"})
            pending = asyncio.create_task(hub.invoke("GetAccount", argument, within=60 * SECOND))
            await server.received(1)
            seen: list[str] = []

            def at_negotiation(_: Any) -> None:
                seen.append(server.clients[0].socket.state.name)

            server.negotiate_script = [at_negotiation]
            await hub.fresh()
            with pytest.raises(OutcomeUnknown) as unknown:
                await pending
            agents = await hub.invoke("ListAgents", b"{}", within=SECOND)
            await hub.close()
            return seen, unknown.value.reason, agents["agents"][0]["connector"]

    assert run(scenario()) == (["CLOSED"], "closed by us", "IBKR")


def test_it_comes_back_by_itself_after_the_server_was_away() -> None:
    async def scenario() -> tuple[list[str], list[tuple[str, str]]]:
        async with hub_server() as server:
            states: list[tuple[str, str]] = []
            hub = await connect(server, changed=lambda name, state, _: states.append((name, state)))
            endings = []

            async def agents() -> None:
                try:
                    await hub.invoke("ListAgents", b"{}", within=SECOND)
                    endings.append("done")
                except NotSent:
                    endings.append("not sent")

            await agents()
            await server.stop()
            await asyncio.sleep(30)
            await agents()
            await server.start()
            await asyncio.sleep(30)
            await agents()
            await hub.close()
            return endings, sorted(set(states))

    endings, states = run(scenario())
    assert endings == ["done", "not sent", "done"]
    assert states == sorted(
        (name, state)
        for name in ("control", "data", "event")
        for state in ("connected", "reconnecting", "closed")
    )


def test_events_of_the_time_away_are_replayed_and_none_is_heard_twice() -> None:
    async def scenario() -> tuple[list[int], int]:
        async with hub_server() as server:

            def event(number: int) -> dict[str, Any]:
                fields = {"eventId": f"e{number}", "eventSeqId": number, "eventTime": AT}
                return fields | {"status": "Connected", "message": ""}

            def history(*numbers: int) -> None:
                rows = [{"EventType": "agentStatus", "Event": event(number)} for number in numbers]
                server.data["GetEventsSince"] = {"Events": rows, "ContinuationToken": None}
                server.data["GetLatestEventSeqId"] = {"LatestEventSeqId": max(numbers), "SnapshotTime": AT}

            async def greets(client: Client) -> None:
                if client.hub == "event":
                    await client.callback("onAgentStatus", event(2))

            server.connected = greets
            hub = await connect(server, hubs=["event"])
            heard: list[int] = []
            hub.listen(lambda _, told: heard.append(told["event_seq_id"]))
            await server.clients[-1].callback("OnAgentStatus", event(3))
            await asyncio.sleep(1)
            history(2, 3, 4, 5)
            server.clients[-1].reset()
            await asyncio.sleep(10)
            await server.clients[-1].callback("OnAgentStatus", event(5))
            await server.clients[-1].callback("OnAgentStatus", event(6))
            await asyncio.sleep(1)
            await hub.close()
            return heard, hub.cursor

    assert run(scenario()) == ([2, 3, 4, 5, 6], 6)


def test_calls_refused_and_unknown_come_through() -> None:
    async def scenario() -> list[type[Exception]]:
        async with hub_server() as server:

            async def conflict(call: Call) -> None:
                await call.answer(None, status="Conflict")

            server.handlers["*"] = conflict
            hub = await connect(server, hubs=["control"])
            kinds = []
            for method, args in (
                ("GetAccount", {"broker_account_id": "A"}),
                ("DeleteStrategy", {"strategy_id": 1}),
            ):
                with pytest.raises((CallRefused, OutcomeUnknown)) as ended:
                    await hub.invoke(method, hub.encode(method, args), within=SECOND)
                kinds.append(ended.type)
            await hub.close()
            return kinds

    assert run(scenario()) == [CallRefused, OutcomeUnknown]


# ── chaos: many callers, a link that dies all the time; the server's ledger against the endings ──


@dataclass
class Chaos:
    """What the server executed, and how each call ended for its caller."""

    executed: list[str]
    endings: dict[str, list[str]]

    def violations(self) -> list[str]:
        executed, found = set(self.executed), []
        if len(self.executed) != len(executed):
            found.append("something was executed twice")
        if not set(self.endings["done"]) <= executed:
            found.append("done, but never executed")
        if set(self.endings["not sent"]) & executed:
            found.append("not sent, but executed")
        return found


async def moody_server_and_callers(attempts: int = 1) -> Chaos:
    async with hub_server() as server:
        numbers = itertools.count(1)

        async def moody(call: Call) -> None:
            number = next(numbers)
            if number % 13 == 0:
                call.client.reset()
            elif number % 17 == 0:
                await call.client.close_message("moving", allow_reconnect=True)
            else:
                await call.answer({"StrategyId": 1})

        server.handlers["RenameStrategy"] = moody
        hub = await connect(server, hubs=["control"])
        endings: dict[str, list[str]] = {"done": [], "not sent": [], "unknown": []}

        async def call(key: str) -> str:
            argument = hub.encode("RenameStrategy", {"strategy_id": 1, "name": key})
            ending = ""
            for _ in range(attempts):
                try:
                    await hub.invoke("RenameStrategy", argument, within=SECOND)
                    return "done"
                except NotSent:
                    ending = "not sent"
                except OutcomeUnknown:
                    ending = "unknown"
                await asyncio.sleep(0.05)
            return ending

        async def caller(name: str) -> None:
            for turn in range(40):
                endings[await call(f"{name}-{turn}")].append(f"{name}-{turn}")

        await asyncio.gather(*(caller(f"c{each}") for each in range(8)))
        await hub.close()
        return Chaos([args["Name"] for _, args in server.executed], endings)


def test_calls_cut_at_random_are_never_executed_when_they_say_not_sent() -> None:
    chaos = run(moody_server_and_callers())
    counts = {ending: len(keys) for ending, keys in chaos.endings.items()}
    assert chaos.violations() == []
    assert sum(counts.values()) == 320
    assert all(counts.values()), f"every ending must have been reached: {counts}"


def test_the_ledger_catches_a_link_that_says_not_sent_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the bytes are handed over, then an error is raised, as the library's own send may do."""
    numbers, honest = itertools.count(1), WebSocket.send

    def late(link: WebSocket, data: bytes, *, binary: bool) -> None:
        honest(link, data, binary=binary)
        if next(numbers) % 11 == 0:
            raise LinkClosed("closed while writing")

    monkeypatch.setattr(WebSocket, "send", late)
    assert run(moody_server_and_callers()).violations() == ["not sent, but executed"]


def test_the_ledger_catches_a_client_that_repeats_what_is_unknown() -> None:
    """Mutant: a retry of everything that failed."""
    assert "something was executed twice" in run(moody_server_and_callers(attempts=4)).violations()


def test_importing_the_client_loads_no_http_framework() -> None:
    code = "import sys, mesoflow.hubs.client; print(sorted({'requests', 'aiohttp', 'msgpack'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_big_calls_to_a_hub_that_stalls_arrive_whole_and_once() -> None:
    """Sixteen calls of 300 KB side by side, and a peer that reads nothing for six seconds."""

    async def scenario() -> tuple[list[str], list[str]]:
        async with hub_server() as server:
            hub = await connect(server, hubs=["control"])
            names = [chr(ord("a") + number) * 300_000 for number in range(16)]
            server.data["RenameStrategy"] = {"StrategyId": 1}
            server.clients[0].stop_reading()
            loop = asyncio.get_running_loop()
            loop.call_later(6, server.clients[0].socket.transport.resume_reading)

            async def call(name: str) -> str:
                argument = hub.encode("RenameStrategy", {"strategy_id": 1, "name": name})
                await hub.invoke("RenameStrategy", argument, within=30 * SECOND)
                return name

            answered = await asyncio.gather(*map(call, names))
            await hub.close()
            return answered, [args["Name"] for _, args in server.executed]

    answered, executed = run(scenario())
    assert sorted(executed) == answered
