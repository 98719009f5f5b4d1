"""The Event Hub's feed: every event once, in order, over any number of connections.

On each connection, in this order: callbacks go into a buffer; subscribe; ask for the newest number; replay the history
from the cursor up to it, page by page; hand over; drain the buffer; from then on live. Replaying first and subscribing
later would lose what happens in between. Events are told apart by their id, which the replay and the buffer share.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from mesoflow.hubs.answers import read_answer
from mesoflow.hubs.codec import EncodingName, codec_of
from mesoflow.hubs.connection import Connection
from mesoflow.hubs.contract import METHODS, callback_of
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.inferred import REPLAY_OVERLAP
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.events import (
    EventEnvelope,
    GetEventsSinceResult,
    GetLatestEventSeqIdResult,
    SubscribeToStrategiesResult,
)

logger = logging.getLogger(__name__)

# An id is needed only as long as its event may come again: over the replay's overlap and the buffer.
IDS_KEPT_MAX = 20_000
PAGE_EVENTS = 200
# A history longer than this many pages is not caught up with event by event; the runtime reads the state instead.
PAGES_MAX = 5_000
CALL_S = 10.0
# Events that came before anybody listened.
UNHEARD_MAX = 100_000

Listener = Callable[[str, Mapping[str, Any]], None]


class EventFeed:
    """`cursor` None: no history is wanted, begin with what is new.

    `take` is the connection's `heard`; `catch_up` is run on every new connection before it counts as ready.
    """

    def __init__(self, encoding: EncodingName, cursor: int | None = None) -> None:
        self._encoding = encoding
        self._cursor = cursor
        # Replayed events up to here were handed over by an earlier process, whose memory of ids we do not have.
        self._before_us = cursor or 0
        self._buffer: list[tuple[str, object]] | None = []
        self._seen: dict[str, None] = {}
        self._listeners: list[Listener] = []
        self._unheard: list[tuple[str, dict[str, Any]]] = []
        self._cursor_heard = self._before_us

    @property
    def cursor(self) -> int:
        """The newest number that listeners have been given; while nobody listens it stands still."""
        return self._cursor_heard if self._unheard else self._cursor or 0

    def listen(self, heard: Listener) -> None:
        self._listeners.append(heard)
        unheard, self._unheard = self._unheard, []
        for name, event in unheard:
            self._tell(name, event)

    def buffer(self) -> None:
        """Before a connection is opened: what it brings waits until the replay is done."""
        self._buffer = []

    def take(self, name: str, arguments: list[Any]) -> None:
        """A callback arrived."""
        payload = arguments[0] if arguments else None
        if self._buffer is not None:
            self._buffer.append((name, payload))
        else:
            self._hand_over(name, payload)

    async def catch_up(self, connection: Connection) -> None:
        """Subscribe, replay, drain. Raises HubError."""
        subscribed = await self._call(connection, "SubscribeToStrategies", {"strategies": None})
        assert isinstance(subscribed, SubscribeToStrategiesResult)
        if subscribed.failed_strategies:
            logger.warning("no events for strategies %s", subscribed.failed_strategies)
        latest = await self._call(connection, "GetLatestEventSeqId", {})
        assert isinstance(latest, GetLatestEventSeqIdResult)
        if self._cursor is None:
            self._cursor = self._before_us = latest.latest_event_seq_id
        else:
            await self._replay(connection, latest.latest_event_seq_id)
        buffered, self._buffer = self._buffer or [], None
        for name, payload in buffered:
            self._hand_over(name, payload)

    async def _replay(self, connection: Connection, latest: int) -> None:
        since: int = max(0, (self._cursor or 0) - REPLAY_OVERLAP)
        token: str | None = None
        for _ in range(PAGES_MAX):
            if since >= latest:
                break
            args = {"event_seq_id": since, "limit": PAGE_EVENTS, "continuation_token": token}
            page = await self._call(connection, "GetEventsSince", args)
            assert isinstance(page, GetEventsSinceResult)
            for envelope in page.events:
                self._replayed(envelope)
            before, token = token, page.continuation_token
            newest = max((_number(envelope) for envelope in page.events), default=since)
            if token is None:
                # Either the end, or a hub that pages by number.
                if newest <= since:
                    break
                since = newest
            elif token == before and not page.events:
                break
        else:
            logger.warning("the history after event %d is too long; it was read up to %d", self.cursor, since)
        # Everything up to the newest number was asked for; numbers that are missing were never ours.
        self._advance(latest)

    def _replayed(self, envelope: EventEnvelope) -> None:
        if _number(envelope) > self._before_us:
            self._hand_over(envelope.event_type or "", envelope.event)

    def _hand_over(self, kind: str, payload: object) -> None:
        callback = callback_of(kind)
        if callback is None:
            DIFFERENCES.note("member", "Callback", kind)
        name, event = (callback.name if callback else kind), _read(kind, payload)
        if event is None:
            return
        identity, number = event.get("event_id"), event.get("event_seq_id")
        if isinstance(identity, str) and not self._first_time(identity):
            return
        self._tell(name, event)
        if isinstance(number, int):
            self._advance(number)

    def _advance(self, number: int) -> None:
        self._cursor = max(self._cursor or 0, number)

    def _first_time(self, identity: str) -> bool:
        if identity in self._seen:
            return False
        self._seen[identity] = None
        if len(self._seen) > IDS_KEPT_MAX:
            del self._seen[next(iter(self._seen))]
        return True

    def _tell(self, name: str, event: dict[str, Any]) -> None:
        if not self._listeners and len(self._unheard) < UNHEARD_MAX:
            self._cursor_heard = self.cursor
            self._unheard.append((name, event))
        for heard in self._listeners:
            try:
                heard(name, event)
            except Exception:
                logger.exception("a listener of %s failed", name)

    async def _call(self, connection: Connection, name: str, args: Mapping[str, Any]) -> Wire:
        method = METHODS[name]
        argument = codec_of(self._encoding).encode(method.args_model.write(args).wire())
        return read_answer(method, await connection.invoke(method, argument, CALL_S))


def _number(envelope: EventEnvelope) -> int:
    """An event's number, wherever the hub writes it; 0 if nowhere."""
    if envelope.event_seq_id is not None:
        return envelope.event_seq_id
    if isinstance(envelope.event, Mapping):
        number = Wire.read(envelope.event).value().get("event_seq_id")
        return number if isinstance(number, int) else 0
    return 0


def _read(kind: str, payload: object) -> dict[str, Any] | None:
    """The event as a Value. One that does not fit its model is kept as it came: losing it would be worse."""
    callback = callback_of(kind)
    if callback is not None:
        try:
            return callback.event_model.read(payload).value()
        except ValidationError as error:
            logger.warning("an event of %s does not fit the contract: %s", kind, error.errors()[0]["msg"])
    return Wire.read(payload).value() if isinstance(payload, Mapping) else None
