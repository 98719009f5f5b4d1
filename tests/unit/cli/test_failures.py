"""Whatever fails: an exit code, a sentence, what to do next, and no traceback."""

import argparse
import sys
import types

import pytest

from mesoflow import logs
from mesoflow.cli.failures import guarded
from mesoflow.hubs.errors import ConnectFailed
from mesoflow.journal.errors import JournalUnusable, LockLost
from mesoflow.runtime.home import HomeExposed, RunHeld
from mesoflow.runtime.refusal import Refusal

ARGS = argparse.Namespace(command="show", run="r-1", format="text")


@pytest.fixture
def ending(monkeypatch, capsys):
    """Run a command that raises; its exit code and what it wrote to standard error."""

    def of(error, args=ARGS):
        def run(args):
            raise error

        monkeypatch.setitem(sys.modules, "broken_command", types.SimpleNamespace(run=run))
        code = guarded("broken_command", args)
        out, err = capsys.readouterr()
        return code, out + err

    return of


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            Refusal("MF506", "there is no run r-1", (("home", "/h"),), ("mesoflow runs lists them",)),
            1,
            "refused[MF506]: there is no run r-1\n  home    /h\n  help    mesoflow runs lists them\n",
        ),
        (
            JournalUnusable("/h/journal.db", "the disk is full", "Make room."),
            1,
            "refused[MF603]: the journal /h/journal.db cannot be used: the disk is full. Make room.\n"
            "  help    nothing more was sent\n",
        ),
        (
            HomeExposed("/h", "can be read by others", "Run: chmod 700 /h"),
            1,
            "refused[MF611]: /h can be read by others\n  help    Run: chmod 700 /h\n",
        ),
        (
            RunHeld("/h/locks", "says that run r-1 has a runner (process 7)", "Wait for it."),
            9,
            "refused[MF614]: /h/locks says that run r-1 has a runner (process 7)\n  help    Wait for it.\n",
        ),
        (
            ConnectFailed("/hubs/control", "connect", "refused"),
            1,
            "refused[MF509]: the hub could not be used: /hubs/control: connect failed: refused\n"
            "  help    try again when it answers; nothing was sent\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_an_ending_and_its_text(ending, error, code, text):
    assert ending(error) == (code, text)


@pytest.mark.parametrize(("command", "code"), [("run", 1), ("resume", 8), ("cancel", 8), ("settle", 1)])
def test_a_hub_that_stays_away_parks_only_what_was_begun(ending, command, code):
    args = argparse.Namespace(command=command, run="r-1", format="text")
    assert ending(ConnectFailed("/hubs/control", "connect", "refused"), args)[0] == code


def test_a_run_taken_over_is_held_by_somebody_else(ending):
    code, text = ending(LockLost("/h/journal.db", "r-1", 1, 2))
    assert code == 9
    assert text.startswith("refused[MF604]: run r-1 has been taken over by another runner")


def test_a_refusal_as_json_goes_where_the_caller_reads(ending):
    args = argparse.Namespace(command="show", run="r-1", format="json")
    assert ending(Refusal("MF506", "there is no run r-1", (("home", "/h"),), ("look",)), args) == (
        1,
        '{"format_version": 1, "refused": {"code": "MF506", "summary": "there is no run r-1", '
        '"rows": [{"label": "home", "text": "/h"}], "help": ["look"]}}\n',
    )


def test_a_bug_of_ours_says_so_and_what_to_send_and_hides_secrets(ending, monkeypatch):
    monkeypatch.setattr(logs, "_secrets", set())
    logs.hide("sesame-123")
    code, text = ending(ZeroDivisionError("sesame-123"))
    assert code == 3
    lines = text.splitlines()
    assert lines[0] == "this is a bug in mesoflow: ZeroDivisionError: ********"
    assert lines[2] == "  command  mesoflow show r-1"
    assert "    cli/failures.py" in text
    assert "please send these lines" in text
    assert "Traceback" not in text


def test_a_closed_pipe_is_no_error(ending):
    assert ending(BrokenPipeError()) == (0, "")
