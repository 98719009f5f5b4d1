"""The loop under an embedded simulator: its time is simulated, and passes only while the loop is idle.

Theory of operation. The loop polls. While anything is ready, time stands still. When nothing is ready, time moves to the
next timer: at once, or (with a speed) as real time passes. Four things keep it standing although nothing is ready:
 - bytes on their way: client and server share this process, and the kernel may take its time to carry a packet across
   loopback. Every such connection has both ends here, so what was sent and not yet received is known exactly;
 - work in a thread (an executor's) that will report back;
 - `hold()`, until `release()`: somebody works for the run outside of this loop, or a person is asked;
 - no timer at all: it then waits for I/O like any loop.
Signals arrive as bytes on the loop's own pipe, as in any loop. `every_real` is for looking around in real time: it is no
timer, and neither moves nor stops simulated time.
"""

from __future__ import annotations

import asyncio
import logging
import selectors
import socket
import time
import weakref
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

# Longer than a kernel ever keeps a packet on loopback (a delayed acknowledgement takes 40 ms). Beyond it the count of
# bytes cannot be right, and a wrong count must not stop the run for good.
TRANSIT_MAX_S = 2.0
# While bytes are on their way, so often it is asked whether they still are.
TRANSIT_LOOK_S = 0.05
# epoll takes milliseconds in 31 bits; an hour is far below.
REAL_WAIT_MAX_S = 3600.0


class RealTimer:
    """Calls `fn` every `seconds` of real time, on the loop; late when the loop is busy, never twice at once."""

    def __init__(
        self, seconds: float, fn: Callable[[], object], cancelled: Callable[[RealTimer], None]
    ) -> None:
        self.seconds = seconds
        self.fn = fn
        self.due = time.monotonic() + seconds
        self._cancelled = cancelled

    def cancel(self) -> None:
        self._cancelled(self)


class _Socket(socket.socket):
    """One end of a TCP connection, which counts what went out and what came in."""

    sent: int = 0
    received: int = 0
    # We have said that nothing more is to come; we have heard so.
    said_end: bool = False
    heard_end: bool = False
    # The other end, if it is in this process.
    other: _Socket | None = None

    def send(self, data: Any, flags: int = 0, /) -> int:  # noqa: ANN401 - as the base class has it
        count = super().send(data, flags)
        self.sent += count
        return count

    def sendmsg(self, *args: Any) -> int:  # noqa: ANN401 - as the base class has it
        count = super().sendmsg(*args)
        self.sent += count
        return count

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        try:
            data = super().recv(size, flags)
        except BlockingIOError:
            raise
        except OSError:
            self.heard_end = True
            raise
        self._came(len(data))
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:  # noqa: ANN401 - as the base class has it
        try:
            count = super().recv_into(buffer, nbytes, flags)
        except BlockingIOError:
            raise
        except OSError:
            self.heard_end = True
            raise
        self._came(count)
        return count

    def _came(self, count: int) -> None:
        self.received += count
        if count == 0:
            self.heard_end = True

    def shutdown(self, how: int, /) -> None:
        self.said_end = True
        super().shutdown(how)

    def close(self) -> None:
        self.said_end = True
        super().close()


class _Traffic:
    """The connections of this process with itself, and whether anything is on its way between their ends."""

    def __init__(self) -> None:
        self._ends: dict[tuple[Any, Any], _Socket] = {}
        self._servers: weakref.WeakSet[asyncio.Server] = weakref.WeakSet()
        self.connecting = 0

    def serves(self, server: asyncio.Server) -> None:
        self._servers.add(server)

    def is_ours(self, address: Any) -> bool:  # noqa: ANN401 - an address is whatever its family says
        """Whether a server of this loop listens there."""
        if not isinstance(address, tuple):
            return False
        return any(ours.getsockname()[1] == address[1] for server in self._servers for ours in server.sockets)

    def counted(self, plain: socket.socket) -> socket.socket:
        """The same connection, counting from now on; what is no TCP connection stays as it is."""
        if plain.family not in (socket.AF_INET, socket.AF_INET6) or plain.type != socket.SOCK_STREAM:
            return plain
        try:
            here, there = plain.getsockname(), plain.getpeername()
        except OSError:
            return plain
        end = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        end.setblocking(False)
        self._forget_closed()
        self._ends[here, there] = end
        other = self._ends.get((there, here))
        if other is not None:
            end.other, other.other = other, end
        return end

    def _forget_closed(self) -> None:
        self._ends = {names: end for names, end in self._ends.items() if end.fileno() >= 0}

    def under_way(self, selector: selectors.BaseSelector) -> bool:
        """Whether something will become ready although nothing is."""
        if self.connecting:
            return True
        return any(
            self._awaits(end, there, selector) for (_, there), end in self._ends.items() if end.fileno() >= 0
        )

    def _awaits(self, end: _Socket, there: object, selector: selectors.BaseSelector) -> bool:
        """An end that nobody reads awaits nothing: whoever has stopped reading may be waiting for time to pass."""
        other = end.other
        if other is None:
            return self.is_ours(there)  # connected, not yet accepted
        events = _interest(selector, end)
        if (
            events & selectors.EVENT_READ
            and not end.heard_end
            and (other.sent > end.received or other.said_end)
        ):
            return True
        return bool(events & selectors.EVENT_WRITE) and other.received >= end.sent and not other.said_end

    def give_up(self) -> None:
        """Believe that everything has arrived."""
        self.connecting = 0
        for end in list(self._ends.values()):
            if end.other is None:
                continue
            end.received = max(end.received, end.other.sent)
            end.heard_end = end.heard_end or end.other.said_end
        self._ends = {names: end for names, end in self._ends.items() if end.other is not None}


def _interest(selector: selectors.BaseSelector, end: _Socket) -> int:
    key = selector.get_map().get(end.fileno())
    return 0 if key is None else key.events


class _Selector(selectors.DefaultSelector):
    """Where the loop would wait, time passes instead."""

    loop: IdleLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        looked = self.loop.look_around()
        if ready or looked or (timeout is not None and timeout <= 0):
            self.loop.stuck_since = None
            return ready
        wait = self.loop.idle(timeout)
        if wait == 0:
            return ready
        began = time.monotonic()
        ready = super().select(wait)
        self.loop.waited(time.monotonic() - began, timeout)
        self.loop.look_around()
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in simulated time. `speed`: simulated seconds in a real one; None: idle time takes no time."""

    def __init__(self, speed: float | None = None) -> None:
        if speed is not None and speed <= 0:
            raise ValueError(f"a speed is positive, not {speed:g}")
        self._now = 0.0
        self._speed = speed
        self._holds = 0
        self._real: list[RealTimer] = []
        self._traffic = _Traffic()
        self.stuck_since: float | None = None
        # How often bytes were counted that never came; a test holds it at zero.
        self.gave_up = 0
        self._idle_selector = _Selector()
        self._idle_selector.loop = self
        super().__init__(self._idle_selector)

    # --- what a run uses -------------------------------------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def hold(self) -> None:
        """Time stands still until as many `release` have come."""
        self._holds += 1

    def release(self) -> None:
        if self._holds <= 0:
            raise RuntimeError("release without hold: this is a bug in mesoflow")
        self._holds -= 1

    def every_real(self, seconds: float, fn: Callable[[], object]) -> RealTimer:
        """Call `fn` every so many real seconds, until cancelled; outside of simulated time."""
        timer = RealTimer(seconds, fn, self._real.remove)
        self._real.append(timer)
        return timer

    # --- what its selector asks ------------------------------------------------------------------------------------

    def look_around(self) -> bool:
        """Hand real-time callbacks that are due to the loop."""
        if not self._real:
            return False
        now = time.monotonic()
        due = [timer for timer in self._real if timer.due <= now]
        for timer in due:
            timer.due = now + timer.seconds
            self.call_soon(timer.fn)
        return bool(due)

    def idle(self, timeout: float | None) -> float | None:
        """Nothing is ready: how long to wait in real time (None: until I/O). 0: time has passed already."""
        if self._holds or timeout is None:
            return self._until_real()
        if self._stuck():
            return self._until_real(TRANSIT_LOOK_S)
        if self._speed is None:
            self._now += timeout
            return 0
        return self._until_real(min(timeout / self._speed, REAL_WAIT_MAX_S))

    def waited(self, real: float, timeout: float | None) -> None:
        """So long it was idle."""
        if self._speed is None or timeout is None or self._holds or self.stuck_since is not None:
            return
        self._now += min(real * self._speed, timeout)

    def _until_real(self, most: float | None = None) -> float | None:
        """At most that long, for the next look around in real time comes first. Never 0, which means something else."""
        if not self._real:
            return most
        left = max(min(timer.due for timer in self._real) - time.monotonic(), 1e-6)
        return left if most is None else min(left, most)

    def _stuck(self) -> bool:
        """Whether bytes are on their way."""
        if not self._traffic.under_way(self._idle_selector):
            self.stuck_since = None
            return False
        now = time.monotonic()
        if self.stuck_since is None:
            self.stuck_since = now
        if now - self.stuck_since < TRANSIT_MAX_S:
            return True
        logger.warning("bytes on loopback did not arrive within %g s; simulated time goes on", TRANSIT_MAX_S)
        self._traffic.give_up()
        self.gave_up += 1
        self.stuck_since = None
        return False

    # --- what asyncio does, with an eye on it ----------------------------------------------------------------------

    async def create_server(self, *args: Any, **kwargs: Any) -> asyncio.Server:  # noqa: ANN401
        server: asyncio.Server = await super().create_server(*args, **kwargs)
        self._traffic.serves(server)
        return server

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:  # noqa: ANN401 - as the base class has it
        if not self._traffic.is_ours(address):
            return await super().sock_connect(sock, address)
        self._traffic.connecting += 1
        try:
            return await super().sock_connect(sock, address)
        finally:
            self._traffic.connecting = max(0, self._traffic.connecting - 1)

    def _make_socket_transport(self, sock: socket.socket, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Asyncio's own place for making a connection's transport; private, but the same since Python 3.4."""
        made = super()._make_socket_transport  # type: ignore[misc]
        return made(self._traffic.counted(sock), *args, **kwargs)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ANN401
        future = super().run_in_executor(executor, func, *args)
        self.hold()
        future.add_done_callback(lambda _: self.release())
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:  # noqa: ANN401 - a timeout, from Python 3.12 on
        self.hold()
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self.release()


def new_idle_loop(speed: float | None = None) -> IdleLoop:
    """For `asyncio.Runner(loop_factory=…)`. None: idle time takes no time; 60: an idle hour takes a minute."""
    return IdleLoop(speed)
