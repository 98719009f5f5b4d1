"""Negotiation: which connection ids were given out, and which of them a socket may still claim."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

# Ids given out and never claimed; the oldest are forgotten.
WAITING_MAX = 1_000
_TRANSPORTS = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]


@dataclass(slots=True)
class _Given:
    hub: str
    connection_id: str
    in_use: bool = False


class UnknownId(Exception):
    """No such id, or its connection is over: negotiate anew."""


class IdInUse(Exception):
    """A second socket on one id."""


class Negotiations:
    """The ids of one server. Ids are secrets of the wire; nothing of the simulated world depends on them."""

    def __init__(self) -> None:
        self._given: dict[str, _Given] = {}

    def negotiate(self, hub: str, asked: str | None) -> dict[str, Any]:
        """The answer to a POST; `asked` is its negotiateVersion. Version 1 has a token beside the public id."""
        try:
            version = min(int(asked or "0"), 1)
        except ValueError:
            version = -1
        if version < 0:
            return {"error": f"The client requested an invalid negotiate version '{asked}'."}
        connection_id = secrets.token_urlsafe(16)
        token = secrets.token_urlsafe(16) if version == 1 else connection_id
        self._remember(token, _Given(hub, connection_id))
        answer: dict[str, Any] = {"negotiateVersion": version, "connectionId": connection_id}
        if version == 1:
            answer["connectionToken"] = token
        return {**answer, "availableTransports": _TRANSPORTS}

    def claim(self, hub: str, token: str | None) -> tuple[str, str]:
        """The token and public id of a new socket's connection; without a token it gets new ones."""
        if token is None:
            token = secrets.token_urlsafe(16)
            self._remember(token, _Given(hub, secrets.token_urlsafe(16)))
        given = self._given.get(token)
        if given is None or given.hub != hub:
            raise UnknownId
        if given.in_use:
            raise IdInUse
        given.in_use = True
        return token, given.connection_id

    def release(self, token: str) -> None:
        """The connection is over, and its id with it."""
        self._given.pop(token, None)

    def _remember(self, token: str, given: _Given) -> None:
        self._given[token] = given
        if len(self._given) > WAITING_MAX:
            oldest = next((known for known, entry in self._given.items() if not entry.in_use), None)
            if oldest is not None:
                del self._given[oldest]
