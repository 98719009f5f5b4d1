"""Two hundred clients of ours at once, in one process, at the simulator served by another.

Each has its three hubs, makes a strategy of its own and asks for it, some prepare entries, and all hear of all of them. A mixed
up answer would carry another's name. Then half of the clients vanish without a goodbye, and the server serves on.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.contract import PATHS
from mesoflow.hubs.transport import Keepalive, Limits
from tests.support.lab import Lab

CLIENTS = 200
# How often each asks for its own strategy, all at once.
ASKED = 5
# Each of these prepares an entry; every client hears of each.
PREPARING = 10
WITHIN = timedelta(seconds=60)
CLASSES = frozenset({"read", "change", "prepare"})
PREPARED = "OnPositionEntryPreparationCompleted"
# Every socket is opened in the same moment, and one process plays two hundred: it is late, and nobody is dead.
PATIENT = Limits(negotiate_s=60, upgrade_s=60, handshake_s=60)
UNHURRIED = Keepalive(ping_s=20, ping_timeout_s=60)
# What the server may grow by: it was 10 MB for 600 connections and what they made. A leak of a chain a call would be more.
GROWN_MB_MAX = 60

Event = Mapping[str, Any]


class Seen(NamedTuple):
    """What one client has: the names that came with its strategy's id, its jobs, and the callbacks in their order."""

    names: list[str]
    job: str | None
    heard: list[tuple[str, int, str]]


class Person:
    """One client, and what it does."""

    def __init__(self, number: int, url: str) -> None:
        self.number, self.name, self._url = number, f"client {number}", url
        self.heard: list[tuple[str, Event]] = []
        self.all_heard = asyncio.Event()
        self.client: MesoLive

    async def connect(self) -> None:
        encoding: Any = ("json", "messagepack")[self.number % 2]
        self.client = await MesoLive.connect(
            self._url,
            token="any",
            allow=CLASSES,
            random=lambda: 0.5,
            encoding=encoding,
            limits=PATIENT,
            keepalive=UNHURRIED,
        )
        self.client.listen(self._hear)

    def _hear(self, name: str, event: Event) -> None:
        self.heard.append((name, event))
        if sum(heard == PREPARED for heard, _ in self.heard) == PREPARING:
            self.all_heard.set()

    async def call(self, method: str, **args: Any) -> Any:
        return await self.client.invoke(method, self.client.encode(method, args), within=WITHIN)

    async def work(self) -> Seen:
        made = await self.call(
            "CreateStrategy", strategy_definition=None, name=self.name, clone_strategy_id=101
        )
        asked = [self.call("GetStrategy", strategy_id=made["strategy_id"]) for _ in range(ASKED)]
        job = asyncio.ensure_future(self._prepare()) if self.number < PREPARING else None
        answers = await asyncio.gather(*asked)
        async with asyncio.timeout(WITHIN.total_seconds()):
            await self.all_heard.wait()
        heard = [(name, event["event_seq_id"], event.get("job_id", "")) for name, event in self.heard]
        return Seen([one["strategy"]["name"] for one in answers], await job if job else None, heard)

    async def _prepare(self) -> str:
        started = await self.call(
            "StartPreparePositionEntry",
            idempotency_key=f"key-{self.number}",
            position_name=self.name,
            strategy_id=101,
            broker_account_id="PAPER-1",
            leg_selection_constraint="FullyUnique",
            underlying=None,
            data_provider=None,
        )
        return str(started["job_id"])

    def vanish(self) -> None:
        """As a process that was killed."""
        for hub in PATHS:
            self.client._hubs[hub].current("")._link.abort()


async def story(lab: Lab) -> tuple[list[Seen], float, float]:
    """What all have seen; the server's memory with one client, and with all of them when everything is done."""
    alone, people = Person(-1, lab.url), [Person(number, lab.url) for number in range(CLIENTS)]
    await alone.connect()
    before = megabytes(lab)
    await asyncio.gather(*(person.connect() for person in people))
    seen = await asyncio.gather(*(person.work() for person in people))
    after = megabytes(lab)
    for person in people[::2]:
        person.vanish()
    await asyncio.gather(*(person.client.close() for person in people))
    assert (await alone.call("GetStrategy", strategy_id=101))["strategy"]["id"] == 101
    await alone.client.close()
    return seen, before, after


def megabytes(lab: Lab) -> float:
    """What the server has in memory now, in MB of 10⁶ bytes."""
    assert lab.server is not None
    told = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(lab.server.pid)], capture_output=True, text=True, check=True
    )
    return int(told.stdout) * 1024 / 1e6


@pytest.mark.skipif(sys.platform == "win32", reason="ps is not there")
def test_two_hundred_clients_are_all_answered_and_none_is_mixed_up(tmp_path: Path) -> None:
    with Lab(tmp_path, speed=30) as lab:
        server = lab.server
        assert server is not None
        seen, before, after = asyncio.run(story(lab))
        print(f"the server: {before:.0f} MB with one client, {after:.0f} MB with {CLIENTS} more")
        assert server.poll() is None
        lab.stop()
        assert server.returncode == 0

    assert [one.names for one in seen] == [[f"client {number}"] * ASKED for number in range(CLIENTS)]
    # Everybody has heard the same, each once, in the order of the numbers.
    told = seen[0].heard
    assert all(one.heard == told for one in seen)
    numbers = [number for _, number, _ in told]
    assert numbers == sorted(set(numbers))
    jobs = [one.job for one in seen if one.job is not None]
    assert sorted(job for name, _, job in told if name == PREPARED) == sorted(jobs)
    assert len(set(jobs)) == PREPARING
    assert after - before < GROWN_MB_MAX
