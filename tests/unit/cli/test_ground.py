"""The ground of a run: what its hub sent that we do not know is told once, whatever became of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.ground import DIFFERENCES_TOLD_MAX, tell_differences
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.models.accounts import LiveAccount
from tests.support.commands import ROOT, Command


@pytest.fixture(autouse=True)
def nothing_seen_before() -> None:
    DIFFERENCES.seen.clear()
    DIFFERENCES.told = 0


def test_a_run_at_a_hub_with_more_fields_goes_on_and_tells_them_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = LiveAccount._wire

    def more(self: LiveAccount, *, unset: bool) -> dict[str, Any]:
        return wire(self, unset=unset) | {"Mood": "bright", "BrokerType": "Abacus"}

    monkeypatch.setattr(LiveAccount, "_wire", more)
    command = Command(tmp_path, capsys)
    code, out, err = command("run", str(ROOT / "plans" / "quickstart.yaml"), "--format", "json")
    assert (code, json.loads(out)["state"]) == (0, "done")
    assert err == (
        "note: the hub differs from our contract; `mesoflow doctor` tells all\n"
        "  LiveAccount has a field that the contract does not know: Mood\n"
        "  BrokerType has a member that the contract does not know: Abacus\n"
    )


def test_many_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(DIFFERENCES_TOLD_MAX + 2):
        DIFFERENCES.note("field", "Order", f"X{number}")
    tell_differences()
    tell_differences()
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (DIFFERENCES_TOLD_MAX + 2, "  and 2 more")
