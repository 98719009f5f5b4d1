"""Faults files: every dial can be written, what is wrong is told with its place, and a file sets the dials that it names."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from mesoflow.playbook.schema import of_model
from mesoflow.rehearsal.faultfile.dials import dials
from mesoflow.rehearsal.faultfile.models import FaultsFile
from mesoflow.rehearsal.faultfile.reading import read_faults
from mesoflow.review.render.findings import as_text
from mesoflow.simulator.faults import (
    Away,
    Faults,
    Held,
    Loss,
    Mishap,
    Misquote,
    Mistold,
    Restart,
    Step,
    Twice,
)
from mesoflow.simulator.world.world import BEGINNING

S = timedelta(seconds=1)
EVERYTHING = """\
faults: 1
draw: 7
begins: 2025-03-07T20:30Z
lose_request: [{method: SendOrder, nth: 2}]
lose_reply: [{method: ApplyPaperFills, cut: false}]
duplicate_reply: [{method: GetOrder}]
reorder: [{method: ListOrders, after: 3s}]
delay: {"*": 1s}
hub_away: [{at: 8s, lasts: 40s}]
record_processing: {SendOrder: 20s}
record_gone: [CancelOrder]
record_retention: 1h
clock_runs_while_dead: true
clock_steps: [{at: 1m, by: 30s, back: true}]
quotes: [{what: crossed, at: 10s, lasts: 1m}]
seq_jumps: 3
callbacks_twice: true
pages_overlap: 2
stream_drops: 4
silences: [{at: 0s, lasts: 1m}]
orders:
  - {what: reject, reason: margin}
  - {what: frozen, nth: 2, after: never}
  - {what: fills, nth: 3, after: 4s, packages: 1}
restarts: [{broker: IBKR, at: 20s, lasts: 8s, reused: true}]
agents_away: [{agent: TastyTrade, at: 5s, lasts: 30s}]
halts: [{at: 1h, lasts: 5m}]
replace: both_alive
casing: camel
decimals: text
enum_numbers: true
status_codes: true
hub_errors: [{method: SendOrder, text: broken}]
late_arrival: [{method: SendOrder, after: 1m}]
credit_sign: positive
qty_multiplier: multiplies
moved_leg_name: same
agent_of_account: true
clone_strategy_id: differs
expiration_date: true
event_kinds: true
events_since: true
event_order: true
job_gone: true
no_combo: true
combo_ratio: true
record_wrapper: Record
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def of(folder: Path, text: str) -> Faults:
    value, findings = read_faults(written(folder, text), "faults.yaml")
    assert findings == []
    assert value is not None
    return dials(value)


def test_every_dial_has_a_key_and_every_key_a_dial() -> None:
    own = {"faults", "draw", "hub_away"}
    names = {field.name for field in fields(Faults) if not field.name.startswith("_")}
    assert set(FaultsFile.model_fields) - own == names
    assert set(yaml.safe_load(EVERYTHING)) == names | own


def test_what_is_written_is_what_is_set(tmp_path: Path) -> None:
    faults = of(tmp_path, EVERYTHING.replace("draw: 7\n", ""))
    begins = datetime(2025, 3, 7, 20, 30, tzinfo=UTC)

    def away(at: float, lasts: float) -> Away:
        return Away(begins + at * S, begins + (at + lasts) * S)

    assert faults == Faults(
        lose_request=[Loss("SendOrder", 2)],
        lose_reply=[Loss("ApplyPaperFills", 1, cut=False)],
        duplicate_reply=[Twice("GetOrder")],
        reorder=[Held("ListOrders", 1, 3 * S)],
        delay={"*": S},
        record_processing={"SendOrder": 20 * S},
        record_gone={"CancelOrder"},
        record_retention=3600 * S,
        clock_runs_while_dead=True,
        clock_steps=[Step(begins + 60 * S, -30 * S)],
        begins=begins,
        quotes=[Misquote("crossed", away(10, 60))],
        seq_jumps=3,
        callbacks_twice=True,
        pages_overlap=2,
        stream_drops=4,
        orders=[
            Mishap("reject", 1, 2 * S, None, "margin"),
            Mishap("frozen", 2, None),
            Mishap("fills", 3, 4 * S, 1),
        ],
        restarts=[Restart("IBKR", away(20, 8), reused=True)],
        agents_away=[("TastyTrade", away(5, 30))],
        halts=[away(3600, 300)],
        replace="both_alive",
        silences=[away(0, 60)],
        casing="camel",
        enum_numbers=True,
        decimals="text",
        status_codes=True,
        hub_errors=[Mistold("SendOrder", 1, "broken")],
        late_arrival=[Held("SendOrder", 1, 60 * S)],
        credit_sign=1,
        qty_multiplier="multiplies",
        moved_leg_name="same",
        agent_of_account=True,
        clone_strategy_id="differs",
        expiration_date=True,
        event_kinds=True,
        events_since=True,
        event_order=True,
        job_gone=True,
        no_combo=True,
        combo_ratio=True,
        record_wrapper="Record",
        _aways=[away(8, 40)],
    )


def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path) -> None:
    assert of(tmp_path, "faults: 1\n") == Faults()


def test_what_is_drawn_depends_on_the_seed_alone(tmp_path: Path) -> None:
    drawn = {seed: of(tmp_path, f"faults: 1\ndraw: {seed}\n") for seed in range(12)}
    assert drawn == {seed: of(tmp_path, f"faults: 1\ndraw: {seed}\n") for seed in range(12)}
    assert len({str(faults) for faults in drawn.values()}) > 6
    aways = [away for faults in drawn.values() for away in faults._aways]
    assert all(away.start > BEGINNING for away in aways)


def test_the_schema_takes_what_the_reader_takes() -> None:
    jsonschema.Draft202012Validator(of_model(FaultsFile)).validate(yaml.safe_load(EVERYTHING))


WRONG = {
    "": "error[MF004]: this file is empty\n  --> faults.yaml:1:1\n  help: it begins with `faults: 1`\n",
    "- a\n": "error[MF103]: a faults file is a map of keys and values\n  --> faults.yaml:1:1\n",
    "faults: 2\n": "error[MF103]: `faults` is 2; expected 1\n  --> faults.yaml:1:9\n",
    "faults: 1\nlose_rply: []\n": "error[MF101]: there is no `lose_rply` here\n  --> faults.yaml:2:1\n",
    "faults: 1\nlose_reply: [{method: SendOrders}]\n": 'error[MF103]: `method` is "SendOrders"; expected ',
    "faults: 1\nhub_away: [{at: 8, lasts: 40s}]\n": "  --> faults.yaml:2:17",
    "faults: 1\norders: [{what: cancel_slow, packages: 2}]\n": (
        "error[MF313]: `packages` is for fills and fill_after_cancel\n  --> faults.yaml:2:10\n"
    ),
    "faults: 1\norders: [{what: reject, after: never}]\n": "error[MF313]: `after: never` is for frozen\n",
    "faults: 1\nrestarts: [{broker: IBKR, at: 1s, lasts: 1s, new_ids: false, reused: true}]\n": (
        "error[MF313]: ids that are used again are new ones: `reused` needs `new_ids`\n"
    ),
    "faults: 1\nbegins: 2025-13-07T20:30Z\n": "error[MF313]: there is no moment 2025-13-07T20:30Z\n",
    "faults: 1\nseq_jumps: true\n": "  --> faults.yaml:2:12",
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items(), ids=[repr(text)[:40] for text in WRONG])
def test_what_is_wrong_is_one_finding_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    value, findings = read_faults(written(tmp_path, text), "faults.yaml")
    assert (value, len(findings)) == (None, 1)
    assert expected in as_text(findings, ["faults.yaml"])


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    value, findings = read_faults(tmp_path / "gone.yaml", "gone.yaml")
    assert (value, [str(finding.code) for finding in findings]) == (None, ["MF001"])
