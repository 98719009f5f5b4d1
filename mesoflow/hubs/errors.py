"""How a hub call can end when it does not end in a result. The whole tree stands here.

    HubError
    ├── CallRefused      the hub answered, and its status proves that the call did not happen
    ├── NotSent          no byte of the call left this process: safe to repeat
    ├── OutcomeUnknown   it left, and no readable answer came: must be reconciled, never repeated blindly
    └── ConnectFailed    no connection: negotiate, handshake, token or TLS (fields say which)
    NotAllowed           our own mistake: this connection may not make calls of that class

The ending is a fact about the wire; what a run makes of it is decided in runtime/reconcile.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class HubError(Exception):
    """Base: `method` is the hub method, or the hub's path for a connection."""

    method: str

    def __str__(self) -> str:
        return f"{self.method} failed"


@dataclass
class CallRefused(HubError):
    """A status other than Success, or a SignalR completion error. `status` is the StatusCode's name as received."""

    status: str
    message: str = ""
    code: str | None = None
    provider: str | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method}: {self.status}: {self.message}".rstrip(": ")


@dataclass
class NotSent(HubError):
    """Nothing left. `reason` in words."""

    reason: str

    def __str__(self) -> str:
        return f"{self.method} was not sent: {self.reason}"


@dataclass
class OutcomeUnknown(HubError):
    """Sent, and no readable answer, or one that proves nothing: then `status` is what it said. `reason` in words.
    `unreadable`: it answered, and not as the contract has it; asked again it would answer so again."""

    reason: str
    status: str | None = None
    unreadable: bool = False

    def __str__(self) -> str:
        return f"{self.method} was sent and its outcome is unknown: {self.reason}"


@dataclass
class ConnectFailed(HubError):
    """No connection. `retryable` is false where waiting cannot help (token, certificate, protocol version).

    `stage` is address, token, proxy, connect (TCP and TLS), negotiate, upgrade, handshake or subscribe; `http_status`
    where HTTP said no; `remedy` is what a person can do about it, where we know.
    """

    stage: str
    reason: str
    retryable: bool = True
    http_status: int | None = None
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.method}: {self.stage} failed: {self.reason}" + (
            f" ({self.remedy})" if self.remedy else ""
        )


@dataclass
class NotAllowed(PermissionError):
    """Nothing was sent: the connection was built for other classes of methods (read, change, prepare, trade)."""

    method: str
    klass: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} is a {self.klass} call; this connection allows {', '.join(self.allowed) or 'none'}"
