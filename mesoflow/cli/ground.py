"""The ground a run stands on: its hub's address, clock, identity and habits, known before anything is connected.

Embedded, the simulator lives here: in this process, on this loop, in simulated time. Elsewhere it is a URL with a clock:
the simulator's own, where it is one, else the system's.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import random
from types import MappingProxyType
from typing import TYPE_CHECKING

from mesoflow.cli.config import HubProfile, secret_of
from mesoflow.cli.hubs import Choice
from mesoflow.cli.scrubbed import Scrubbed
from mesoflow.engine.effects import Value
from mesoflow.hubs.client import ALL_HUBS, READ, MesoLive
from mesoflow.hubs.contract import HubName, Klass
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.hub import Hub
from mesoflow.hubs.route import tls_trusting
from mesoflow.hubs.supervisor import State
from mesoflow.hubs.transport import Keepalive
from mesoflow.logs import hide, redact
from mesoflow.runtime.clock import ClockUnavailable, RemoteSimClock, RunClock, SystemClock
from mesoflow.runtime.refusal import CONFIG, HUB_AWAY, Refusal
from mesoflow.runtime.setting import HubFacts

if TYPE_CHECKING:
    from mesoflow.simulator.wire.serving import Hooks

# An embedded world takes any token; this one says in its own logs whose it is.
EMBEDDED_TOKEN = "embedded"
NONCE_BYTES = 16
# A person reads so many; `doctor` has them all.
DIFFERENCES_TOLD_MAX = 10
# How a simulator reads a credit's limit and an order's multiplier (SAFETY.md §1); `provider` null: the account's agent's.
SIMULATOR_HABITS: Mapping[str, Value] = MappingProxyType(
    {"provider": None, "credit_sign": "negative", "qty_multiplier": "proven"}
)


@dataclass(frozen=True, slots=True)
class Ground:
    """`where` and `habits` are what a run's first record keeps of it; `nonce_of(run_id)` makes a new run's nonce."""

    url: str
    clock: RunClock
    facts: HubFacts
    where: Mapping[str, Value]
    token: str
    embedded: bool = False
    # None: the system's authorities, verified.
    tls: ssl.SSLContext | None = None
    nonce_of: Callable[[str], str] = lambda run_id: secrets.token_hex(NONCE_BYTES)
    hooks: Hooks | None = None
    habits: Mapping[str, Value] = field(default_factory=lambda: SIMULATOR_HABITS)


@asynccontextmanager
async def hub_of(
    ground: Ground,
    allow: frozenset[Klass],
    cursor: int | None = None,
    sent: Callable[[str], None] | None = None,
) -> AsyncIterator[Hub]:
    """Connect. Raises ConnectFailed. `sent(method)` hears of each call whose last byte has left for the socket."""
    hub = await MesoLive.connect(
        ground.url,
        token=ground.token,
        allow=allow,
        # In one process there is nobody to listen for; and pings would be timers, which simulated time would jump to.
        keepalive=None if ground.embedded else Keepalive(),
        random=(lambda: 0.5) if ground.embedded else random,
        tls=ground.tls,
        cursor=cursor,
        sent=sent,
    )
    try:
        yield hub if ground.token == EMBEDDED_TOKEN else Scrubbed(hub)
    finally:
        await hub.close()
        tell_differences()


async def to_read(
    ground: Ground,
    *,
    hubs: Iterable[HubName] = ALL_HUBS,
    cursor: int | None = None,
    changed: Callable[[str, State, str], None] | None = None,
) -> MesoLive:
    """By hand, without a run: reads only. Raises ConnectFailed."""
    return await MesoLive.connect(
        ground.url,
        token=ground.token,
        tls=ground.tls,
        allow=READ,
        keepalive=None if ground.embedded else Keepalive(),
        random=random,
        hubs=hubs,
        cursor=cursor,
        changed=changed,
    )


def tell_differences() -> None:
    """What the hub sent that our contract does not know: kept, and said once, when the run is over."""
    new = DIFFERENCES.untold()
    if not new:
        return
    lines = [f"  {difference}" for difference in new[:DIFFERENCES_TOLD_MAX]]
    if len(new) > DIFFERENCES_TOLD_MAX:
        lines.append(f"  and {len(new) - DIFFERENCES_TOLD_MAX} more")
    print(
        redact("\n".join(("note: the hub differs from our contract; `mesoflow doctor` tells all", *lines))),
        file=sys.stderr,
    )


@asynccontextmanager
async def remote_ground(choice: Choice, since: datetime | None) -> AsyncIterator[Ground]:
    """A hub by its address. Raises Refusal. `since`: nothing of the run is later; the clock must not be before it."""
    assert choice.url is not None
    token = secret_of(choice.profile, choice.name)
    simulator = choice.kind == "simulator"
    if token is None and not simulator:
        raise Refusal(
            CONFIG,
            f"there is no API key for {choice.name}",
            help=("export MESOLIVE_API_KEY=…, or name a key in config.yaml of the state home",),
        )
    hide(token or "")
    try:
        clock = await RemoteSimClock.connect(choice.url) if simulator else SystemClock()
    except ClockUnavailable as error:
        raise Refusal(HUB_AWAY, str(error), help=("start it, and try again; nothing was sent",)) from error
    if since is not None and clock.now() < since and not simulator:
        raise Refusal(
            CONFIG,
            f"the system's clock says {clock.now():%F %T} UTC, and the run was there at {since:%F %T}",
            help=("set the clock",),
        )
    yield Ground(
        url=choice.url,
        clock=clock,
        facts=facts_of(choice, simulator),
        where={"kind": choice.kind, "url": choice.url, "world": None, "identity": None},
        token=token or EMBEDDED_TOKEN,
        tls=tls_of(choice.profile),
        habits=habits_of(choice, simulator),
    )


def tls_of(profile: HubProfile | None) -> ssl.SSLContext | None:
    """Whom to trust besides the system's authorities, as the profile says. Raises Refusal."""
    if profile is None or profile.ca_file is None:
        return None
    path = Path(profile.ca_file).expanduser()
    try:
        return tls_trusting(str(path))
    except OSError as error:
        # OpenSSL's words for a file without a certificate help nobody.
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        help_ = ("name a readable PEM file as ca_file in the hub's profile",)
        raise Refusal(CONFIG, f"the authority's file {path} cannot be used: {reason}", help=help_) from error


def facts_of(choice: Choice, simulator: bool) -> HubFacts:
    """What the profile says of the hub's habits; the rest is inferred."""
    facts = HubFacts(simulator=simulator)
    profile = choice.profile
    if profile is not None and profile.retention is not None:
        facts = replace(facts, retention=profile.retention)
    if profile is not None and profile.late_arrival is not None:
        facts = replace(facts, late_arrival=profile.late_arrival)
    return facts


def habits_of(choice: Choice, simulator: bool) -> dict[str, Value]:
    """What the actions must know of the hub: they are part of a run's state, so its first record keeps them."""
    profile = choice.profile or HubProfile(url=choice.url or "")
    said = {"credit_sign": profile.credit_sign, "qty_multiplier": profile.qty_multiplier}
    return {**(SIMULATOR_HABITS if simulator else said), "provider": profile.provider}


def nonce_in(seed: int, run_id: str) -> str:
    """The nonce of a run in an embedded world: derived, so that one seed gives the same bytes again."""
    return hashlib.sha256(f"{seed}\n{run_id}".encode()).hexdigest()[: 2 * NONCE_BYTES]
