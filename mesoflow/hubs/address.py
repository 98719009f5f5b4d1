"""Where a hub is: its address, checked before anything is sent there."""

from __future__ import annotations

import contextlib
import ipaddress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from mesoflow.hubs.errors import ConnectFailed

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


@dataclass(frozen=True, slots=True)
class Address:
    """A hub's address, checked: http(s) only, and without TLS only to this machine (the token would be readable)."""

    secure: bool
    host: str
    port: int
    path: str
    query: str = ""

    @classmethod
    def parse(cls, hub: str, url: str) -> Address:
        """Raises ConnectFailed."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConnectFailed(hub, "address", f"{url!r}: {error}", retryable=False) from error
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or not parts.hostname:
            raise ConnectFailed(hub, "address", f"{url!r} is no http or https address", retryable=False)
        if parts.username is not None or parts.password is not None:
            raise ConnectFailed(hub, "address", "an address must not contain a password", retryable=False)
        if scheme == "http" and not _is_loopback(parts.hostname):
            reason = f"{parts.hostname} is not this machine: only https is allowed there"
            raise ConnectFailed(hub, "address", reason, retryable=False)
        secure = scheme == "https"
        return cls(
            secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/"), parts.query
        )

    @property
    def loopback(self) -> bool:
        """This machine, by its own name for it: nothing is looked up."""
        return _is_loopback(self.host)

    @property
    def origin(self) -> tuple[bool, str, int]:
        return self.secure, self.host, self.port

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def target(self, suffix: str, query: str) -> str:
        """Path and query of a request below this address."""
        return f"{self.path}{suffix}?{'&'.join(part for part in (self.query, query) if part)}"

    def websocket(self, identity: str) -> str:
        query = "&".join(part for part in (self.query, f"id={quote(identity, safe='')}") if part)
        return urlunsplit(("wss" if self.secure else "ws", self.authority, self.path, query, ""))
