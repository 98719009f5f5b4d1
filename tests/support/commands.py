"""The real command: in this process, where nothing but its words matters, or in one of its own, where signals and pipes do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mesoflow.cli.__main__ import main

ROOT = Path(__file__).parents[2]
WITHIN_S = 60


class Command:
    """`command("hub", "list")` → exit code, what it wrote, what it complained about."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._home, self._capsys = home, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        try:
            code = main([*arguments, "--state", str(self._home)])
        except SystemExit as ended:
            code = int(str(ended.code))
        out, err = self._capsys.readouterr()
        return code, out, err


def process(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MESOFLOW_", "MESOLIVE_"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "mesoflow.cli", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean | {"MESOFLOW_HOME": str(home)} | environment,
    )


@contextmanager
def served(home: Path, *options: str) -> Iterator[str]:
    """A served world; its URL."""
    server = process(home, "sim", "serve", *options)
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        assert line.startswith("listening on "), line
        yield line.split()[-1]
    finally:
        server.terminate()
        server.communicate(timeout=WITHIN_S)
