"""The simulator as a server of its own, that tests can kill and start anew, and the real command beside it.

with Lab(tmp_path) as lab:                       # `mesoflow sim serve` at speed 10, a profile `lab` in the state home
    with lab.start("run", *QUICKSTART, stop_at=["committed:buy/fill#intended"]) as run:
        run.stopped()
        lab.kill()
        lab.serve()                              # the same port, the same state
        run.to_its_end()
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from mesoflow.cli.commands.sim import SERVED
from mesoflow.cli.embedded import opened
from mesoflow.cli.worlds import wanted
from mesoflow.runtime.home import StateHome
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.simulator import Simulator
from tests.support.virtual_loop import VirtualLoop

ROOT = Path(__file__).parents[2]
MESOFLOW = str(Path(sys.executable).with_name("mesoflow"))
QUICKSTART = ("plans/quickstart.yaml", "--hub", "lab", "--set", "entry_at=10:01")
RUN = "quickstart-2025-01-16"
WITHIN_S = 90


class Lab:
    """A served world and a state home that knows it as `lab`."""

    def __init__(self, folder: Path, *, speed: int = 10) -> None:
        self.home = folder / "home"
        self.state = folder / "served"
        self.speed = speed
        self._port = "0"
        self.server: subprocess.Popen[str] | None = None
        self.home.mkdir(parents=True, mode=0o700)

    @property
    def world(self) -> Path:
        """The folder of the world that is served: of another seed it has a name of its own."""
        return wanted(StateHome.open(self.state), None, None, first=SERVED).folder

    def __enter__(self) -> Lab:
        self.serve()
        config = self.home / "config.yaml"
        config.write_text(f"hubs:\n  lab: {{url: {self.url}, simulator: true}}\n")
        config.chmod(0o600)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self._port}"

    # --- the server --------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Start it: the first time on any port, later on the same one and from the same state."""
        place = ("--speed", str(self.speed), "--port", self._port, "--state", str(self.state))
        command = [MESOFLOW, "sim", "serve", *place]
        self.server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True
        )
        assert self.server.stdout is not None
        said = self.server.stdout.readline()
        assert said.startswith("listening on http://127.0.0.1:"), said
        self._port = said.strip().rsplit(":", 1)[-1]

    def freeze(self) -> None:
        """It reads nothing any more, and its sockets stay open."""
        assert self.server is not None
        self.server.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As a person stops it."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        server, self.server = self.server, None
        if server is not None:
            server.send_signal(number)
            server.wait(timeout=30)
            assert server.stdout is not None
            server.stdout.close()

    def pass_time(self, until: datetime, *, seed: int | None = None) -> None:
        """The world lives on to a moment while nobody serves it: hours of market that no test waits for. `seed`: of a new
        world."""
        loop = VirtualLoop()
        home = StateHome.open(self.state)
        simulator = opened(
            wanted(home, seed, None, first=SERVED), lambda last: EmbeddedClock(loop, max(last, until))
        )
        try:
            simulator.world.advance(until)
        finally:
            simulator.close()
            loop.close()

    # --- the command -------------------------------------------------------------------------------------------------

    def mesoflow(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The real command, to its end."""
        environment = self._environment(variables)
        return subprocess.run(
            [MESOFLOW, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )

    @contextmanager
    def start(self, *arguments: str, stop_at: Sequence[str]) -> Iterator[Stopping]:
        """The real command, which stops at each of these crash points until it is told to go on."""
        environment = self._environment({"MESOFLOW_STOP": ",".join(stop_at)})
        command = subprocess.Popen(
            [MESOFLOW, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Stopping(command)
        finally:
            command.kill()
            command.communicate()

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        return {**os.environ, "MESOFLOW_HOME": str(self.home), **variables}

    # --- what came of it ---------------------------------------------------------------------------------------------

    def executed(self) -> list[str]:
        """The keys of the trading calls that the simulator executed; it must have been stopped."""
        with world_of(self.world) as world:
            return [call.key for call in world.ledger.executed()]

    def is_flat(self) -> bool:
        """Whether no position is left; the simulator must have been stopped."""
        with world_of(self.world) as world:
            return all(not quantity for quantity in world.ledger.positions().values())


class Stopping:
    """A command under way that stops itself at its crash points."""

    def __init__(self, command: subprocess.Popen[str]) -> None:
        self._command = command

    def stopped(self) -> None:
        """Wait until it stands still."""
        _, status = os.waitpid(self._command.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self._command.returncode = os.waitstatus_to_exitcode(status)
            raise AssertionError(f"it did not stop: {self._command.communicate()}")

    def go_on(self) -> None:
        """Let it go on to its next stop."""
        self._command.send_signal(signal.SIGCONT)

    def to_its_end(self) -> tuple[int, str]:
        """Let it go on to its end: exit code, and what it said."""
        self.go_on()
        out, err = self._command.communicate(timeout=WITHIN_S)
        return self._command.returncode, out + err


@contextmanager
def world_of(folder: Path) -> Iterator[Any]:
    """A world that nobody holds any more, opened to be looked at."""
    loop = VirtualLoop()
    simulator = Simulator.open(folder, lambda last: EmbeddedClock(loop, last))
    try:
        yield simulator.world
    finally:
        simulator.close()
        loop.close()
