"""The ground of a run: what its hub sent that we do not know is told once, whatever became of the run."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from mesoflow.cli.config import HubProfile
from mesoflow.cli.ground import DIFFERENCES_TOLD_MAX, tell_differences, tls_of
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.runtime.refusal import CONFIG, Refusal
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


# ── whom a profile trusts ──


def profile(**said: Any) -> HubProfile:
    return HubProfile(url="https://live.example.com", **said)


def test_a_profile_s_authority_is_trusted_besides_the_system_s(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA(organization_name="Desk").cert_pem.write_to_path(path)
    tls = tls_of(profile(ca_file=str(path)))
    assert tls is not None
    assert "Desk" in str(tls.get_ca_certs())
    assert (tls.check_hostname, tls.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert tls_of(profile()) is None
    assert tls_of(None) is None


@pytest.mark.parametrize(
    ("text", "reason"), [("no certificate", "it holds no certificate"), (None, "No such file or directory")]
)
def test_an_authority_s_file_that_cannot_be_used(text: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Refusal) as refused:
        tls_of(profile(ca_file=str(path)))
    assert refused.value.code == CONFIG
    assert str(refused.value) == f"{CONFIG}: the authority's file {path} cannot be used: {reason}"
