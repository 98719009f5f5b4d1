"""MesoLive: the three hubs as one object, the real form of hubs/hub.py's Protocol.

    hub = await MesoLive.connect("https://…", token=fetch, allow=frozenset({"read"}), random=draw)
    argument = hub.encode("GetAccount", {"broker_account_id": "PAPER-1"})
    answer = await hub.invoke("GetAccount", argument, within=timedelta(seconds=10))

Which methods may be called is decided here, by class; who may build one with which classes is ARCHITECTURE's to say.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack

from mesoflow.hubs.answers import read_answer, read_item
from mesoflow.hubs.codec import EncodingName, codec_of
from mesoflow.hubs.connection import Connection, open_connection
from mesoflow.hubs.contract import ADJUSTMENT, METHODS, PATHS, HubName, Klass, Method, klass_of
from mesoflow.hubs.errors import NotAllowed, NotSent
from mesoflow.hubs.event import EventFeed, Listener
from mesoflow.hubs.hub import Hub
from mesoflow.hubs.supervisor import State, Supervisor, Token
from mesoflow.hubs.transport import Keepalive, Limits

READ: frozenset[Klass] = frozenset({"read"})
ALL_HUBS: tuple[HubName, ...] = ("control", "data", "event")


class Options(TypedDict, total=False):
    """How to connect; only `random` has no default."""

    token: Token  # bearer token, or where to get one (asked for every attempt)
    allow: frozenset[Klass]  # which classes of methods may be called; default: read
    encoding: EncodingName  # default: json
    keepalive: Keepalive | None  # None: no pings, for links inside one process
    random: Required[Callable[[], float]]  # numbers in [0, 1) for the jitter of reconnects
    hubs: Iterable[HubName]  # default: all three
    cursor: int | None  # replay the history from there; None: begin with what is new
    tls: ssl.SSLContext | None  # default: the system's authorities, verified
    limits: Limits | None
    changed: Callable[[str, State, str], None] | None  # hears (hub, state, reason)
    sent: Callable[[str], None] | None  # hears each method when its bytes have been handed over


class MesoLive:
    """Made by `connect`."""

    def __init__(self, url: str, **options: Unpack[Options]) -> None:
        self._url = url.rstrip("/")
        self._options = options
        self._allow = options.get("allow", READ)
        self._encoding: EncodingName = options.get("encoding", "json")
        self._codec = codec_of(self._encoding)
        self._feed = EventFeed(self._encoding, options.get("cursor"))
        self._hubs = {hub: self._supervisor(hub) for hub in options.get("hubs", ALL_HUBS)}

    @classmethod
    async def connect(cls, url: str, **options: Unpack[Options]) -> MesoLive:
        """Open the hubs side by side, all or none. `url` is where /hubs/… lies. Raises ConnectFailed."""
        client = cls(url, **options)
        try:
            await _all_or_first_failure(supervisor.start() for supervisor in client._hubs.values())
        except BaseException:
            await client.close()
            raise
        return client

    @property
    def encoding(self) -> EncodingName:
        return self._encoding

    def encode(self, method: str, args: Mapping[str, Any]) -> bytes:
        """The method's argument as it goes on the wire. Raises pydantic.ValidationError."""
        return self._codec.encode(METHODS[method].args_model.write(args).wire())

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:  # noqa: ANN401 - a Value
        """Send it; the envelope's Data as a Value. Raises CallRefused, NotSent, OutcomeUnknown, NotAllowed."""
        row = self._row(method, "invoke", argument)
        answer = await self._connection(row).invoke(row, argument, within.total_seconds())
        return read_answer(row, answer).value()

    async def answer(self, method: str, argument: bytes, *, within: timedelta) -> Any:  # noqa: ANN401 - decoded, unread
        """Send it; the envelope as it was decoded, unread: for whoever compares it with the contract."""
        row = self._row(method, "invoke", argument)
        return await self._connection(row).invoke(row, argument, within.total_seconds())

    async def unknown(self, hub: HubName, name: str, *, within: timedelta) -> None:
        """Ask a hub for a method that the contract does not know; it takes no argument that could mean anything."""
        row = replace(METHODS["ListAgents"], name=name, hub=hub)
        await self._connection(row).invoke(row, self._codec.encode({}), within.total_seconds())

    @asynccontextmanager
    async def stream(self, method: str, argument: bytes) -> AsyncIterator[AsyncIterator[Any]]:
        """`async with hub.stream(…) as items`: Values, newest ones kept; leaving it stops the stream at the hub."""
        async with self.items(method, argument) as items:
            yield (read_item(METHODS[method], item).value() async for item in items)

    @asynccontextmanager
    async def items(self, method: str, argument: bytes) -> AsyncIterator[AsyncIterator[Any]]:
        """The same, each item as it was decoded, unread."""
        row = self._row(method, "stream", argument)
        items = self._connection(row).stream(row, argument)
        try:
            yield items
        finally:
            await items.aclose()

    async def fresh(self) -> None:
        """Close the control connection, wait until it is gone, and open a new one. Raises ConnectFailed."""
        await self._hubs["control"].reopen()

    def listen(self, heard: Listener) -> None:
        """Every event once, in order, live or replayed; those that came before the first listener too."""
        self._feed.listen(heard)

    @property
    def cursor(self) -> int:
        return self._feed.cursor

    def state(self, hub: HubName) -> State:
        return self._hubs[hub].state

    async def close(self) -> None:
        """Close everything. Pending calls end as unknown."""
        await asyncio.gather(*(supervisor.close() for supervisor in self._hubs.values()))

    def _row(self, method: str, kind: str, argument: bytes) -> Method:
        """The contract's row, with the class of this very call."""
        row = METHODS[method]
        if row.kind != kind:
            raise ValueError(f"{method} is of kind {row.kind}")
        if method == ADJUSTMENT:
            row = replace(row, klass=klass_of(method, self._codec.decode(argument)))
        # Looked at here too, so that a forbidden call is refused also while there is no connection.
        if row.klass not in self._allow:
            raise NotAllowed(method, row.klass, tuple(sorted(self._allow)))
        return row

    def _connection(self, row: Method) -> Connection:
        if row.hub not in self._hubs:
            raise NotSent(row.name, f"the {row.hub} hub was not asked for")
        return self._hubs[row.hub].current(row.name)

    def _supervisor(self, hub: HubName) -> Supervisor:
        return Supervisor(
            hub,
            partial(self._open, hub),
            token=self._options.get("token"),
            random=self._options["random"],
            ready=self._feed.catch_up if hub == "event" else None,
            changed=self._options.get("changed"),
        )

    async def _open(self, hub: HubName, token: str | None) -> Connection:
        if hub == "event":
            self._feed.buffer()
        return await open_connection(
            hub,
            self._url + PATHS[hub],
            token=token,
            encoding=self._encoding,
            allow=self._allow,
            heard=self._feed.take if hub == "event" else _ignore,
            keepalive=self._options.get("keepalive", Keepalive()),
            tls=self._options.get("tls"),
            limits=self._options.get("limits"),
            sent=self._options.get("sent"),
        )


if TYPE_CHECKING:

    def _is_a_hub(client: MesoLive) -> Hub:
        """Checked by mypy."""
        return client


def _ignore(name: str, arguments: list[Any]) -> None:
    """Only the Event Hub has callbacks."""


async def _all_or_first_failure(starting: Iterable[Any]) -> None:
    """Side by side; when one fails the others are given up, and its error is raised."""
    tasks = [asyncio.ensure_future(one) for one in starting]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
