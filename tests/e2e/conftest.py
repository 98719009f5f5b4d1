"""Foreign clients, and the servers they talk to. Without Node, or without the packages, the tests say so and are skipped."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SEEN_WITHIN_S = 35
INSTALLED_WITHIN_S = 120
# A JavaScript client's lines: (what it saw, the value).
Lines = list[tuple[str, Any]]


def lines_of(output: str) -> Lines:
    return [(line["saw"], line["value"]) for line in map(json.loads, output.splitlines())]


@pytest.fixture(scope="session")
def node() -> str:
    """Node with the official client beside it, installed once into tests/e2e/node_modules."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("Node and npm are not installed: the official JavaScript client was not tried")
    # Test processes side by side wait for each other here, and all but the first find everything installed.
    with (HERE / "package.json").open() as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        wanted = json.load(manifest)["dependencies"]
        if any(_installed(name) != version for name, version in wanted.items()):
            _install(npm)
    return found


def _install(npm: str) -> None:
    command = [npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=INSTALLED_WITHIN_S)
        error = done.stderr.strip()[-300:] if done.returncode else None
    except subprocess.TimeoutExpired:
        error = f"no end within {INSTALLED_WITHIN_S} s"
    if error is not None:
        pytest.skip(f"npm could not install the official JavaScript client: {error}")


def _installed(package: str) -> str | None:
    manifest = HERE / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text())["version"] if manifest.exists() else None


@pytest.fixture
def javascript(node: str) -> Callable[..., Lines]:
    """`javascript(url, protocol, "file.scenario", args)`: what the official client saw."""

    def run(url: str, protocol: str, scenario: str, args: Mapping[str, Any] | None = None) -> Lines:
        command = [node, str(HERE / "driver.cjs"), url, protocol, scenario, json.dumps(args or {})]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SEEN_WITHIN_S)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:] + done.stderr[-2000:]
        return lines_of(done.stdout)

    return run


@pytest.fixture
def python_client() -> Callable[..., Lines]:
    """`python_client("use_signalrcore.py", …)`: what that client saw, in a process of its own."""

    def run(script: str, *args: str) -> Lines:
        command = [sys.executable, str(HERE / "clients" / script), *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SEEN_WITHIN_S)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return lines_of(done.stdout)

    return run


@pytest.fixture(scope="session")
def echo_url() -> Iterator[str]:
    """The hand-written hub, served by a process that ends with its standard input."""
    command = [sys.executable, str(HERE / "serve_echo.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), text=True, **pipes) as server:  # type: ignore[call-overload]
        try:
            said = server.stdout.readline()
            assert said.startswith("listening on http://127.0.0.1:"), said
            yield said.removeprefix("listening on ").strip()
        finally:
            server.stdin.close()
            server.wait(10)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
