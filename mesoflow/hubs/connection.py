"""One connection to one hub: SignalR's handshake, calls and their endings, callbacks, streams, keep-alive, close.

Every call ends exactly once: result, refused, not sent, or outcome unknown, within its own limit. What makes the ending
exact: a call is registered, then handed to the transport in one synchronous step. If that step says no, not a byte left
and the call was not sent; from then on only an answer can make it anything but unknown. Nothing is queued, nothing is
sent again, and a connection that has ended stays ended (supervisor.py opens another).

The reader hands callbacks to `heard` one by one, in the order of the wire and in the same turn as the answers around
them: no second queue can grow or reorder. `heard` must not block; what it raises is logged and goes no further.
All timers are the loop's, so that under a simulated clock they are simulated too.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET
from signalrcore.messages.cancel_invocation_message import CancelInvocationMessage
from signalrcore.messages.close_message import CloseMessage
from signalrcore.messages.completion_message import CompletionMessage
from signalrcore.messages.invocation_message import InvocationMessage
from signalrcore.messages.ping_message import PingMessage
from signalrcore.messages.stream_invocation_message import StreamInvocationMessage
from signalrcore.messages.stream_item_message import StreamItemMessage

from mesoflow.hubs.codec import (
    RECORD_BYTES_MAX,
    RECORD_SEPARATOR,
    Codec,
    EncodingName,
    Message,
    Unreadable,
    codec_of,
    read_handshake,
)
from mesoflow.hubs.contract import Klass, Method
from mesoflow.hubs.errors import CallRefused, ConnectFailed, HubError, NotAllowed, NotSent, OutcomeUnknown
from mesoflow.hubs.inferred import error_proves_refusal
from mesoflow.hubs.negotiate import negotiate
from mesoflow.hubs.transport import Keepalive, Limits, Link, LinkClosed, open_websocket

logger = logging.getLogger(__name__)

# A stream carries newest values; who reads slower than this many items loses the oldest, as at the hub itself.
STREAM_ITEMS_MAX = 256
# A record may come in several messages. One whose end stays away this long has none: it began with bytes that were no
# record, and until the length that they named is full everything else would disappear in it.
RECORD_S = 10.0
# Between two looks at the keep-alive time must pass, whatever rounding says: simulated time does not, while we are busy.
LOOK_S = 0.01
# The status that a refusal has when the hub answered with an error text instead of an envelope.
HUB_ERROR = "HubError"

Heard = Callable[[str, list[Any]], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection is over, and whether the hub lets us come back."""

    reason: str
    reconnect: bool


class Stream:
    """The items of a server stream, newest ones kept. Iterate it; `aclose` tells the hub to stop."""

    def __init__(self, connection: Connection, method: Method, identity: str) -> None:
        self._connection = connection
        self._method = method
        self._identity = identity
        self._items: deque[Any] = deque(maxlen=STREAM_ITEMS_MAX)
        self._news = asyncio.Event()
        self._end: HubError | None = None
        self._over = False

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - one decoded item
        while not self._items:
            if self._end is not None:
                raise self._end
            if self._over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()

    async def aclose(self) -> None:
        """Stop it here and at the hub; items on their way are dropped."""
        self._items.clear()
        self._connection._cancel_stream(self._identity)
        self._finish(None)

    def _put(self, item: object) -> None:
        self._items.append(item)
        self._news.set()

    def _finish(self, error: HubError | None) -> None:
        if not self._over:
            self._over, self._end = True, error
            self._news.set()


class Connection:
    """Made by `open_connection`."""

    def __init__(
        self,
        hub: str,
        link: Link,
        codec: Codec,
        *,
        allow: frozenset[Klass],
        heard: Heard,
        keepalive: Keepalive | None = None,
        sent: Callable[[str], None] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._hub = hub
        self._link = link
        self._codec = codec
        self._allow = allow
        self._heard = heard
        self._keepalive = keepalive
        self._sent = sent
        self._calls: dict[str, tuple[Method, asyncio.Future[Any]]] = {}
        self._streams: dict[str, tuple[Method, Stream]] = {}
        self._next_id = 0
        self._heard_at = self._sent_at = self._loop.time()
        self._watcher: asyncio.TimerHandle | None = None
        self._endless: asyncio.TimerHandle | None = None
        self._reader: asyncio.Task[None] | None = None
        self._shutting: asyncio.Task[None] | None = None
        # Done when the connection is over; the reason is its result.
        self.ended: asyncio.Future[Ending] = self._loop.create_future()

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    def start(self, glued: bytes = b"") -> None:
        """Begin to read. `glued` came behind the handshake's answer."""
        self._reader = self._loop.create_task(self._read(glued), name=f"{self._hub} reader")
        if self._keepalive is not None:
            # A .NET hub begins to watch a client only at its first ping.
            self._ping()
            self._watch()

    # ── calls ──

    async def invoke(self, method: Method, argument: bytes, within_s: float) -> Any:  # noqa: ANN401 - decoded, not yet read
        """The decoded answer (None if void). Raises CallRefused, NotSent, OutcomeUnknown, NotAllowed."""
        if within_s <= 0:
            raise NotSent(method.name, "there is no time left for an answer")
        identity = self._begin(method)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._calls[identity] = (method, future)
        timer: asyncio.TimerHandle | None = None
        try:
            self._hand_over(method, InvocationMessage(identity, method.name, [argument], headers={}))
            timer = self._loop.call_later(within_s, self._expire, identity, within_s)
            return await future
        finally:
            self._calls.pop(identity, None)
            if timer is not None:
                timer.cancel()

    def stream(self, method: Method, argument: bytes) -> Stream:
        """Start a server stream. Raises NotSent, NotAllowed; iterating may raise CallRefused or OutcomeUnknown."""
        identity = self._begin(method)
        stream = Stream(self, method, identity)
        self._streams[identity] = (method, stream)
        message = StreamInvocationMessage(identity, method.name, [argument], [], headers={})
        try:
            self._hand_over(method, message)
        except NotSent:
            del self._streams[identity]
            raise
        return stream

    async def close(self) -> None:
        """End it, politely. Pending calls end as unknown; returns when the socket is gone."""
        self._end(Ending("closed by us", reconnect=False), polite=True)
        await self.gone()

    async def gone(self) -> None:
        """Wait until the socket of an ended connection is closed."""
        await asyncio.wait([self.ended])
        if self._shutting is not None:
            await asyncio.wait([self._shutting])

    def _begin(self, method: Method) -> str:
        if method.klass not in self._allow:
            raise NotAllowed(method.name, method.klass, tuple(sorted(self._allow)))
        if self.ended.done():
            raise NotSent(method.name, f"the connection is over ({self.ended.result().reason})")
        self._next_id += 1
        return str(self._next_id)

    def _hand_over(self, method: Method, message: Message) -> None:
        try:
            self._send(message)
        except LinkClosed as error:
            raise NotSent(method.name, str(error)) from error
        if self._sent is not None:
            self._sent(method.name)

    def _send(self, message: Message) -> None:
        self._link.send(self._codec.write_message(message), binary=self._codec.binary)
        self._sent_at = self._loop.time()

    def _expire(self, identity: str, within_s: float) -> None:
        method, future = self._calls.pop(identity, (None, None))
        if method is not None and future is not None and not future.done():
            future.set_exception(OutcomeUnknown(method.name, f"no answer in {within_s:g} s"))

    # ── what comes in ──

    async def _read(self, glued: bytes) -> None:
        try:
            data: bytes | str = glued
            while self.alive:
                messages = self._codec.parse_messages(data)
                for message in messages:
                    self._take(message)
                self._watch_record(began_anew=bool(messages))
                data = await self._link.receive()
                self._heard_at = self._loop.time()
        except LinkClosed as error:
            self._end(Ending(str(error), reconnect=True))
        except Unreadable as error:
            self._end(Ending(f"the hub sent something unreadable: {error}", reconnect=True))
        except Exception as error:
            # A message of a shape that no decoder refused. Without this the calls would wait for their limits.
            logger.exception("%s: the reader failed", self._hub)
            self._end(Ending(f"a message could not be handled: {error!r}", reconnect=True))

    def _take(self, message: Message) -> None:
        if self.ended.done():
            return
        match message:
            case CompletionMessage():
                self._complete(message)
            case InvocationMessage():
                self._called(message)
            case StreamItemMessage():
                if (entry := self._streams.get(message.invocation_id)) is not None:
                    entry[1]._put(message.item)
            case CloseMessage():
                reason = f"the hub closed the connection: {message.error or 'no reason given'}"
                self._end(Ending(reason, reconnect=message.allow_reconnect is True), polite=True)
            # Pings have done their work by arriving; acknowledgements belong to stateful reconnect, never negotiated.

    def _complete(self, message: CompletionMessage) -> None:
        """A completion for nobody is a second answer, or one that came after its limit: dropped."""
        call = self._calls.pop(message.invocation_id, None)
        if call is not None and not call[1].done():
            method, future = call
            if message.error is not None:
                future.set_exception(_hub_error(method, message.error))
            else:
                future.set_result(None if message.result is UNSET else message.result)
        entry = self._streams.pop(message.invocation_id, None)
        if entry is not None:
            entry[1]._finish(None if message.error is None else _hub_error(entry[0], message.error))

    def _called(self, message: InvocationMessage) -> None:
        if message.invocation_id is not None:
            answer = CompletionMessage(
                message.invocation_id, UNSET, "Client didn't provide a result.", headers={}
            )
            self._send_quietly(answer)
        try:
            self._heard(message.target, message.arguments)
        except Exception:
            logger.exception("%s: a handler of %s failed", self._hub, message.target)

    def _cancel_stream(self, identity: str) -> None:
        if self._streams.pop(identity, None) is not None and self.alive:
            self._send_quietly(CancelInvocationMessage(identity, headers={}))

    def _send_quietly(self, message: Message) -> None:
        try:
            self._send(message)
        except LinkClosed:
            logger.debug("%s: %s not sent, the link is closing", self._hub, type(message).__name__)

    # ── keep-alive and end ──

    def _ping(self) -> None:
        self._send_quietly(PingMessage())

    def _watch(self) -> None:
        keepalive, now = self._keepalive, self._loop.time()
        if keepalive is None or self.ended.done():
            return
        if now - self._heard_at >= keepalive.silence_s:
            self._end(Ending(f"nothing heard for {keepalive.silence_s:g} s", reconnect=True))
            return
        if now - self._sent_at >= keepalive.hub_ping_s:
            self._ping()
            # Also when it could not be sent: the next try is one interval away.
            self._sent_at = now
        due = min(self._heard_at + keepalive.silence_s, self._sent_at + keepalive.hub_ping_s)
        self._watcher = self._loop.call_later(max(due - now, LOOK_S), self._watch)

    def _watch_record(self, *, began_anew: bool) -> None:
        """A timer runs exactly while a record is incomplete, from its beginning on."""
        if self._endless is not None and (began_anew or not self._codec.incomplete):
            self._endless.cancel()
            self._endless = None
        if self._endless is None and self._codec.incomplete and self.alive:
            ending = Ending(f"a record without an end in {RECORD_S:g} s", reconnect=True)
            self._endless = self._loop.call_later(RECORD_S, self._end, ending)

    def _end(self, ending: Ending, *, polite: bool = False) -> None:
        """Once: everything pending fails now, not when the socket has closed."""
        if self.ended.done():
            return
        self.ended.set_result(ending)
        for timer in (self._watcher, self._endless):
            if timer is not None:
                timer.cancel()
        calls, self._calls = self._calls, {}
        for method, future in calls.values():
            if not future.done():
                future.set_exception(OutcomeUnknown(method.name, ending.reason))
        streams, self._streams = self._streams, {}
        for method, stream in streams.values():
            stream._finish(OutcomeUnknown(method.name, ending.reason))
        self._shutting = self._loop.create_task(self._shut(polite), name=f"{self._hub} closing")

    async def _shut(self, polite: bool) -> None:
        if not polite:
            self._link.abort()
        await self._link.close()
        if self._reader is not None:
            await asyncio.wait([self._reader])


def _hub_error(method: Method, text: str) -> HubError:
    if error_proves_refusal(method.klass, text):
        return CallRefused(method.name, HUB_ERROR, text)
    return OutcomeUnknown(method.name, f"the hub answered with an error: {text}", status=HUB_ERROR)


async def open_connection(
    hub: str,
    url: str,
    *,
    token: str | None,
    encoding: EncodingName,
    allow: frozenset[Klass],
    heard: Heard,
    keepalive: Keepalive | None,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    sent: Callable[[str], None] | None = None,
) -> Connection:
    """Negotiate, upgrade, shake hands, begin to read. `url` is the hub's own. Raises ConnectFailed."""
    limits = limits or Limits()
    negotiated = await negotiate(hub, url, token, tls, limits.negotiate_s)
    link = await open_websocket(hub, negotiated, keepalive, tls, limits)
    codec = codec_of(encoding)
    try:
        glued = await _shake_hands(hub, link, codec, limits.handshake_s)
    except BaseException:
        link.abort()
        raise
    connection = Connection(hub, link, codec, allow=allow, heard=heard, keepalive=keepalive, sent=sent)
    connection.start(glued)
    return connection


async def _shake_hands(hub: str, link: Link, codec: Codec, limit_s: float) -> bytes:
    try:
        link.send(codec.handshake(), binary=codec.binary)
        received = await _receive_record(link, limit_s)
        answered = read_handshake(received)
    except LinkClosed as error:
        raise ConnectFailed(hub, "handshake", str(error)) from error
    except TimeoutError as error:
        raise ConnectFailed(hub, "handshake", f"no answer in {limit_s:g} s") from error
    except Unreadable as error:
        # Nonsense comes from something in between; a hub that does not want us says so in words.
        raise ConnectFailed(hub, "handshake", str(error)) from error
    assert answered is not None, "a record was received whole"
    answer, glued = answered
    if answer.error:
        raise ConnectFailed(hub, "handshake", str(answer.error), retryable=False)
    return glued


async def _receive_record(link: Link, limit_s: float) -> bytes:
    """Everything up to the first record separator, and what is glued behind it."""
    received = b""
    async with asyncio.timeout(limit_s):
        while RECORD_SEPARATOR not in received:
            message = await link.receive()
            received += message.encode() if isinstance(message, str) else message
            if len(received) > RECORD_BYTES_MAX:
                raise LinkClosed("an answer without an end")
    return received
