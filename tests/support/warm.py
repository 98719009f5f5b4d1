"""The real command without its start: each is a process of its own, forked from one that has everything imported.

    with Warm(2) as warm:
        done = warm.mesoflow(["run", "plans/quickstart.yaml"], MESOFLOW_HOME=home, MESOFLOW_CRASH=point)
        done.code                                    # -9: it was killed by SIGKILL, as a command of the shell is

A forked command runs what the installed one runs: `main`, in a process that can be killed and leaves behind what a dead
process leaves. Only the second of Python's start and of the imports is saved, so a few hundred kills take minutes.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
# What a command reads from its environment; nothing of ours may leak into it.
_OURS = (
    "MESOLIVE_API_KEY",
    "MESOFLOW_HOME",
    "MESOFLOW_CRASH",
    "MESOFLOW_CRASH_LIST",
    "MESOFLOW_STOP",
    "MESOFLOW_WITNESS",
)

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended; `code` is negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last of what it said, for a failing test."""
        return f"exit {self.code}: {self.out[-400:]} {self.err[-600:]}"


class Warm:
    """So many processes that fork commands, one command at a time each."""

    def __init__(self, number: int = os.cpu_count() or 2) -> None:
        self._number = number
        self._idle: queue.Queue[subprocess.Popen[str]] = queue.Queue()
        self._all: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Warm:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        for _ in range(self._number):
            command = [sys.executable, str(Path(__file__))]
            helper = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self._all.append(helper)
            self._idle.put(helper)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for helper in self._all:
            assert helper.stdin is not None and helper.stdout is not None
            helper.stdin.close()
            helper.wait(timeout=30)
            helper.stdout.close()

    def mesoflow(self, arguments: Sequence[str], **variables: str) -> Done:
        """One command, to its end."""
        return self.ask({"arguments": list(arguments), "variables": variables})

    def staged(self, play: str, *arguments: str, **variables: str) -> Done:
        """A command under stage directions: `module:function`, called in the command's process before it begins."""
        return self.ask({"arguments": list(arguments), "variables": variables, "play": play})

    def ask(self, asked: dict[str, Any]) -> Done:
        """Hand it to whoever is idle."""
        helper = self._idle.get()
        try:
            assert helper.stdin is not None and helper.stdout is not None
            helper.stdin.write(json.dumps(asked) + "\n")
            helper.stdin.flush()
            answer = helper.stdout.readline()
            assert answer, "the process that forks commands has ended"
            return Done(**json.loads(answer))
        finally:
            self._idle.put(helper)

    def each(self, work: Callable[[_T], _R], things: Iterable[_T]) -> list[_R]:
        """`work` of each thing, as many at a time as there are helpers."""
        with ThreadPoolExecutor(self._number) as pool:
            return list(pool.map(work, things))


class Installed(Warm):
    """The installed command, in the same words."""

    def __enter__(self) -> Installed:
        return self

    def ask(self, asked: dict[str, Any]) -> Done:
        """Started as a shell starts it."""
        environment = {name: value for name, value in os.environ.items() if name not in _OURS}
        command = [str(Path(sys.executable).with_name("mesoflow")), *asked["arguments"]]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment | asked["variables"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)


# --- in the helper -----------------------------------------------------------------------------------------------------


def _serve() -> None:
    """Fork a command for each line of standard input."""
    import gc
    import importlib
    import threading

    for name in _EVERYTHING:
        importlib.import_module(name)
    _rehearse()
    assert threading.active_count() == 1, "a thread does not survive a fork"
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                _be(asked, out.fileno(), err.fileno())
            _, status = os.waitpid(child, 0)
            said = {"code": os.waitstatus_to_exitcode(status), "out": _text(out), "err": _text(err)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _rehearse() -> None:
    """One whole run, so that what is made at its first use is made: models, schemas, market data."""
    from mesoflow.cli.__main__ import main

    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        said, sys.stdout = sys.stdout, nowhere
        try:
            assert main(["run", "plans/first-orders.yaml", "--state", str(Path(folder) / "home")]) == 0
        finally:
            sys.stdout = said


def _be(asked: dict[str, Any], out: int, err: int) -> None:
    """The command: never returns."""
    import importlib
    import traceback

    from mesoflow.cli.__main__ import main

    code = 70
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        for name in _OURS:
            os.environ.pop(name, None)
        os.environ.update(asked["variables"])
        if play := asked.get("play"):
            module, name = play.split(":")
            getattr(importlib.import_module(module), name)()
        code = main(asked["arguments"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _text(file: Any) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


# What run, resume, cancel, kill and release import.
_EVERYTHING = (
    "mesoflow.cli.arguments",
    "mesoflow.cli.failures",
    "mesoflow.cli.starting",
    "mesoflow.cli.embedded",
    "mesoflow.cli.killing",
    "mesoflow.cli.commands.run",
    "mesoflow.cli.commands.resume",
    "mesoflow.cli.commands.cancel",
    "mesoflow.cli.commands.kill",
    "mesoflow.cli.commands.release",
    "mesoflow.cli.views.lines",
    "mesoflow.rehearsal.witness",
    "mesoflow.simulator.wire.server",
)

if __name__ == "__main__":
    _serve()
