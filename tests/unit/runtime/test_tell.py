"""Telling people: every target, and that a failure to tell fails nothing."""

import asyncio
import json
import sys

import pytest

from mesoflow import logs
from mesoflow.engine.effects import Tell
from mesoflow.runtime.tell import Teller, ToCommand, ToFile


def tell(tmp_path, to, targets=(), body="3 lots", **changes):
    said = []
    teller = Teller("run-1", dict(targets), tmp_path, said.append)
    effect = Tell("tell", to, "calendar on", body, **changes)
    return asyncio.run(teller.tell(effect)), said


def test_the_terminal(tmp_path):
    assert tell(tmp_path, ("desk",), {"desk": "terminal"}) == (
        {"delivered": ["desk"], "failed": []},
        ["notice to desk: calendar on: 3 lots"],
    )


def test_a_file_gets_one_json_object_a_line_and_is_ours_alone(tmp_path):
    file = tmp_path / "notices.jsonl"
    for _ in range(2):
        assert tell(tmp_path, ("desk",), {"desk": ToFile(file)})[0] == {"delivered": ["desk"], "failed": []}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert (
        lines
        == [{"run_id": "run-1", "to": "desk", "level": "info", "title": "calendar on", "body": "3 lots"}] * 2
    )
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_command_gets_the_notice_on_its_standard_input(tmp_path):
    out = tmp_path / "got"
    command = (sys.executable, "-c", f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())")
    assert tell(tmp_path, ("ops",), {"ops": ToCommand(command)}, level="page")[0] == {
        "delivered": ["ops"],
        "failed": [],
    }
    assert json.loads(out.read_text())["level"] == "page"


def test_a_target_that_nobody_configured_goes_to_the_terminal_and_to_a_file_of_the_home(tmp_path):
    told, said = tell(tmp_path, ("ops",), body={"lots": 3})
    assert told == {"delivered": ["ops"], "failed": []}
    assert said == ['notice to ops: calendar on: {"lots": 3}']
    assert json.loads((tmp_path / "notices.log").read_text())["to"] == "ops"


@pytest.mark.parametrize("command", [("/nonexistent/pager",), (sys.executable, "-c", "raise SystemExit(1)")])
def test_a_failure_to_tell_is_reported_and_the_others_are_told(tmp_path, command):
    told, said = tell(tmp_path, ("ops", "desk"), {"ops": ToCommand(command), "desk": "terminal"})
    assert told == {"delivered": ["desk"], "failed": ["ops"]}
    assert said[0].startswith("could not tell ops: ")


def test_secrets_are_hidden_in_notices(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "_secrets", set())
    logs.hide("sesame-123")
    _, said = tell(tmp_path, ("desk",), {"desk": "terminal"}, body="key sesame-123")
    assert said == ["notice to desk: calendar on: key ********"]
