"""The commands, end to end, in one process: whole outputs of the quickstart in a fresh home, and how they hang together."""

import json
import os
import signal
from pathlib import Path

import pytest

from mesoflow.cli import running
from mesoflow.cli.__main__ import main
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.inbox import ask_cancel
from tests.support.snapshots import matches

ROOT = Path(__file__).parents[3]
QUICKSTART = str(ROOT / "plans" / "quickstart.yaml")
RUN = "quickstart-2025-01-16"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run a command in a home of its own; (exit code, standard output, standard error)."""
    for name in ("MESOLIVE_API_KEY", "MESOFLOW_CRASH", "MESOFLOW_CRASH_LIST", "MESOFLOW_WITNESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MESOFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MESOFLOW_DEBUG", "")
    monkeypatch.setattr("getpass.getuser", lambda: "anna")

    def run(*arguments):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        return code, out.replace(str(tmp_path), "TMP"), err.replace(str(tmp_path), "TMP")

    return run


@pytest.fixture
def home(tmp_path):
    return lambda: StateHome.open(tmp_path / "home")


def test_the_quickstart_from_a_fresh_home(command):
    code, out, err = command("run", QUICKSTART)
    assert (code, err) == (0, "")
    matches(__file__, "quickstart.txt", out)
    assert command("show", RUN)[:2] == (0, _snapshot("show.txt", command("show", RUN)[1]))
    matches(__file__, "runs.txt", command("runs")[1])


def test_the_same_run_gives_the_same_lines(command, tmp_path):
    first = command("run", QUICKSTART, "--state", str(tmp_path / "one"))
    second = command("run", QUICKSTART, "--state", str(tmp_path / "two"))
    assert first == second


def test_json_is_one_report_and_nothing_else(command):
    code, out, err = command("run", QUICKSTART, "--format", "json")
    report = json.loads(out)
    assert (code, err, report["format_version"], report["state"]) == (0, "", 1, "done")
    assert json.loads(command("show", RUN, "--format", "json")[1]) == report
    assert [row["run_id"] for row in json.loads(command("runs", "--format", "json")[1])["runs"]] == [RUN]


def test_again_and_again_each_in_its_own_session(command):
    command("run", QUICKSTART)
    command("run", QUICKSTART)
    _code, out, _ = command("runs", "--format", "json")
    assert [row["run_id"] for row in json.loads(out)["runs"]] == ["quickstart-2025-01-17", RUN]


def test_a_run_that_is_over_is_not_touched_by_resume(command):
    command("run", QUICKSTART)
    code, out, _ = command("resume", RUN)
    assert (code, out.splitlines()[0]) == (0, f"{RUN}  done")


def test_every_effect_that_happened_was_forecast(command):
    """The property of forecasts: what a preview does not name must not happen."""
    steps = json.loads(command("run", QUICKSTART, "--dry-run", "--format", "json")[1])["steps"]
    forecast = {(ask["path"], ask["method"]) for step in steps for ask in step["asks"]}
    effects = json.loads(command("run", QUICKSTART, "--format", "json")[1])["effects"]
    changing = {
        (e["path"], e["method"])
        for e in effects
        if e["ask"] in ("change", "prepare", "trade", "withdraw", "tell")
    }
    assert changing <= forecast
    assert {method for _, method in changing} == {
        "CreateStrategy", "RenameStrategy", "UpdateStrategy", "StartPreparePositionEntry", "ApplyPaperFills",
        "StartPreparePositionExit",
    } & {method for _, method in changing}  # fmt: skip
    assert "ApplyPaperFills" in {method for _, method in changing}


def test_the_preview_of_the_quickstart(command):
    code, out, _ = command("run", QUICKSTART, "--dry-run")
    assert code == 0
    matches(__file__, "preview.txt", out)
    assert command("run", QUICKSTART, "--dry-run", "--detailed-exit-code")[0] == 11


def test_a_dry_run_touches_no_state_home(command, tmp_path):
    command("run", QUICKSTART, "--dry-run")
    assert not (tmp_path / "home").exists()


def test_the_witness_sees_a_durable_intent_and_verdict_for_every_trading_call(command, tmp_path, monkeypatch):
    lines = tmp_path / "witness"
    monkeypatch.setenv("MESOFLOW_WITNESS", str(lines))
    assert command("run", QUICKSTART)[0] == 0
    seen = [line.split("\t") for line in lines.read_text().splitlines()]
    assert [(what, method, path) for what, method, _, path in seen] == [
        ("seen", "ApplyPaperFills", "buy/fill"),
        ("seen", "ApplyPaperFills", "sell/fill"),
    ]


# --- interrupted, cancelled, refused -----------------------------------------------------------------------------------


def at_step(monkeypatch, step, do):
    """Do something when a step has ended, from inside the run's loop."""
    original = running.Conduct._setting

    def setting(self, hub, committer, crash, view):
        made = original(self, hub, committer, crash, view)
        shown = view.step

        def stepped(name, ended, at):
            shown(name, ended, at)
            if name == step and not view.muted:
                do(self)

        view.step = stepped
        return made

    monkeypatch.setattr(running.Conduct, "_setting", setting)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_parks_and_resume_goes_on(command, monkeypatch, number):
    at_step(monkeypatch, "strategy", lambda conduct: os.kill(os.getpid(), number))
    code, out, _ = command("run", QUICKSTART)
    assert code == 130
    assert f"{RUN}  parked (interrupted): by {number.name}" in out
    assert json.loads(command("runs", "--format", "json")[1])["runs"][0]["reason"] == "interrupted"


def test_a_parked_run_is_resumed_where_it_stopped(command, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        assert command("run", QUICKSTART)[0] == 130
    code, out, _ = command("resume", RUN)
    assert code == 0
    assert "sane" not in out and "sell" in out
    uncut = json.loads(command("run", QUICKSTART, "--format", "json", "--state", str(tmp_path / "uncut"))[1])
    assert json.loads(command("show", RUN, "--format", "json")[1])["outputs"] == uncut["outputs"]


def test_cancel_of_a_parked_run_becomes_its_runner(command, monkeypatch):
    with monkeypatch.context() as patched:
        at_step(patched, "buy", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", QUICKSTART)
    code, out, _ = command("cancel", RUN, "--reason", "wrong day")
    assert code == 6
    assert f"{RUN}  cancelled: cancelled by anna: wrong day" in out
    code, _, err = command("cancel", RUN)
    assert (code, err) == (1, f"refused[MF511]: {RUN} is over: cancelled\n  help    mesoflow show {RUN}\n")
    assert command("resume", RUN)[0] == 6


def test_a_row_in_the_inbox_cancels_a_living_run_and_is_answered(command, monkeypatch):
    rows = []
    at_step(
        monkeypatch, "strategy", lambda c: rows.append((c.journal, ask_cancel(c.journal, RUN, "bert", "")))
    )
    answered = []
    original = running.Inbox.over
    monkeypatch.setattr(
        running.Inbox,
        "over",
        lambda self, *a: (original(self, *a), answered.append(self.journal.answer_of(rows[0][1]))),
    )
    code, out, _ = command("run", QUICKSTART)
    assert code == 6
    assert "cancelled by bert" in out
    assert answered == [{"state": "cancelled", "reason": ""}]


def test_a_row_that_nobody_took_up_is_taken_up_by_the_next_runner_first(command, monkeypatch, home):
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", QUICKSTART)
    journal = home().journal()
    row = ask_cancel(journal, RUN, "bert", "")
    journal.close()
    assert command("resume", RUN)[0] == 6
    journal = home().journal()
    assert journal.answer_of(row) == {"state": "cancelled", "reason": ""}
    assert "ApplyPaperFills" not in {r.body["method"] for r in journal.read(RUN) if r.kind == "intended"}
    journal.close()


def test_the_second_of_two_runners_is_refused(command, monkeypatch, home):
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", QUICKSTART)
    with home().run_lock(RUN):
        code, _, err = command("resume", RUN)
    assert code == 9
    assert err.startswith("refused[MF614]: ")


def test_a_world_that_another_process_holds_is_refused_and_told_of_sim_serve(command, home):
    command("runs")
    with home().world_lock("default"):
        code, _, err = command("run", QUICKSTART)
    assert code == 9
    assert "sim serve" in err


def test_another_hub_than_the_run_began_at_is_refused_with_both_shown(command, monkeypatch, home):
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", QUICKSTART)
    world = home().world("default")
    for file in world.iterdir():
        if file.name != "about.json":
            file.unlink()
    (world / "about.json").write_text('{"seed": 8, "profile": "strict"}')
    code, _, err = command("resume", RUN)
    assert code == 1
    assert err.startswith(f"refused[MF504]: {RUN} began at another hub\n  then    embedded, default, world-")


def test_a_run_of_another_version_is_refused_and_told_what_to_install(command, monkeypatch):
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", QUICKSTART)
    monkeypatch.setattr("mesoflow.cli.starting.SEMANTICS", 2)
    code, _, err = command("resume", RUN)
    assert code == 1
    assert "install mesoflow 0.1.0 and resume it with that" in err


def test_a_file_that_has_changed_since_is_said_and_not_run(command, monkeypatch, tmp_path):
    file = tmp_path / "quickstart.yaml"
    file.write_text(Path(QUICKSTART).read_text())
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", str(file))
    file.write_text(file.read_text().replace("lots: 1", "lots: 2"))
    code, out, _ = command("resume", RUN)
    assert code == 0
    assert (
        out.splitlines()[0]
        == "note: TMP/quickstart.yaml has changed since the run began; the run goes on with what it began with"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("show", "nothing"), 1, "refused[MF506]: there is no run nothing\n  home    TMP/home\n  help    mesoflow runs lists them\n"),
        (("resume", "nothing"), 1, "refused[MF506]: there is no run nothing\n  home    TMP/home\n  help    mesoflow runs lists them\n"),
        (("run", QUICKSTART, "--again"), 2, "mesoflow run: --again and --reason go together\n"),
        (("run", QUICKSTART, "--hub", "lab"), 1, "refused[MF510]: there is no hub lab\n  known   sim, or a URL\n  help    name one of them, or add a profile to config.yaml\n"),
        (("journal",), 2, "mesoflow journal: give a run, or --verify for the whole state home\n"),
        (("clear", "PAPER-1"), 1, "refused[MF511]: no mark stands against PAPER-1\n  help    nothing is marked: entries are refused by nothing that `clear` could end\n"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_to_do(command, arguments, code, text):
    assert command(*arguments) == (code, "", text)


def test_findings_keep_a_playbook_from_starting(command, tmp_path):
    code, out, _ = command("run", QUICKSTART, "--set", "lots=2")
    assert code == 1
    assert "--set lots" in out
    assert not (tmp_path / "home" / "journal.db").exists()


# --- start keys --------------------------------------------------------------------------------------------------------


@pytest.fixture
def once(tmp_path):
    """The quickstart, once per session."""
    file = tmp_path / "once.yaml"
    text = (
        Path(QUICKSTART)
        .read_text()
        .replace("once_per: never", "once_per: session")
        .replace("name: quickstart", "name: once")
    )
    file.write_text(text.replace("default: next open + 15m", 'default: "10:01"'))
    return str(file)


def test_the_second_start_of_a_session_is_skipped_after_an_order(command, once):
    assert command("run", once)[0] == 0
    code, out, _ = command("run", once)
    assert code == 0
    assert out.startswith(
        "skipped: once-2025-01-16 has traded in this session and is done; nothing is started\n"
    )
    assert command("run", once, "--detailed-exit-code")[0] == 10
    assert json.loads(command("run", once, "--format", "json")[1])["skipped"]["run_id"] == "once-2025-01-16"


def test_or_resume_ends_as_the_run_of_the_key_ended(command, once):
    assert command("run", once, "--or-resume")[0] == 0
    code, out, _ = command("run", once, "--or-resume")
    assert (code, out.splitlines()[0]) == (0, "once-2025-01-16  done")


def test_again_with_a_reason_starts_a_second_one(command, once):
    command("run", once)
    code, out, _ = command("run", once, "--again", "--reason", "drill", "--set", "entry_at=10:05")
    assert (code, out.splitlines()[0]) == (0, "once-2025-01-16-2  PAPER-1  embedded")


def test_a_start_is_refused_while_the_first_can_be_resumed_and_or_resume_goes_on(command, once, monkeypatch):
    with monkeypatch.context() as patched:
        at_step(patched, "sane", lambda conduct: os.kill(os.getpid(), signal.SIGTERM))
        command("run", once)
    code, _, err = command("run", once)
    assert code == 1
    assert err.splitlines()[0] == "refused[MF501]: once has already run in this session"
    assert command("run", once, "--or-resume")[0] == 0


def test_another_seed_begins_a_world_of_its_own(command):
    command("run", QUICKSTART)
    code, out, _ = command("run", QUICKSTART, "--seed", "3", "--format", "json")
    assert (code, json.loads(out)["hub"]["world"], json.loads(out)["run_id"]) == (
        0,
        "seed-3-strict",
        f"{RUN}-2",
    )


def _snapshot(name, text):
    matches(__file__, name, text)
    return text
