"""From a file to a Program: values of inputs, files that are read and pinned, and what keeps a program from being made."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mesoflow.engine.program import Clause, ForEach, Retry
from mesoflow.findings import Finding
from mesoflow.playbook.compile import load
from mesoflow.playbook.lint.codes import Code

ROOT = Path(__file__).resolve().parents[3]

DEFINITION = (ROOT / "mesoflow" / "data" / "strategies" / "106.json").read_text(encoding="utf-8")
PLAYBOOK = """\
mesoflow: 1
name: case
inputs:
  lots: {type: integer, default: 1, maximum: 5}
  fomc: {type: list, items: date, file: calendars/fomc.yaml}
  price: {type: points}
  definition: {type: string, default: own.json}
risk: {accounts: ["{{ inputs.definition }}"], max_contracts_per_order: "{{ inputs.lots }}"}
steps:
  - id: strategy
    action: strategy.create
    with: {definition: "{{ inputs.definition }}"}
  - id: a
    action: set
    with: {x: "{{ inputs.lots }} {{ inputs.fomc }} {{ inputs.price }}"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "plans"
    (inside / "calendars").mkdir(parents=True)
    (inside / "environments").mkdir()
    (inside / "case.yaml").write_text(PLAYBOOK)
    (inside / "calendars" / "fomc.yaml").write_text("- 2025-01-29\n- 2025-03-19\n")
    (inside / "environments" / "paper.yaml").write_text("lots: 3\nprice: 1.50\n")
    (inside / "own.json").write_text(DEFINITION)
    return inside


# Every definition has parts that MesoLive ignores or treats differently.
OF_DEFINITIONS = {Code.LIVE_IGNORES, Code.LIVE_DIFFERS}


def about_playbook(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.code not in OF_DEFINITIONS]


def codes(folder: Path, environment: str | None = None, **sets: str) -> list[str]:
    findings = load(folder / "case.yaml", sets, environment).findings
    return [str(finding.code) for finding in about_playbook(findings)]


def test_values_come_from_default_environment_and_command_line(folder: Path) -> None:
    assert load(folder / "case.yaml", {"price": "2"}).inputs["lots"] == 1
    assert load(folder / "case.yaml", {}, "paper").inputs == {
        "lots": 3, "fomc": [date(2025, 1, 29), date(2025, 3, 19)], "price": Decimal("1.50"), "definition": "own.json",
    }  # fmt: skip
    assert load(folder / "case.yaml", {"lots": "5", "price": "2"}, "paper").inputs["lots"] == 5


def test_files_are_kept_and_pinned(folder: Path) -> None:
    compiled = load(folder / "case.yaml", {"price": "2"})
    assert compiled.program is not None
    assert list(compiled.sources) == ["case.yaml", "calendars/fomc.yaml", "own.json"]
    assert compiled.files == {
        "calendars/fomc.yaml": "- 2025-01-29\n- 2025-03-19\n",
        "own.json": DEFINITION,
    }
    pinned = compiled.program.inputs["fomc"]
    assert pinned["digest"] == hashlib.sha256(b"- 2025-01-29\n- 2025-03-19\n").hexdigest()
    assert compiled.risk == {"accounts": ["own.json"], "max_contracts_per_order": 1}


def test_what_keeps_a_program_from_being_made(folder: Path) -> None:
    assert codes(folder, price="2") == []
    assert codes(folder) == ["MF401"]
    assert codes(folder, price="2", lots="9") == ["MF402"]
    assert codes(folder, price="cheap") == ["MF402"]
    assert codes(folder, price="2", typo="1") == ["MF403"]
    assert codes(folder, "none", price="2") == ["MF405"]
    assert codes(folder, "../plans/environments/paper", price="2") == ["MF405"]
    assert codes(folder, price="2", definition="../secret") == ["MF404"]
    assert codes(folder, price="2", definition="/etc/passwd") == ["MF404"]
    assert codes(folder, price="2", definition="missing.json") == ["MF404"]
    (folder / "calendars" / "fomc.yaml").write_text("- soon\n")
    assert codes(folder, price="2") == ["MF404"]
    (folder / "calendars" / "fomc.yaml").unlink()
    (folder / "calendars" / "fomc.yaml").symlink_to("/etc/hostname")
    assert codes(folder, price="2") == ["MF404"]
    assert load(folder / "case.yaml").program is None
    assert load(folder / "nowhere.yaml").program is None


def test_an_environment_may_know_more_inputs_than_a_playbook(folder: Path) -> None:
    (folder / "environments" / "paper.yaml").write_text("price: 1\nlotz: 2\n")
    compiled = load(folder / "case.yaml", {}, "paper")
    assert compiled.program is not None
    assert [
        (finding.level, finding.summary, finding.help) for finding in about_playbook(compiled.findings)
    ] == [("warning", 'the playbook has no input "lotz"', 'did you mean "lots"?')]


def test_a_rail_is_checked_again_when_its_input_is_known(folder: Path) -> None:
    text = PLAYBOOK.replace(
        "lots: {type: integer, default: 1, maximum: 5}", "lots: {type: integer, default: 0}"
    )
    (folder / "case.yaml").write_text(text)
    found = about_playbook(load(folder / "case.yaml", {"price": "2"}).findings)
    assert [(str(finding.code), finding.summary, finding.place.line) for finding in found] == [
        ("MF103", "`max_contracts_per_order` must be at least 1", 8)
    ]


def test_every_part_of_a_step_is_in_the_program() -> None:
    program = load(ROOT / "tests" / "cases" / "valid" / "every-construct.yaml").program
    assert program is not None
    assert program.start == {"once_per": "session"}  # the default of a playbook that can send an order
    campaign, manage, enter, over_night, close, *_ = program.steps
    assert (campaign.id, campaign.action, campaign.line) == ("campaign", "position.list", 21)
    assert manage.for_each == ForEach(
        "{{ steps.campaign.positions }}", "{{ loop.item.position_id }}", True, 2
    )
    assert manage.steps[1].retry == Retry(3, ("not_filled", "incomplete"), 5)
    assert manage.outputs == {"pnl": "{{ loop.item.position_id }}"}
    assert enter.rescue[1] == Clause(("entry_not_allowed", "not_filled"), (), "skipped")
    assert [step.id for step in enter.rescue[0].steps] == ["entry_split", "verticals"]
    assert over_night.inputs == {"at": "next open + 15m", "grace": "unlimited"}
    assert close.when == "{{ steps.manage.failed | length == 0 }}"
    assert program.rescue[1].errors == ()  # any
    assert [step.id for step in program.always] == ["report"]
    assert program.outputs["pnl"] == "{{ steps.facts.pnl }}"


def test_the_quickstart() -> None:
    compiled = load(ROOT / "plans" / "quickstart.yaml", {"entry_at": "10:01"})
    assert compiled.findings == []
    assert compiled.program is not None
    assert compiled.program.start == {"once_per": "never"}
    assert compiled.inputs == {
        "account": "PAPER-1",
        "template": "SPX put calendar 30/60",
        "entry_at": "10:01",
    }
