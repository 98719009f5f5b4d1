"""`mesoflow check`: which files it looks at, and its exit codes. What it finds is tested with the checker."""

import json
from importlib.resources import files

import pytest

from mesoflow.cli.__main__ import main
from mesoflow.cli.commands.check import playbooks

GOOD = "mesoflow: 1\nname: good\nsteps: [{action: session.get}]\n"
BAD = "mesoflow: 1\nname: bad\nsteps: [{action: sesion.get}]\n"


@pytest.fixture
def plans(tmp_path):
    for name, text in {
        "b.yaml": GOOD,
        "a/c.yml": GOOD,
        "environments/x.yaml": "lots: 1",
        ".hidden/d.yaml": BAD,
        "readme.md": "",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_a_folder_means_its_playbooks_in_order(plans):
    assert [str(path.relative_to(plans)) for path in playbooks(plans)] == ["b.yaml", "a/c.yml"]


def test_nothing_to_report_is_reported(plans, capsys):
    assert main(["check", str(plans)]) == 0
    assert capsys.readouterr().out == "2 playbooks checked, nothing to report\n"


def test_an_error_is_exit_1(plans, capsys):
    (plans / "b.yaml").write_text(BAD)
    assert main(["check", str(plans), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["format_version"], found["errors"], len(found["checked"])) == (1, 1, 2)


def test_a_folder_without_playbooks_is_wrong_usage(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"mesoflow check: no playbook under {tmp_path} (*.yaml, *.yml)\n"


def test_a_file_that_is_not_there_is_a_finding(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.yaml")]) == 1
    assert "cannot read this file" in capsys.readouterr().out


def definition(folder, name="own.json", **changes):
    template = files("mesoflow") / "data" / "strategies" / "103.json"
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**json.loads(template.read_text(encoding="utf-8")), **changes}))
    return path


def test_a_definition_is_recognised_by_its_shape(tmp_path, capsys):
    assert main(["check", str(definition(tmp_path))]) == 0
    assert capsys.readouterr().out.endswith("\n1 file checked, 3 warnings\n")
    assert main(["check", str(definition(tmp_path, Symbol=None))]) == 1
    assert "error[MF163]: `Symbol` is empty; expected text\n" in capsys.readouterr().out


def test_a_folder_of_definitions_can_be_named_and_is_left_out_of_others(plans, capsys):
    definition(plans, "strategies/own.json", Symbol=None)
    assert main(["check", str(plans)]) == 0
    assert capsys.readouterr().out == "2 playbooks checked, nothing to report\n"
    assert main(["check", str(plans / "strategies")]) == 1
    assert capsys.readouterr().out.endswith("1 file checked, 1 error and 3 warnings\n")


def test_a_definition_that_two_playbooks_use_is_told_once(tmp_path, capsys):
    definition(tmp_path, "strategies/own.json", Symbol=None)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            f"mesoflow: 1\nname: {name}\nsteps: [{{action: strategy.create, with: {{definition: strategies/own.json}}}}]\n"
        )
    assert main(["check", str(tmp_path), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [finding["code"] for finding in found].count("MF163") == 1
    assert {finding["place"]["file"] for finding in found} == {str(tmp_path / "strategies" / "own.json")}
