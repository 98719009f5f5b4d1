"""The server: one port for negotiation, websockets and the clock; hubs by path.

`Server(apps, clock)`; `await start()`; `url`; `await stop()`. Tokens: any that is not empty, or only the given one.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from http import HTTPStatus

from mesoflow.simulator.clock import SimulatorClock, Timer
from mesoflow.simulator.faults import Away, Faults
from mesoflow.simulator.wire.core import HubApp
from mesoflow.simulator.wire.encodings import Decimals
from mesoflow.simulator.wire.endpoint import Endpoint
from mesoflow.simulator.wire.http import HttpRequest, HttpResponse, json_response, text_response
from mesoflow.simulator.wire.link import Link, Pipe
from mesoflow.simulator.wire.negotiate import IdInUse, Negotiations, UnknownId
from mesoflow.simulator.wire.serving import KEEP_ALIVE_S, Hooks, Serving

CLOCK_PATH = "/simulator/clock"


class Server:
    """Serves hubs. `hooks` and `faults` may be set while it runs; `keep_alive_s` None for in-process links."""

    def __init__(
        self,
        apps: Mapping[str, HubApp],
        clock: SimulatorClock,
        *,
        token: str | None = None,
        faults: Faults | None = None,
        hooks: Hooks | None = None,
        decimals: Decimals | None = None,
        keep_alive_s: float | None = KEEP_ALIVE_S,
    ) -> None:
        self._apps = {path.rstrip("/"): app for path, app in apps.items()}
        self._clock = clock
        self._token = token
        self.faults = faults or Faults()
        self.hooks = hooks or Hooks()
        self._serving = Serving(clock, self.faults, self.hooks, decimals, keep_alive_s)
        self._negotiations = Negotiations()
        self._endpoints: dict[Endpoint, None] = {}
        self._links: dict[Link, str] = {}
        self._listener: asyncio.Server | None = None
        self._absences: list[Timer] = []

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0: any free one."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Endpoint(self), host, port)
        self.faults.listen(self._absent)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at its end."""
        assert self._listener is not None, "start it first"
        host, port, *_ = self._listener.sockets[0].getsockname()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Say goodbye to everyone, cancel what runs for them, and wait until all is gone."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        self.faults.unlisten(self._absent)
        for timer in self._absences:
            timer.cancel()
        for endpoint in list(self._endpoints):
            if endpoint.link is not None:
                endpoint.link.close(allow_reconnect=True)
            endpoint.hang_up()
        await self._serving.stop()
        await listener.wait_closed()

    def cut(self) -> None:
        """Cut every connection, as a network does."""
        for endpoint in list(self._endpoints):
            endpoint.abort()

    def _absent(self, away: Away) -> None:
        """At the beginning of an absence everyone is cut off; until its end nobody gets in (`refuses`)."""
        now = self._clock.now()
        if away.start <= now < away.end:
            self.cut()
        elif away.start > now:
            self._absences.append(self._clock.call_at(away.start, self.cut))

    # --- the door --------------------------------------------------------------------------------------------------

    def refuses(self) -> bool:
        return self._listener is None or self.faults.is_away(self._clock.now())

    def opened(self, endpoint: Endpoint) -> None:
        self._endpoints[endpoint] = None

    def ended(self, endpoint: Endpoint, link: Link | None) -> None:
        self._endpoints.pop(endpoint, None)
        if link is not None:
            self._negotiations.release(self._links.pop(link, ""))

    def answer(self, request: HttpRequest) -> HttpResponse:
        if request.path == CLOCK_PATH:
            return self._tell_clock(request)
        hub, _, last = request.path.rpartition("/")
        if request.path in self._apps:
            return text_response(HTTPStatus.BAD_REQUEST, "This is a hub: negotiate, then open a websocket.")
        if last != "negotiate" or hub not in self._apps:
            return text_response(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED)
        if not self._may_enter(request):
            return text_response(HTTPStatus.UNAUTHORIZED)
        return json_response(self._negotiations.negotiate(hub, request.query.get("negotiateVersion")))

    def admit(self, request: HttpRequest, pipe: Pipe) -> Link | HttpResponse:
        hub = request.path.rstrip("/")
        app = self._apps.get(hub)
        if app is None:
            return text_response(HTTPStatus.NOT_FOUND)
        if not self._may_enter(request):
            return text_response(HTTPStatus.UNAUTHORIZED)
        try:
            token, connection_id = self._negotiations.claim(hub, request.query.get("id"))
        except UnknownId:
            return text_response(HTTPStatus.NOT_FOUND, "No connection with that id.")
        except IdInUse:
            return text_response(HTTPStatus.CONFLICT, "This connection has a socket already.")
        link = Link(connection_id, app, pipe, self._serving)
        self._links[link] = token
        return link

    def _may_enter(self, request: HttpRequest) -> bool:
        given = request.bearer
        if given is None:
            return False
        return self._token is None or hmac.compare_digest(given.encode(), self._token.encode())

    def _tell_clock(self, request: HttpRequest) -> HttpResponse:
        if request.method != "GET":
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED)
        return json_response({"now": self._clock.now(), "speed": self._clock.speed})
