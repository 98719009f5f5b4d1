"""One hub kept connected: reconnect with backoff and jitter, a fresh token for every attempt, and when to give up.

It gives up where waiting cannot help: a token refused twice, a missing right, a handshake error, a Close that does not
allow to come back. Then calls are not sent and say why, until somebody asks for a fresh connection. While it reconnects
calls are not sent either; nothing is queued.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

from mesoflow.hubs.connection import Connection, Ending
from mesoflow.hubs.errors import ConnectFailed, HubError, NotSent

logger = logging.getLogger(__name__)

# The first try comes at once after a loss that was the first in a while; the cap keeps a hub that returns from waiting.
DELAY_FIRST_S = 0.1
DELAY_MAX_S = 10.0
# A connection that lived this long counts as good: the next loss starts again from the first delay.
STABLE_S = 5.0

State = Literal["connected", "reconnecting", "stopped", "closed"]
# A token, none, or where to get one: asked for every attempt, because tokens expire.
Token: TypeAlias = str | Callable[[], str | Awaitable[str | None] | None] | None
Opener: TypeAlias = Callable[[str | None], Awaitable[Connection]]


async def _fetch(hub: str, token: Token) -> str | None:
    if not callable(token):
        return token
    try:
        fetched = token()
        return await fetched if inspect.isawaitable(fetched) else fetched
    except Exception as error:
        # Only the kind of error: its text may quote the secret.
        raise ConnectFailed(hub, "token", f"none was given ({type(error).__name__})") from error


class Supervisor:
    """Owns the current connection of one hub.

    `ready` is run on a new connection before anybody may use it (subscribe, replay). `random` gives numbers in [0, 1);
    it comes from outside so that nothing here is left to chance. `changed` hears every change of state with its reason.
    """

    def __init__(
        self,
        hub: str,
        opener: Opener,
        *,
        token: Token = None,
        random: Callable[[], float],
        ready: Callable[[Connection], Awaitable[None]] | None = None,
        changed: Callable[[str, State, str], None] | None = None,
    ) -> None:
        self._hub = hub
        self._opener = opener
        self._token = token
        self._random = random
        self._ready = ready
        self._changed = changed
        self._connection: Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.state: State = "reconnecting"
        self.reason = "not connected yet"

    async def start(self) -> None:
        """The first connection. Raises ConnectFailed; retrying is the caller's to decide."""
        await self._connect()
        self._begin_keeping()

    def current(self, method: str) -> Connection:
        """The connection for a call. Raises NotSent."""
        connection = self._connection
        if connection is None or not (connection.alive or self.state == "connected"):
            raise NotSent(method, f"the {self._hub} hub is {self.state}: {self.reason}")
        if not connection.alive:
            # Lost in this very turn of the loop; the keeper has not been told yet.
            raise NotSent(method, f"the {self._hub} hub is away: {connection.ended.result().reason}")
        return connection

    async def reopen(self) -> None:
        """Close what is open, wait until it is gone, and open another. Raises ConnectFailed."""
        await self._stop_keeping()
        old, self._connection = self._connection, None
        if old is not None:
            await old.close()
        self._to("reconnecting", "a fresh connection was asked for")
        try:
            await self._connect()
        except ConnectFailed as failed:
            if not failed.retryable:
                self._to("stopped", str(failed))
                raise
            self._begin_keeping()
            raise
        self._begin_keeping()

    async def close(self) -> None:
        await self._stop_keeping()
        if self._connection is not None:
            await self._connection.close()
        self._to("closed", "closed by us")

    def _to(self, state: State, reason: str) -> None:
        self.state, self.reason = state, reason
        if self._changed is not None:
            self._changed(self._hub, state, reason)

    def _begin_keeping(self) -> None:
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name=f"{self._hub} keeper")

    async def _stop_keeping(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def _connect(self) -> None:
        """One attempt; a second one with a fresh token when the first one's was refused."""
        try:
            connection = await self._attempt()
        except ConnectFailed as failed:
            if failed.http_status != 401 or not callable(self._token):
                raise
            connection = await self._attempt()
        self._connection = connection
        self._to("connected", "")

    async def _attempt(self) -> Connection:
        connection = await self._opener(await _fetch(self._hub, self._token))
        if self._ready is not None:
            try:
                await self._ready(connection)
            except HubError as error:
                await connection.close()
                raise ConnectFailed(self._hub, "subscribe", str(error)) from error
            except BaseException:
                await connection.close()
                raise
        return connection

    async def _keep(self) -> None:
        """Until the end: wait for a loss, come back."""
        loop = asyncio.get_running_loop()
        attempts = 0
        while True:
            if self._connection is not None:
                since = loop.time()
                ending = await asyncio.shield(self._connection.ended)
                attempts = 0 if loop.time() - since >= STABLE_S else attempts
                if not self._may_return(ending):
                    return
                # No two sockets at once: what the old one carried must not arrive after what the new one says.
                await self._connection.gone()
            self._connection = None
            await asyncio.sleep(self._delay_s(attempts))
            attempts += 1
            try:
                await self._connect()
            except ConnectFailed as failed:
                logger.info("%s", failed)
                self.reason = str(failed)
                if not failed.retryable:
                    self._to("stopped", str(failed))
                    return

    def _may_return(self, ending: Ending) -> bool:
        self._to("reconnecting" if ending.reconnect else "stopped", ending.reason)
        return ending.reconnect

    def _delay_s(self, attempts: int) -> float:
        """Half fixed, half drawn, so that many clients of one hub do not come back together."""
        ceiling = min(DELAY_MAX_S, DELAY_FIRST_S * 2.0 ** min(attempts, 16))
        return ceiling * (0.5 + self._random() / 2)
