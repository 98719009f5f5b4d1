"""A served world and a command that write down when things happened, each as a process of its own, on one clock.

    python -m benchmarks._timed serve FOLDER SPEED STAMPS      a world as `sim serve` has it; prints its address
    python -m benchmarks._timed mesoflow STAMPS ARGUMENTS      the command, with its journal's commits

A stamp is a line: seconds of the machine's monotonic clock, which all processes share, a word, and what it is about. The
server stamps `filled` when its broker fills an order, `told` when MesoLive's event of it leaves, and a call's name when it
arrives; the command stamps `commit` when one is durable.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import CLOCK_MONOTONIC, clock_gettime, sleep
from typing import Any, NamedTuple

from tests.support.lab import MESOFLOW, ROOT

HUB = "timed"


class Stamp(NamedTuple):
    """One line."""

    at: float
    what: str
    about: str


def stamps(path: Path) -> list[Stamp]:
    """All that are whole, in the order of their times."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    found = [line.split(" ", 2) for line in lines]
    return sorted(Stamp(float(at), what, about) for at, what, about in found)


def monotonic() -> float:
    return clock_gettime(CLOCK_MONOTONIC)


class Stamps:
    """Written at once, unbuffered: whoever waits for one reads the file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, what: str, about: object = "") -> None:
        os.write(self._file, f"{monotonic():.6f} {what} {about}\n".encode())


# --- the server ----------------------------------------------------------------------------------------------------------


class TimedHub:
    """A hub that stamps the calls that change something as they arrive."""

    def __init__(self, app: Any, stamps: Stamps) -> None:
        self._app, self._stamps = app, stamps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def invoke(self, target: str, arguments: list[Any], caller: Any) -> object:
        self._stamps.add("call", target)
        return await self._app.invoke(target, arguments, caller)


async def serve(folder: Path, speed: float, into: Stamps) -> None:
    from mesoflow.simulator.clock import ServedClock
    from mesoflow.simulator.simulator import Simulator
    from mesoflow.simulator.wire.server import Server

    simulator = Simulator.open(folder, lambda last: ServedClock(speed, last), seed=7, profile="strict")
    ledger, filled = simulator.world.ledger, simulator.world.ledger.filled

    def stamped(fill: Any) -> None:
        into.add("filled", fill.key)
        filled(fill)

    def heard(_: object, __: object, event: Any) -> None:
        if getattr(event, "order_id", None) is not None:
            into.add("told", f"{event.order_id} {event.state}")

    ledger.filled = stamped  # type: ignore[method-assign]  # it also takes the time
    simulator.world.events.listeners.append(heard)
    apps: Any = {path: TimedHub(app, into) for path, app in simulator.apps().items()}
    server = Server(apps, simulator.clock, faults=simulator.world.faults)
    await server.start("127.0.0.1", 0)
    print(server.url, flush=True)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await server.stop()
    simulator.close()


# --- the command ---------------------------------------------------------------------------------------------------------


def mesoflow(into: Stamps, arguments: list[str]) -> int:
    from mesoflow.cli.__main__ import main
    from mesoflow.journal.sqlite import SqliteJournal

    commit = SqliteJournal.commit

    def stamped(self: SqliteJournal, *args: Any, **named: Any) -> Any:
        done = commit(self, *args, **named)
        into.add("commit")
        return done

    SqliteJournal.commit = stamped  # type: ignore[method-assign]  # it also takes the time
    return main(arguments)


# --- for the benchmarks --------------------------------------------------------------------------------------------------


class Bench:
    """A folder with a served world and a state home that knows it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.home, self.served, self.ran = folder / "home", folder / "served.txt", folder / "ran.txt"
        self.home.mkdir(mode=0o700)
        config = self.home / "config.yaml"
        config.write_text(f"hubs:\n  {HUB}: {{url: {url}, simulator: true}}\n")
        config.chmod(0o600)
        self.environment = {**os.environ, "MESOFLOW_HOME": str(self.home)}
        self.environment.pop("MESOLIVE_API_KEY", None)

    def run(self, playbook: Path, run_id: str) -> subprocess.Popen[str]:
        """The command on the timed hub, its commits stamped."""
        arguments = ["run", str(playbook), "--hub", HUB, "--run-id", run_id]
        command = [sys.executable, "-m", "benchmarks._timed", "mesoflow", str(self.ran), *arguments]
        return self._started(command)

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """The installed command."""
        return self._started([MESOFLOW, *arguments])

    def _started(self, command: list[str]) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def until(
        self, holds: Callable[[Stamp], bool], process: subprocess.Popen[str], within_s: float = 60
    ) -> Stamp:
        """The first stamp of the server of which something holds; waited for, unless the process is over."""
        end = monotonic() + within_s
        while True:
            over = process.poll() is not None or monotonic() > end
            for stamp in stamps(self.served):
                if holds(stamp):
                    return stamp
            if over:
                process.kill()
                raise SystemExit(f"what was waited for never came: {process.communicate()}")
            sleep(0.02)


@contextmanager
def bench(folder: Path, speed: float) -> Iterator[Bench]:
    """While the block runs, its world is served."""
    command = [
        sys.executable,
        "-m",
        "benchmarks._timed",
        "serve",
        str(folder / "world"),
        str(speed),
        str(folder / "served.txt"),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield Bench(folder, server.stdout.readline().strip())
        finally:
            server.terminate()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", folder, speed, into]:
            asyncio.run(serve(Path(folder), float(speed), Stamps(into)))
        case ["mesoflow", into, *arguments]:
            sys.exit(mesoflow(Stamps(into), arguments))
