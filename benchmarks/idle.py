"""What doing nothing costs: memory now, and processor time while nothing is asked. `python -m benchmarks.idle [SECONDS]`.

Real seconds (default 30), at the simulator's own pace; the pings of both sides go on, as they do all day.

server           `mesoflow sim serve`, nobody connected
with one client  the same with one client on its three hubs, subscribed, nothing happening
with 100         the same with a hundred
client           that one client, in a process of its own that does nothing else
python -c pass   an interpreter that sleeps, for what Python itself takes

Times are what the scheduler counts for the process's threads, in nanoseconds. MB are 10⁶ bytes, resident. Both are read from
/proc: where that is not there the benchmark is left out and says so.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import NamedTuple

from tests.support.lab import ROOT, Lab

SECONDS = 30
MANY = 100
# After connecting: what was put off at the start is over.
SETTLING_S = 3.0


class Cost(NamedTuple):
    """Of one process."""

    megabytes: float
    cpu_s: float


def cost(pid: int) -> Cost:
    """Until now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    ran = sum(int(thread.read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return Cost(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, ran / 1e9)


def idle(processes: dict[str, int], seconds: float) -> dict[str, Cost]:
    """Memory after, and time within, so many seconds of doing nothing; side by side."""
    sleep(SETTLING_S)
    before = {name: cost(pid) for name, pid in processes.items()}
    sleep(seconds)
    after = {name: cost(pid) for name, pid in processes.items()}
    return {name: Cost(after[name].megabytes, after[name].cpu_s - before[name].cpu_s) for name in processes}


# ── the processes ──


@contextmanager
def clients(url: str, count: int) -> Iterator[int]:
    """So many in one process, all connected."""
    with process("benchmarks.idle", "--clients", url, str(count)) as (pid, said):
        assert said == "connected", said
        yield pid


@contextmanager
def process(module: str, *arguments: str) -> Iterator[tuple[int, str]]:
    """Its id and its first line, while the block runs."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        try:
            yield started.pid, started.stdout.readline().strip()
        finally:
            started.kill()


async def connected(url: str, count: int) -> None:
    from mesoflow.hubs.client import MesoLive

    people = [await MesoLive.connect(url, token="any", random=lambda: 0.5) for _ in range(count)]
    for person in people:
        person.listen(lambda name, event: None)
    print("connected", flush=True)
    await asyncio.get_running_loop().create_future()


# ── the run ──


def measured(seconds: float) -> dict[str, Cost]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        alone, one, many = (
            stack.enter_context(Lab(Path(folder, name), speed=1)) for name in ("alone", "one", "many")
        )
        servers = {"server": alone, "with one client": one, f"with {MANY}": many}
        pids = {name: lab.server.pid for name, lab in servers.items() if lab.server is not None}
        pids["client"] = stack.enter_context(clients(one.url, 1))
        stack.enter_context(clients(many.url, MANY))
        pids["python -c pass"] = stack.enter_context(bare())
        return idle(pids, seconds)


@contextmanager
def bare() -> Iterator[int]:
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with subprocess.Popen(command) as started:
        try:
            yield started.pid
        finally:
            started.kill()


def main(argv: list[str]) -> int:
    """Print the table."""
    if not Path("/proc/self/schedstat").exists():
        print("left out: this system has no /proc with the times of its scheduler")
        return 0
    seconds = float(argv[0]) if argv else SECONDS
    print(f"{f'idle for {seconds:g} s':20}{'MB':>8}{'CPU ms a second':>18}{'CPU s an hour':>16}")
    for name, (megabytes, cpu_s) in measured(seconds).items():
        share = cpu_s / seconds
        print(f"{name:20}{megabytes:8.1f}{share * 1000:18.2f}{share * 3600:16.1f}")
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--clients", url, count]:
            asyncio.run(connected(url, int(count)))
        case rest:
            sys.exit(main(rest))
