"""The feed: every event once and in order, however connections come and go. With mutants that the checker must catch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.hubs.connection import Connection
from mesoflow.hubs.contract import Method
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.errors import OutcomeUnknown
from mesoflow.hubs.event import EventFeed

AT = "2025-01-16T15:00:00Z"


def event(number: int) -> dict[str, Any]:
    return {
        "EventId": f"id-{number}",
        "EventSeqId": number,
        "EventTime": AT,
        "Status": "Connected",
        "Message": "m",
    }


class EventHub:
    """The hub's side: a history with gaps, live callbacks to who has subscribed, pages by token.

    `steps` says how many events happen before each of the hub's answers, `cut` after how many answers the link dies.
    """

    def __init__(self, page: int = 3, by_token: bool = True) -> None:
        self.numbers: list[int] = []
        self.live: Callable[[str, list[Any]], None] | None = None
        self.page = page
        self.by_token = by_token
        self.asked: list[str] = []
        self.cut: int | None = None
        self.steps: list[int] = []

    def happen(self, gap: int = 1) -> None:
        number = (self.numbers[-1] if self.numbers else 0) + gap
        self.numbers.append(number)
        if self.live is not None:
            self.live("OnAgentStatus", [event(number)])

    async def invoke(self, method: Method, argument: bytes, within_s: float) -> Any:
        if self.cut is not None and len(self.asked) >= self.cut:
            self.live = None
            raise OutcomeUnknown(method.name, "cut")
        self.asked.append(method.name)
        for _ in range(self.steps.pop(0) if self.steps else 0):
            self.happen()
        return {"Status": "Success", "Data": getattr(self, method.name)(json.loads(argument))}

    def SubscribeToStrategies(self, args: Any) -> Any:
        assert args == {"Strategies": None}, "null: all strategies"
        self.live = self.taker
        return {"SuccessfulStrategies": [1], "FailedStrategies": []}

    taker: Callable[[str, list[Any]], None]

    def GetLatestEventSeqId(self, _: Any) -> Any:
        return {"LatestEventSeqId": self.numbers[-1] if self.numbers else 0, "SnapshotTime": AT}

    def GetEventsSince(self, args: Any) -> Any:
        since = int(args.get("ContinuationToken") or args["EventSeqId"])
        page = [number for number in self.numbers if number > since][: self.page]
        more = bool(page) and page[-1] < self.numbers[-1]
        return {
            "Events": [{"EventType": "AgentStatusEvent", "EventSeqId": n, "Event": event(n)} for n in page],
            "ContinuationToken": str(page[-1]) if more and self.by_token else None,
        }

    async def connect(self, feed: EventFeed) -> bool:
        """A new connection to that feed; whether it became ready."""
        self.live, self.taker, self.asked = None, feed.take, []
        feed.buffer()
        try:
            await feed.catch_up(self)  # type: ignore[arg-type]
        except OutcomeUnknown:
            return False
        return True


def listened(feed: EventFeed) -> list[int]:
    heard: list[int] = []
    feed.listen(lambda _, told: heard.append(told["event_seq_id"]))
    return heard


def test_the_order_of_a_connection() -> None:
    hub, feed = EventHub(), EventFeed("json", cursor=0)
    for _ in range(7):
        hub.happen()
    asyncio.run(hub.connect(feed))
    assert hub.asked == ["SubscribeToStrategies", "GetLatestEventSeqId", *["GetEventsSince"] * 3]


def test_without_a_cursor_it_begins_with_what_is_new() -> None:
    hub, feed = EventHub(), EventFeed("json")
    heard = listened(feed)
    hub.happen()
    asyncio.run(hub.connect(feed))
    assert (heard, feed.cursor) == ([], 1)
    hub.happen()
    assert (heard, feed.cursor) == ([2], 2)


def test_an_event_as_a_listener_gets_it() -> None:
    hub, feed = EventHub(), EventFeed("json", cursor=0)
    told: list[Any] = []
    feed.listen(lambda name, one: told.append((name, one["event_id"], one["status"], one["connector"])))
    hub.happen()
    asyncio.run(hub.connect(feed))
    assert told == [("OnAgentStatus", "id-1", "Connected", None)]


def test_what_is_on_when_a_connection_opens_is_heard_also_when_its_number_is_old() -> None:
    """Signals that are on are pushed to a new connection before anybody subscribed."""
    hub, feed = EventHub(), EventFeed("json", cursor=50)
    heard = listened(feed)

    async def scenario() -> None:
        hub.numbers = [50]
        feed.buffer()
        feed.take("OnAgentStatus", [event(7)])
        hub.taker = feed.take
        await feed.catch_up(hub)  # type: ignore[arg-type]

    asyncio.run(scenario())
    assert (heard, feed.cursor) == ([7], 50)


def test_events_before_the_first_listener_wait_for_it_and_the_cursor_with_them() -> None:
    hub, feed = EventHub(), EventFeed("json", cursor=0)
    for _ in range(3):
        hub.happen()
    asyncio.run(hub.connect(feed))
    assert feed.cursor == 0
    assert (listened(feed), feed.cursor) == ([1, 2, 3], 3)


def test_a_listener_s_mistake_reaches_nobody_else() -> None:
    hub, feed = EventHub(), EventFeed("json", cursor=0)

    def broken(_: str, __: Any) -> None:
        raise RuntimeError("a listener's mistake")

    feed.listen(broken)
    heard = listened(feed)
    hub.happen()
    asyncio.run(hub.connect(feed))
    hub.happen()
    assert (heard, feed.cursor) == ([1, 2], 2)


def test_kinds_that_the_contract_does_not_know_are_handed_on_and_noted() -> None:
    DIFFERENCES.seen.clear()
    feed, told = EventFeed("json", cursor=0), []
    feed._buffer = None
    feed.listen(lambda name, one: told.append((name, one)))
    feed.take("OnMargin", [{"EventId": "x", "EventSeqId": 9, "NetPnL": 1}])
    feed.take("OnMargin", [{"EventId": "x", "EventSeqId": 9, "NetPnL": 1}])
    feed.take("OnMargin", [])
    feed.take("OnOrderUpdate", [{"EventId": "y", "EventSeqId": 10, "State": "Filled"}])
    assert told == [
        ("OnMargin", {"event_id": "x", "event_seq_id": 9, "net_pnl": 1}),
        ("OnOrderUpdate", {"event_id": "y", "event_seq_id": 10, "state": "Filled"}),
    ]
    assert feed.cursor == 10
    assert "Callback has a member that the contract does not know: OnMargin" in map(str, DIFFERENCES.seen)


def test_a_hub_that_repeats_its_last_token_does_not_hold_us() -> None:
    hub, feed = EventHub(), EventFeed("json", cursor=0)
    hub.happen()
    hub.GetEventsSince = lambda _: {"Events": [], "ContinuationToken": "again"}  # type: ignore[method-assign]
    assert asyncio.run(hub.connect(feed))
    assert len(hub.asked) == 4


# ── the property ──

scripts = st.lists(
    st.tuples(
        st.lists(st.integers(0, 3), max_size=5),  # events before each answer while connecting
        st.none() | st.integers(0, 4),  # after how many answers the link dies
        st.integers(0, 5),  # events while it is connected
        st.integers(0, 5),  # events while it is away
    ),
    min_size=1,
    max_size=5,
)


def lived(feed: EventFeed, script: list[Any], hub: EventHub) -> tuple[list[int], list[int]]:
    """What was heard and what had happened, after a life of connections that ends with a good one."""
    heard = listened(feed)

    async def life() -> None:
        for steps, cut, live, away in [*script, ([], None, 2, 0)]:
            hub.steps, hub.cut = list(steps), cut
            await hub.connect(feed)
            for _ in range(live):
                hub.happen(gap=2)
            hub.live = None
            for _ in range(away):
                hub.happen()

    asyncio.run(life())
    return heard, hub.numbers


@settings(max_examples=150, deadline=None)
@given(scripts, st.integers(1, 4), st.booleans())
def test_every_event_once_and_in_order(script: list[Any], page: int, by_token: bool) -> None:
    hub, feed = EventHub(page, by_token), EventFeed("json", cursor=0)
    heard, happened = lived(feed, script, hub)
    assert heard == happened
    assert feed.cursor == (happened[-1] if happened else 0)


@settings(max_examples=60, deadline=None)
@given(scripts, st.integers(1, 4))
def test_a_second_process_goes_on_where_the_first_one_s_cursor_stood(script: list[Any], page: int) -> None:
    hub, feed = EventHub(page), EventFeed("json", cursor=0)
    first, _ = lived(feed, script, hub)
    for _ in range(4):
        hub.happen()
    second, happened = lived(EventFeed("json", cursor=feed.cursor), script, hub)
    assert first + second == happened


class ReplaysFirst(EventFeed):
    """Mutant: history first, subscription later. What happens in between is lost."""

    async def catch_up(self, connection: Connection) -> None:
        latest = await self._call(connection, "GetLatestEventSeqId", {})
        await self._replay(connection, latest.latest_event_seq_id)  # type: ignore[attr-defined]
        await self._call(connection, "SubscribeToStrategies", {"strategies": None})
        self._buffer = None


class DeduplicatesNothing(EventFeed):
    """Mutant: the overlap of replay and buffer is heard twice."""

    def _first_time(self, identity: str) -> bool:
        return True


class BuffersNothing(EventFeed):
    """Mutant: live events pass the replay by; the history comes after what it precedes."""

    def buffer(self) -> None:
        self._buffer = None


@pytest.mark.parametrize("mutant", [ReplaysFirst, DeduplicatesNothing, BuffersNothing])
def test_the_checker_catches(mutant: type[EventFeed]) -> None:
    script: list[Any] = [([1, 1, 1, 1, 1], None, 2, 3), ([1, 1, 1, 1, 1], None, 2, 0)]
    heard, happened = lived(mutant("json", cursor=0), script, EventHub())
    assert heard != happened
