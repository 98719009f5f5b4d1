"""SignalR on one connection: handshake, calls in their order, streams beside them, callbacks, pings, close.

Knows neither sockets nor HTTP: bytes come in by `received`, go out through a Pipe. As in .NET, calls of one client run
one at a time and in order; a stream begins when its turn comes and then runs beside the calls. What waits for a client
that does not read is bounded, and blocks nobody but that client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from mesoflow.simulator.wire.core import VOID, HubApp, HubError
from mesoflow.simulator.wire.encodings import Encoding
from mesoflow.simulator.wire.handshake import ACCEPTED, HandshakeRefused, read_handshake, refusal
from mesoflow.simulator.wire.messages import (
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Malformed,
    Message,
    Ping,
    StreamInvocation,
    StreamItem,
)
from mesoflow.simulator.wire.serving import (
    CALLS_WAITING_MAX,
    HANDSHAKE_TIMEOUT_S,
    MESSAGE_BYTES_MAX,
    Serving,
    contract_name,
    first_argument,
    idempotency_key,
    trades,
)

logger = logging.getLogger(__name__)


class Pipe(Protocol):
    """What carries the bytes of one link."""

    def write(self, data: bytes, *, text: bool) -> None: ...

    def close(self) -> None:
        """After what was written."""

    def abort(self) -> None:
        """At once."""


class Link:
    """One client, connected to one hub. Is the Caller that its hub sees."""

    def __init__(self, connection_id: str, app: HubApp, pipe: Pipe, serving: Serving) -> None:
        self._id = connection_id
        self._app = app
        self._pipe = pipe
        self._serving = serving
        self._loop = asyncio.get_running_loop()
        self._encoding: Encoding | None = None
        self._rest = b""
        self._closed = False
        self._calls: deque[Invocation | StreamInvocation] = deque()
        self._called = asyncio.Event()
        self._streams: dict[str, asyncio.Task[str | None]] = {}
        self._backlog: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._heard_at = self._sent_at = self._loop.time()
        self._client_pings = False
        self._timer: asyncio.TimerHandle | None = None
        if serving.keep_alive_s is not None:
            self._timer = self._loop.call_later(HANDSHAKE_TIMEOUT_S, self._handshake_overdue)

    # --- the hub's side (Caller) -----------------------------------------------------------------------------------

    @property
    def connection_id(self) -> str:
        return self._id

    @property
    def closed(self) -> bool:
        return self._closed

    def send(self, target: str, *arguments: Any) -> None:  # noqa: ANN401 - whatever the encoder can write
        self._write(Invocation(target, list(arguments)))

    def close(self, error: str | None = None, *, allow_reconnect: bool = False) -> None:
        if self._closed:
            return
        if self._encoding is not None:
            self._write(Close(error, allow_reconnect))
            self._flush_backlog()
        self._pipe.close()
        self._end()

    def abort(self) -> None:
        self._pipe.abort()
        self._end()

    # --- the pipe's side -------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes of one websocket message; a record may end in a later one."""
        if self._closed:
            return
        self._heard_at = self._loop.time()
        self._rest += data
        try:
            if self._encoding is None and not self._shake():
                return
            assert self._encoding is not None
            messages, self._rest = self._encoding.read(self._rest)
            if len(self._rest) > MESSAGE_BYTES_MAX:
                raise Malformed(f"a message of more than {MESSAGE_BYTES_MAX} bytes")
        except Malformed as error:
            logger.warning("connection %s: %s", self._id, error)
            self.close("Connection closed with an error.")
            return
        for message in messages:
            self._take(message)

    def lost(self) -> None:
        """The connection is gone."""
        self._end()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
        while self._backlog and self._writable.is_set():
            self._out(self._backlog_pop())

    # --- reading ---------------------------------------------------------------------------------------------------

    def _shake(self) -> bool:
        """Whether the handshake is done. Raises Malformed."""
        try:
            shaken = read_handshake(self._rest, self._serving.decimals or self._serving.faults.decimals)
        except HandshakeRefused as error:
            self._pipe.write(refusal(error), text=True)
            self._pipe.close()
            self._end()
            return False
        if shaken is None:
            return False
        self._encoding, self._rest = shaken.encoding, shaken.rest
        self._out(ACCEPTED)
        self._serving.start(self._work(), name=f"calls of {self._id}")
        self._watch()
        return True

    def _take(self, message: Message) -> None:
        match message:
            case Invocation() | StreamInvocation():
                if len(self._calls) >= CALLS_WAITING_MAX:
                    self.close(f"More than {CALLS_WAITING_MAX} calls are waiting.")
                    return
                self._calls.append(message)
                self._called.set()
            case CancelInvocation(id=identity):
                self._cancel(identity)
            case Ping():
                self._client_pings = True
            case Close():
                self._pipe.close()
                self._end()
            case _:
                pass  # items and completions of upload streams, whose invocation was refused

    def _cancel(self, identity: str) -> None:
        """The client wants no more of a stream, which may still be waiting for its turn."""
        task = self._streams.get(identity)
        if task is not None:
            task.cancel()
            return
        waiting = [call for call in self._calls if isinstance(call, StreamInvocation) and call.id == identity]
        for call in waiting:
            self._calls.remove(call)
            self._write(Completion(identity))

    # --- calls -----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """One client's calls, one at a time and in order; begins and ends with the hub's own hooks."""
        try:
            await self._app.connected(self)
            while not self._closed:
                while self._calls and not self._closed:
                    await self._serve(self._calls.popleft())
                self._called.clear()
                if not self._closed:
                    await self._called.wait()
        except Exception:
            logger.exception("connection %s ends by an error of its hub", self._id)
            self.abort()
        finally:
            await self._stop_streams()
            await self._app.disconnected(self)

    async def _stop_streams(self) -> None:
        streams = list(self._streams.values())
        for task in streams:
            task.cancel()
        if streams:
            await asyncio.wait(streams)

    async def _serve(self, call: Invocation | StreamInvocation) -> None:
        method = contract_name(call.target)
        if await self._request_fails(method, call):
            return
        if call.streams:
            self._complete(
                call.id, error=f"Upload streams are not taken here ('{call.target}' announced one)."
            )
        elif isinstance(call, Invocation):
            await self._invoke(method, call)
        elif call.id in self._streams:
            self._complete(call.id, error=f"Invocation id '{call.id}' is in use.")
        else:
            task = self._loop.create_task(self._pump(call), name=f"stream {call.target} of {self._id}")
            task.add_done_callback(partial(self._pumped, identity=call.id))
            self._streams[call.id] = task

    async def _request_fails(self, method: str, call: Invocation | StreamInvocation) -> bool:
        """The dials between arrival and execution."""
        faults = self._serving.faults
        lost = faults.request_lost(method)
        if lost is not None:
            if lost.cut:
                self.abort()
            return True
        late = faults.request_late(method)
        if late is not None:
            self._serving.start(self._executed_late(call, late), name=f"late {call.target} of {self._id}")
            self.abort()
            return True
        delay = faults.delay_of(method)
        if delay is not None:
            await self._sleep(delay)
        return False

    async def _executed_late(self, call: Invocation | StreamInvocation, late: timedelta) -> None:
        """A request that was still on its way when its connection ended: nobody hears what comes of it."""
        await self._sleep(late)
        if isinstance(call, Invocation):
            with contextlib.suppress(Exception):
                await self._app.invoke(call.target, call.arguments, self)

    async def _sleep(self, duration: timedelta) -> None:
        clock = self._serving.clock
        over = asyncio.Event()
        timer = clock.call_at(clock.now() + duration, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    async def _invoke(self, method: str, call: Invocation) -> None:
        args, hooks = first_argument(call.arguments), self._serving.hooks
        try:
            if trades(method):
                hooks.on_trading_call(method, args)
            result = await self._app.invoke(call.target, call.arguments, self)
            hooks.on_executed(method, args, idempotency_key(args))
        except HubError as error:
            self._complete(call.id, error=str(error))
            return
        except Exception:
            logger.exception("%s failed", call.target)
            self._complete(call.id, error=_unexpected(call.target))
            return
        await self._reply(method, call, result)

    async def _reply(self, method: str, call: Invocation, result: object) -> None:
        """The dials between execution and reply."""
        faults = self._serving.faults
        lost, told, held = faults.reply_lost(method), faults.mistold(method), faults.reply_held(method)
        again = faults.reply_twice(method)
        if lost is not None:
            if lost.cut:
                self.abort()
        elif told is not None:
            self._complete(call.id, error=told.text or _unexpected(call.target))
        elif held is not None:
            self._serving.start(self._reply_late(call, result, held), name=f"reply of {call.target}")
        else:
            for _ in range(2 if again else 1):
                self._complete(call.id, result)

    async def _reply_late(self, call: Invocation, result: object, held: timedelta) -> None:
        await self._sleep(held)
        self._complete(call.id, result)

    def _complete(self, identity: str | None, result: object = VOID, *, error: str | None = None) -> None:
        """Without an id no answer is due."""
        if identity is not None:
            self._write(Completion(identity, result, error))

    # --- streams ---------------------------------------------------------------------------------------------------

    async def _pump(self, call: StreamInvocation) -> str | None:
        """The error it ended by."""
        try:
            await self._forward(call)
        except HubError as refused:
            return str(refused)
        except Exception:
            logger.exception("stream %s failed", call.target)
            return _unexpected(call.target)
        return None

    def _pumped(self, task: asyncio.Task[str | None], identity: str) -> None:
        """A stream that its client has cancelled is completed too, even one that never began."""
        del self._streams[identity]
        self._complete(identity, error=None if task.cancelled() else task.result())

    async def _forward(self, call: StreamInvocation) -> None:
        """Items at the client's pace: the next is asked for when the one before could be written."""
        items: AsyncIterator[object] = self._app.stream(call.target, call.arguments, self)
        try:
            async for item in items:
                self._write(StreamItem(call.id, item))
                await self._writable.wait()
        finally:
            aclose = getattr(items, "aclose", None)
            if aclose is not None:
                await aclose()

    # --- writing ---------------------------------------------------------------------------------------------------

    def _write(self, message: Message) -> None:
        if self._closed or self._encoding is None:
            return
        try:
            data = self._encoding.write(message)
        except Exception:
            if not isinstance(message, Completion) or message.error is not None:
                raise
            logger.exception("a result cannot be encoded")
            data = self._encoding.write(Completion(message.id, error="The result cannot be written."))
        if self._writable.is_set() and not self._backlog:
            self._out(data)
            return
        self._backlog.append(data)
        self._backlog_bytes += len(data)
        if self._backlog_bytes > self._serving.backlog_bytes_max:
            logger.warning(
                "connection %s does not read: %d bytes wait for it; cut off", self._id, self._backlog_bytes
            )
            self.abort()

    def _out(self, data: bytes) -> None:
        assert self._encoding is not None
        self._sent_at = self._loop.time()
        self._pipe.write(data, text=self._encoding.text)

    def _backlog_pop(self) -> bytes:
        data = self._backlog.popleft()
        self._backlog_bytes -= len(data)
        return data

    def _flush_backlog(self) -> None:
        while self._backlog:
            self._out(self._backlog_pop())

    # --- time and end ----------------------------------------------------------------------------------------------

    def _handshake_overdue(self) -> None:
        logger.warning("connection %s: no handshake within %g s", self._id, HANDSHAKE_TIMEOUT_S)
        self.abort()

    def _watch(self) -> None:
        """Ping when nothing else was sent; cut off a client that has pinged before and fell silent."""
        if self._timer is not None:
            self._timer.cancel()
        keep_alive = self._serving.keep_alive_s
        if keep_alive is None or self._closed:
            return
        now = self._loop.time()
        if self._client_pings and now - self._heard_at >= self._serving.client_timeout_s:
            logger.warning("connection %s: nothing heard for %g s", self._id, now - self._heard_at)
            self.abort()
            return
        if now - self._sent_at >= keep_alive:
            self._write(Ping())
            self._sent_at = now
        due = self._sent_at + keep_alive
        if self._client_pings:
            due = min(due, self._heard_at + self._serving.client_timeout_s)
        self._timer = self._loop.call_at(due, self._watch)

    def _end(self) -> None:
        """However it came to this: nothing is written any more, a call under way is finished, streams stop."""
        if self._closed:
            return
        self._closed = True
        self._calls.clear()
        self._backlog.clear()
        self._called.set()
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._streams.values()):
            task.cancel()


def _unexpected(target: str) -> str:
    return f"An unexpected error occurred invoking '{target}' on the server."
