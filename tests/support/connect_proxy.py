"""An HTTP proxy on loopback that knows one verb: CONNECT, answered with a tunnel to a port of this machine.

Whatever name is asked for leads to `behind`, so a hub may have a name that no resolver knows: who reaches it has come
through here. `asked` holds the head of every request; `answer` replaces the tunnel by other bytes.
"""

from __future__ import annotations

import asyncio

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ConnectProxy:
    """`async with ConnectProxy(server.port) as proxy: … proxy.url …`"""

    def __init__(
        self, behind: int, answer: bytes | None = ESTABLISHED, *, admitted: int | None = None
    ) -> None:
        """`answer` None: never any. `admitted`: so many tunnels are opened before that answer is given."""
        self._behind = behind
        self._answer = answer
        self._admitted = admitted
        self.port = 0
        self.asked: list[list[str]] = []
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        """What the requests' first lines asked for."""
        return [head[0] for head in self.asked]

    async def __aenter__(self) -> ConnectProxy:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.decode().strip().split("\r\n"))
            if (
                self._admitted is not None and len(self.asked) <= self._admitted
            ) or self._answer == ESTABLISHED:
                await self._tunnel(reader, writer, ESTABLISHED)
            elif self._answer is None:
                await asyncio.Event().wait()
            else:
                writer.write(self._answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, yes: bytes) -> None:
        from_hub, to_hub = await asyncio.open_connection("127.0.0.1", self._behind)
        writer.write(yes)
        try:
            await asyncio.gather(_pump(reader, to_hub), _pump(from_hub, writer))
        finally:
            to_hub.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
