"""The command line: what it takes, and that wrong usage is exit 2."""

import pytest

from mesoflow.cli.arguments import COMMANDS, parser
from mesoflow.cli.arguments import parse as whole_line


def parse(*arguments):
    return parser().parse_args(arguments)


def test_only_commands_that_are_built_exist():
    assert list(COMMANDS) == [
        "run", "check", "resume", "cancel", "kill", "release", "settle", "clear", "runs", "show", "journal", "soak", "sim",
        "doctor", "hub", "schema",
    ]  # fmt: skip


def test_every_option_of_run():
    args = parse(
        "run", "plans/quickstart.yaml", "--set", "entry_at=10:01", "--set", "note=a=b", "--env", "desk", "--hub", "lab",
        "--run-id", "mine", "--or-resume", "--again", "--reason", "drill", "--seed", "3", "--profile", "kind", "--speed", "2.5",
        "--allow-live", "--policy", "strict.yaml", "--faults", "f.yaml", "--dry-run", "--detailed-exit-code", "--format", "json", "--state", "home",
    )  # fmt: skip
    assert vars(args) == {
        "version": False, "command": "run", "format": "json", "state": "home", "playbook": "plans/quickstart.yaml",
        "sets": [("entry_at", "10:01"), ("note", "a=b")], "env": "desk", "hub": "lab", "run_id": "mine", "or_resume": True,
        "again": True, "reason": "drill", "allow_live": True, "policy": "strict.yaml", "dry_run": True, "detailed_exit_code": True, "seed": 3, "profile": "kind", "faults": "f.yaml", "speed": 2.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("preview", "x.yaml"),
        ("run",),
        ("run", "x.yaml", "--accept-policy"),
        ("cancel", "r", "--allow-live"),
        ("run", "x.yaml", "--preview", "f"),
        ("run", "x.yaml", "--faults"),
        ("run", "x.yaml", "--set", "lots"),
        ("run", "x.yaml", "--run-id", "../up"),
        ("run", "x.yaml", "--speed", "0"),
        ("sim",),
        ("sim", "serve", "--speed", "31"),
        ("settle", "r", "p", "--reason", "why"),
        ("settle", "r", "p", "--happened", "1", "--did-not-happen", "--reason", "why"),
        ("settle", "r", "p", "--did-not-happen"),
        ("show", "r", "--format", "html"),
        ("run", "x.yaml", "--dry"),
    ],
)
def test_wrong_usage_is_exit_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(*arguments)
    assert ended.value.code == 2
    assert "usage: mesoflow" in capsys.readouterr().err


def test_values_may_stand_before_and_behind_options():
    for line in (("a=1", "b=2=3", "--yes"), ("--yes", "a=1", "b=2=3"), ("a=1", "--yes", "b=2=3")):
        args = whole_line(["hub", "call", "GetLeg", *line])
        assert (args.pairs, args.yes, args.one_page, args.hub) == (
            [("a", "1"), ("b", "2=3")],
            True,
            False,
            "sim",
        )


def test_the_format_of_the_hubs_by_hand_depends_on_who_reads():
    assert whole_line(["hub", "list"]).format is None
    assert whole_line(["hub", "list", "--format", "text"]).format == "text"
    assert whole_line(["hub", "--format", "json", "list"]).format == "json"
    assert whole_line(["runs"]).format == "text"


@pytest.mark.parametrize(
    "arguments",
    [
        ("hub",),
        ("hub", "call"),
        ("hub", "call", "GetLeg", "a"),
        ("hub", "call", "GetLeg", "--yes", "a"),
        ("hub", "call", "GetLeg", "--no", "a=1"),
        ("hub", "stream", "StreamLegData", "--yes"),
        ("hub", "watch", "--strategy", "x"),
        ("runs", "a=1"),
        ("doctor", "--yes"),
    ],
)
def test_wrong_usage_of_the_whole_line_is_exit_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        whole_line(arguments)
    assert ended.value.code == 2
    assert "usage: mesoflow" in capsys.readouterr().err
