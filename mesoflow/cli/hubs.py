"""Which hub a command means, and whether it may be used: `sim`, a profile of config.yaml, or a URL.

What counts as a simulator is SAFETY's to say: the embedded one, which the command itself starts, and one on this machine
whose profile says `simulator: true` and which tells its clock. Any other URL counts as live; its paper accounts may be
used, which the rails hold (C01), and https is required of it unless it is on this machine.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from mesoflow.cli.config import Config, HubProfile
from mesoflow.runtime.refusal import CONFIG, Refusal

EMBEDDED = "sim"


@dataclass(frozen=True, slots=True)
class Choice:
    """`name` as the person wrote it; no URL for the embedded simulator."""

    name: str
    url: str | None = None
    profile: HubProfile | None = None

    @property
    def kind(self) -> str:
        """embedded, simulator or hub, as a run's first record has it."""
        if self.url is None:
            return "embedded"
        simulator = self.profile is not None and self.profile.simulator
        return "simulator" if simulator and is_loopback(self.url) else "hub"


def choose(name: str, config: Config) -> Choice:
    """The hub of `--hub`. Raises Refusal."""
    if name == EMBEDDED:
        return Choice(name)
    if "://" in name:
        profile = next((known for known in config.hubs.values() if same_url(known.url, name)), None)
        return Choice(name, usable(name), profile)
    if name not in config.hubs:
        known = ", ".join(["sim", *config.hubs]) + ", or a URL"
        raise Refusal(
            CONFIG,
            f"there is no hub {name}",
            (("known", known),),
            ("name one of them, or add a profile to config.yaml",),
        )
    profile = config.hubs[name]
    return Choice(name, usable(profile.url), profile)


def usable(url: str) -> str:
    """The URL without a slash at its end. Raises Refusal for one that nobody should send a key to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal(CONFIG, f"{url} is no address of a hub", help=("write https://HOST, without /hubs/…",))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Refusal(
            CONFIG,
            "a hub's address holds no user, key or query",
            help=("write https://HOST; keys have a place in config.yaml",),
        )
    if parts.scheme == "http" and not is_loopback(url):
        raise Refusal(
            CONFIG, f"{url} is not encrypted", help=("use https; plain http is only for this machine",)
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the address is this machine, by its own name for it: nothing is looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def same_url(one: str, other: str) -> bool:
    """Whether two addresses are written for the same hub."""
    return one.rstrip("/") == other.rstrip("/")
