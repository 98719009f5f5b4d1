"""`mesoflow doctor`: text and JSON, exit 1 on a difference, and nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesoflow.hubs.models.agents import AgentInfo
from tests.support.commands import Command, process, served


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path / "home", capsys)


def test_the_embedded_world_agrees(command: Command) -> None:
    code, out, err = command("doctor")
    assert (code, err) == (0, "")
    assert out.startswith("sim: agrees with our contract, as far as it can be read\n")
    code, out, _ = command("doctor", "--format", "json")
    first = json.loads(out)
    assert (code, first["differs"], len(first["accounts"])) == (0, False, 3)
    assert json.loads(command("doctor", "--format", "json")[1]) == first


def test_a_difference_is_exit_1(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub of another version: its agents have a field more."""
    wire = AgentInfo._wire

    def more(self: AgentInfo, *, unset: bool) -> dict[str, Any]:
        return wire(self, unset=unset) | {"Mood": "bright"}

    monkeypatch.setattr(AgentInfo, "_wire", more)
    code, out, _ = command("doctor", "--format", "json")
    assert (code, [one["text"] for one in json.loads(out)["differences"]]) == (
        1,
        ["AgentInfo.Mood (text) is unknown to the contract"],
    )


def test_a_served_hub_is_looked_at_in_a_process_of_its_own(tmp_path: Path) -> None:
    with served(tmp_path / "served") as url:
        looking = process(tmp_path / "home", "doctor", "--hub", url, MESOLIVE_API_KEY="a-key-of-ours")
        out, err = looking.communicate(timeout=60)
        assert (looking.returncode, err) == (0, "")
        assert out.startswith(f"{url}: agrees with our contract")
        keyless = process(tmp_path / "home", "doctor", "--hub", url)
        _, err = keyless.communicate(timeout=60)
        assert (keyless.returncode, err.splitlines()[0]) == (
            1,
            f"refused[MF510]: there is no API key for {url}",
        )
