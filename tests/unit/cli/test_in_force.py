"""The policy in force: pinned when a run begins, obeyed by every process, and never looser without a person's word."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from mesoflow.cli.arguments import parser
from mesoflow.journal.records import HOME, Entry
from mesoflow.runtime.home import StateHome
from tests.unit.cli.test_running import QUICKSTART, RUN, at_step, command, home

__all__ = ["command", "home"]  # fixtures


@pytest.fixture
def policy(tmp_path: Path):
    """Write the home's policy."""

    def write(text: str) -> None:
        folder = StateHome.open(tmp_path / "home").path
        (folder / "policy.yaml").write_text(f"policy: 1\n{text}\n", encoding="utf-8")
        (folder / "policy.yaml").chmod(0o600)

    return write


def parked(command, monkeypatch) -> None:
    """A run that stands right before its entry."""
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        assert command("run", QUICKSTART)[0] == 130


def records(home, kind):
    journal = home().journal(read_only=True)
    try:
        return [record.body for record in journal.read(RUN) if record.kind == kind]
    finally:
        journal.close()


def test_what_sends_obeys_the_homes_policy_whatever_the_playbook_says(command, policy):
    policy("ceilings: {max_order_premium: 3000}")
    code, out, _ = command("run", QUICKSTART)
    assert code == 1
    assert (
        "C04 order_premium: what each leg group pays or receives is at most max_order_premium (value 4270.00, limit 3000)"
        in out
    )


def test_its_digest_stands_in_the_first_record_and_in_every_verdict(command, policy, home):
    policy("ceilings: {max_order_premium: 9000}")
    assert command("run", QUICKSTART)[0] == 0
    (started,) = records(home, "started")
    verdicts = [body["verdict"]["policy"] for body in records(home, "intended") if "verdict" in body]
    assert started["policy"]["value"] == {"policy": 1, "ceilings": {"max_order_premium": 9000}}
    assert verdicts == [started["policy"]["digest"]] * 2 != ["", ""]


def test_a_stricter_policy_counts_at_once(command, policy, monkeypatch):
    parked(command, monkeypatch)
    policy("ceilings: {max_order_premium: 3000}")
    code, out, _ = command("resume", RUN)
    assert code == 1
    assert "order_premium" in out


def test_a_looser_one_needs_a_persons_word(command, policy, monkeypatch, home):
    policy("ceilings: {max_open_orders: 1}")
    parked(command, monkeypatch)
    policy("ceilings: {max_open_orders: 9}")
    code, _, err = command("resume", RUN)
    assert (code, records(home, "policy")) == (1, [])
    assert "MF514" in err
    assert "ceilings.max_open_orders" in err
    assert command("resume", RUN, "--accept-policy")[0] == 0
    (accepted,) = records(home, "policy")
    assert (accepted["looser"], accepted["by"]) == (["ceilings.max_open_orders"], "anna")


def test_once_accepted_it_is_not_asked_for_again(command, policy, monkeypatch):
    policy("ceilings: {max_open_orders: 1}")
    parked(command, monkeypatch)
    policy("ceilings: {max_open_orders: 9}")
    with monkeypatch.context() as patched:
        at_step(patched, "buy", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        assert command("resume", RUN, "--accept-policy")[0] == 130
    assert command("resume", RUN)[0] == 0


def test_a_cancel_goes_on_under_any(command, policy, monkeypatch):
    policy("ceilings: {max_open_orders: 1}")
    parked(command, monkeypatch)
    policy("ceilings: {max_open_orders: 9}")
    assert command("cancel", RUN)[0] == 6


def test_a_policy_that_cannot_be_used_stops_the_start(command, policy):
    policy("ceilings: {max_open_order: 1}")
    code, _, err = command("run", QUICKSTART)
    assert code == 1
    assert "line 2: there is no `max_open_order` here" in err


LOOKS = """
mesoflow: 1
name: looks
risk: {accounts: [PAPER-1]}
steps:
  - {id: account, action: account.select}
"""


def test_a_playbook_runs_so_often_in_a_session_and_no_more_until_it_is_released(command, policy, tmp_path):
    policy("ceilings: {max_runs_per_session: 1}")
    playbook = tmp_path / "looks.yaml"
    playbook.write_text(LOOKS, encoding="utf-8")
    assert command("run", str(playbook))[0] == 0
    code, _, err = command("run", str(playbook))
    assert (code, err.splitlines()) == (
        1,
        [
            "refused[MF513]: 1 of 1 runs of looks have begun in this session (max_runs_per_session)",
            "  session 2025-01-16",
            "  help    mesoflow runs     what they came to",
            "          mesoflow release --playbook looks     lets it run again, on purpose",
        ],
    )
    assert command("release", "--playbook", "looks", "--yes")[0] == 0
    assert command("run", str(playbook))[0] == 0


def test_a_home_that_is_reducing_opens_nothing_and_a_person_takes_it_back(command, home, monkeypatch):
    parked(command, monkeypatch)
    journal = home().journal()
    state = {"state": "REDUCING", "owner": "ann", "reason": "odd", "at": None, "account": "", "session": None}
    journal.commit([Entry(HOME, "state", state)])
    journal.close()
    code, out, _ = command("resume", RUN)
    assert code == 1
    assert "C18 reducing: while the trading state is REDUCING only what closes leaves" in out


@pytest.mark.parametrize("words", [["run", "x.yaml"], ["resume", "x"]])
def test_leave_to_trade_live_is_asked_of_every_process(words):
    assert parser().parse_args(words).allow_live is False
    assert parser().parse_args([*words, "--allow-live"]).allow_live is True


def test_a_playbook_in_ci_is_held_against_a_policy(command, tmp_path):
    strict = tmp_path / "strict.yaml"
    strict.write_text("policy: 1\nceilings: {max_order_premium: 3000}\n", encoding="utf-8")
    code, out, _ = command("check", QUICKSTART, "--policy", str(strict))
    assert (code, out.splitlines()[0]) == (
        0,
        "warning[MF312]: `max_order_premium` is looser than the policy allows, and the policy counts",
    )
    assert command("check", "--policy", str(strict))[0] == 0
    strict.write_text("policy: 1\nceilings: {max_order_premium: -1}\n", encoding="utf-8")
    assert command("check", QUICKSTART, "--policy", str(strict))[0] == 1
    assert command("run", QUICKSTART, "--dry-run", "--policy", str(strict))[0] == 1
    assert command("run", QUICKSTART, "--policy", str(strict))[0] == 2
    assert command("check")[0] == 2


def test_a_preview_shows_what_the_policy_adds(command, tmp_path):
    strict = tmp_path / "strict.yaml"
    strict.write_text(
        "policy: 1\nceilings: {max_order_premium: 3000, max_messages: {minute: 10}}\n", encoding="utf-8"
    )
    code, out, _ = command("run", QUICKSTART, "--dry-run", "--policy", str(strict), "--format", "json")
    assert code == 0
    assert [line for line in json.loads(out)["rails"] if "policy" in line] == [
        "max_order_premium 3,000 (policy)",
        "max_messages minute 10 (policy)",
    ]
