"""Every guess about the hub made wrong, one by one: a run goes on rightly or stops clearly, and never sends a wrong order.

One row a guess and dial: the playbook, and how its run ends. All checkers hold in each, whatever the ending; two rows break what
the simulator's own profile states as known, and name the checker that tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.hubs.inferred import GUESSES
from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.rehearsal.evidence import Evidence, last
from mesoflow.simulator.faults import Faults, Held, Loss, Mistold
from mesoflow.simulator.simulator import Simulator
from tests.support.commands import ROOT
from tests.support.dialled import PLAYBOOK
from tests.support.played import Dial, played

S = timedelta(seconds=1)
TWICE = (ROOT / "mesoflow" / "data" / "strategies" / "101.json").read_text(encoding="utf-8")
TWICE = TWICE.replace('"QtyMultiplier": "1"', '"QtyMultiplier": "2"')
# By name: a shipped playbook, or its text.
PLAYBOOKS: dict[str, str] = {
    "quickstart": (ROOT / "plans" / "quickstart.yaml").read_text(encoding="utf-8"),
    "condor": (ROOT / "plans" / "live-like-iron-condor.yaml").read_text(encoding="utf-8"),
    "adjusted": (ROOT / "plans" / "first-orders.yaml").read_text(encoding="utf-8"),
    "walk": PLAYBOOK,
    "twice": PLAYBOOK.replace("strategy: 101", 'strategy: "{{ steps.made.strategy_id }}"').replace(
        "steps:\n",
        "steps:\n  - {id: made, action: strategy.create, with: {definition: twice.json, name: twice, active_on: [IB-1]}}\n",
    ),
    "three legs": PLAYBOOK.replace("IB-1", "TT-1").replace(
        "strategy: 101, lots: 3", "strategy: 105, lots: 1"
    ),
}


@dataclass(frozen=True)
class Row:
    """`dials` make guess `guess` wrong. `word` is said in the ending; `breaks`: what a checker says all the same."""

    guess: str
    playbook: str
    dials: dict[str, Any]
    code: int
    state: str
    reason: str = ""
    word: str = ""
    breaks: frozenset[str] = frozenset()

    def __str__(self) -> str:
        values = ", ".join(f"{name}={_short(value)}" for name, value in self.dials.items())
        return f"{self.playbook}: {values}"

    def dial(self, simulator: Simulator) -> None:
        for name, value in self.dials.items():
            _set(simulator.world.faults, name, value)


def _set(faults: Faults, name: str, value: Any) -> None:
    if isinstance(value, list):
        # Each is counted down as it is spent.
        getattr(faults, name).extend(make() for make in value)
    else:
        setattr(faults, name, value)


def _short(value: Any) -> str:
    return ",".join(make.__name__ for make in value) if isinstance(value, list) else str(value)


def of(kind: Callable[..., Any], method: str, *more: Any) -> Callable[[], Any]:
    def make() -> Any:
        return kind(method, 1, *more)

    make.__name__ = method
    return make


def lost_request(method: str) -> list[Callable[[], Any]]:
    return [of(Loss, method)]


UNKNOWN = (4, "parked", "outcome_unknown")
DONE = (0, "done")
TABLE = [
    Row("status_codes", "walk", {"status_codes": True}, *DONE),
    Row("status_codes", "walk", {"status_codes": True, "lose_request": lost_request("SendOrder")}, *UNKNOWN, "refuses to tell"),
    Row("status_codes", "quickstart", {"status_codes": True, "lose_request": lost_request("ApplyPaperFills")}, *UNKNOWN, "refuses to tell"),
    Row("hub_errors", "walk", {"hub_errors": [of(Mistold, "SendOrder")]}, *DONE),
    Row("hub_errors", "walk", {"hub_errors": [of(Mistold, "CancelOrder")]}, *DONE),
    Row("hub_errors", "walk", {"hub_errors": [of(Mistold, "SendOrder", "Method does not exist.")]}, *DONE),
    Row("hub_errors", "quickstart", {"hub_errors": [of(Mistold, "ApplyPaperFills")]}, *DONE),
    Row("enum_numbers", "quickstart", {"enum_numbers": True}, 1, "none", "", "subscribe failed"),
    Row("late_arrival", "walk", {"late_arrival": [of(Held, "SendOrder", 60 * S)]}, *DONE),
    Row("late_arrival", "walk", {"late_arrival": [of(Held, "CancelOrder", 60 * S)]}, *DONE),
    Row("late_arrival", "quickstart", {"late_arrival": [of(Held, "ApplyPaperFills", 60 * S)]}, *DONE),
    Row("record_retention", "walk", {"record_retention": 0 * S, "lose_reply": [of(Loss, "SendOrder")]}, *UNKNOWN, "shows something of its exec plan"),
    Row("record_retention", "quickstart", {"record_retention": 0 * S, "lose_reply": [of(Loss, "ApplyPaperFills")]}, *UNKNOWN, "shows something of its exec plan"),
    Row("credit_sign", "walk", {"credit_sign": 1}, 1, "failed", "not_filled"),
    Row("credit_sign", "condor", {"credit_sign": 1}, 1, "failed", "rejected", "", frozenset({"I6"})),
    Row("qty_multiplier", "twice", {"qty_multiplier": "multiplies"}, 1, "failed", "rail_refused", "was taken back"),
    Row("moved_leg_name", "adjusted", {"moved_leg_name": "same"}, 1, "failed", "prepare_failed"),
    Row("agent_of_account", "walk", {"agent_of_account": True}, 8, "parked", "agent_offline"),
    Row("agent_of_account", "quickstart", {"agent_of_account": True}, *DONE),
    Row("clone_strategy_id", "quickstart", {"clone_strategy_id": "refuses"}, 1, "failed", "hub_refused"),
    Row("clone_strategy_id", "quickstart", {"clone_strategy_id": "differs"}, 1, "failed", "definition_changed"),
    Row("expiration_date", "quickstart", {"expiration_date": True}, *DONE),
    Row("expiration_date", "walk", {"expiration_date": True}, *DONE),
    Row("event_kinds", "walk", {"event_kinds": True}, *DONE),
    Row("events_since", "walk", {"events_since": True}, *DONE),
    Row("event_order", "walk", {"event_order": True}, *DONE),
    Row("job_gone", "quickstart", {"job_gone": True}, *DONE),
    Row("no_combo", "three legs", {}, 1, "failed", "combo_not_supported"),
    Row("no_combo", "three legs", {"no_combo": True}, 1, "failed", "rejected"),
    Row("combo_ratio", "walk", {"combo_ratio": True}, *DONE),
    Row("record_wrapper", "walk", {"record_wrapper": "Record", "lose_reply": [of(Loss, "SendOrder")]}, *DONE),
    Row("record_wrapper", "walk", {"record_wrapper": "Found", "lose_reply": [of(Loss, "SendOrder")]}, *UNKNOWN, "cannot be read"),
    Row("record_wrapper", "quickstart", {"record_wrapper": "Found", "lose_reply": [of(Loss, "ApplyPaperFills")]}, *UNKNOWN, "cannot be read"),
]  # fmt: skip


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Dial], tuple[int, Evidence]]:
    def run(name: str, dial: Dial) -> tuple[int, Evidence]:
        path = tmp_path / "playbook.yaml"
        path.write_text(PLAYBOOKS[name], encoding="utf-8")
        (tmp_path / "twice.json").write_text(TWICE, encoding="utf-8")
        return played(path, tmp_path / "home", monkeypatch, dial)

    return run


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_wrong_guess_ends_clearly(
    play: Callable[[str, Dial], tuple[int, Evidence]], capsys: pytest.CaptureFixture[str], row: Row
) -> None:
    code, evidence = play(row.playbook, row.dial)
    shown = capsys.readouterr()
    assert "bug in mesoflow" not in shown.err
    record = next((last(run) for run in evidence.runs.values()), None)
    body = record.body if record is not None else {}
    state = str(body.get("state", "parked")) if body else "none"
    reason = str((body.get("error") or {}).get("code") or body.get("code") or "")
    assert (code, state, reason) == (row.code, row.state, row.reason), body
    assert row.word in f"{body}{shown.out}{shown.err}"
    assert {str(found).split(" ")[0] for found in violations(evidence)} == row.breaks
    if any(order.alive for order in evidence.orders):
        assert code == 4, "an order is alive, and nobody is called"


def test_every_guess_is_made_wrong() -> None:
    assert {row.guess for row in TABLE} == set(GUESSES)


WRITTEN: dict[str, dict[str, Any]] = {
    "camel casing": {"casing": "camel"},
    "decimals as text": {"decimals": "text"},
    "decimals as numbers": {"decimals": "number"},
}


@pytest.mark.parametrize("playbook", ["quickstart", "walk"])
def test_however_the_hub_writes_the_world_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playbook: str
) -> None:
    """Casing, decimals as numbers and as text: read alike, so the same is done."""

    def done(name: str, dials: dict[str, Any]) -> Any:
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        path = folder / "playbook.yaml"
        path.write_text(PLAYBOOKS[playbook], encoding="utf-8")
        code, evidence = played(path, folder / "home", monkeypatch, Row("", playbook, dials, *DONE).dial)
        assert code == 0
        return evidence.executed, evidence.fills, evidence.orders

    plain = done("plain", {})
    assert plain[0]
    for name, dials in WRITTEN.items():
        assert done(name, dials) == plain, name
