"""The real command in processes of its own: what signals, kills, pipes and a served world do to it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
QUICKSTART = str(ROOT / "plans" / "quickstart.yaml")
RUN = "quickstart-2025-01-16"
WITHIN_S = 60


@pytest.fixture
def mesoflow(tmp_path):
    """Start the command; `wait=False` gives the process."""
    started = []
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MESOFLOW_", "MESOLIVE_"))
    }

    def start(*arguments, wait=True, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "mesoflow.cli", *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=clean | {"MESOFLOW_HOME": str(tmp_path / "home")} | environment,
        )  # fmt: skip
        started.append(process)
        if not wait:
            return process
        out, err = process.communicate(timeout=WITHIN_S)
        return process.returncode, out, err

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def until(process, text):
    """Read its lines until one holds the text."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"it ended without {text!r}: {''.join(lines)}{process.stderr.read()}")


def test_the_version_needs_nothing(mesoflow):
    assert mesoflow("--version") == (0, "mesoflow 0.1.0\n", "")


def test_killed_after_the_booking_was_executed_and_resumed(mesoflow):
    code, _, _ = mesoflow("run", QUICKSTART, MESOFLOW_CRASH="sent:buy/fill")
    assert code == -signal.SIGKILL
    report = json.loads(mesoflow("show", RUN, "--format", "json")[1])
    assert (report["state"], report["reason"], [u["path"] for u in report["unknowns"]]) == (
        "parked",
        "died",
        ["buy/fill"],
    )
    code, out, _ = mesoflow("resume", RUN, "--format", "json")
    report = json.loads(out)
    assert (code, report["state"], report["outputs"]["position_id"]) == (0, "done", 1001)
    assert [order["path"] for order in report["orders"]] == ["buy/fill", "sell/fill"]


def test_cancel_of_a_killed_run_does_it_itself_and_resends_nothing(mesoflow):
    assert mesoflow("run", QUICKSTART, MESOFLOW_CRASH="committed:buy/fill#intended")[0] == -signal.SIGKILL
    code, out, _ = mesoflow("cancel", RUN, "--format", "json")
    report = json.loads(out)
    assert (code, report["state"]) == (6, "cancelled")
    assert [(order["path"], order["ended"]) for order in report["orders"]] == [("buy/fill", "refused")]


def test_a_slow_run_is_cancelled_from_another_process_which_waits_for_the_answer(mesoflow):
    running = mesoflow("run", QUICKSTART, "--speed", "5", wait=False)
    until(running, "strategy")
    code, out, _ = mesoflow("cancel", RUN, "--reason", "wrong day")
    assert (code, out) == (6, f"{RUN}  cancelled\n  show     mesoflow show {RUN}\n")
    out, _ = running.communicate(timeout=WITHIN_S)
    assert running.returncode == 6


def test_two_runners_on_one_run(mesoflow):
    running = mesoflow("run", QUICKSTART, "--speed", "5", wait=False)
    until(running, "strategy")
    assert json.loads(mesoflow("runs", "--format", "json")[1])["runs"][0]["state"] == "running"
    code, _, err = mesoflow("resume", RUN)
    assert code == 9
    assert err.startswith("refused[MF614]: ")


def test_ctrl_c_parks(mesoflow):
    running = mesoflow("run", QUICKSTART, "--speed", "5", wait=False)
    until(running, "strategy")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=WITHIN_S)
    assert (running.returncode, err) == (130, "")
    assert f"{RUN}  parked (interrupted): by SIGINT\n  next     mesoflow resume {RUN}" in out


@pytest.fixture
def served(mesoflow, tmp_path):
    """A served world, and a profile `lab` for it."""
    server = mesoflow("sim", "serve", "--speed", "10", "--state", str(tmp_path / "served"), wait=False)
    url = until(server, "listening")[-1].split()[-1]
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    config = home / "config.yaml"
    config.write_text(f"hubs:\n  lab: {{url: {url}, simulator: true}}\n")
    config.chmod(0o600)
    return server


def test_a_run_at_a_served_world_and_a_clean_end_of_the_server(mesoflow, served):
    code, out, err = mesoflow(
        "run", QUICKSTART, "--hub", "lab", "--set", "entry_at=10:01", "--format", "json"
    )
    report = json.loads(out)
    assert (code, err, report["state"], report["hub"]["kind"]) == (0, "", "done", "simulator")
    served.send_signal(signal.SIGTERM)
    served.communicate(timeout=WITHIN_S)
    assert served.returncode == 0
    code, _, err = mesoflow("run", QUICKSTART, "--hub", "lab")
    assert code == 1
    assert "does not tell its clock" in err


def test_a_key_is_nowhere_in_what_a_run_leaves_behind(mesoflow, served, tmp_path):
    key = "sesame-canary-123"
    code, out, err = mesoflow(
        "run", QUICKSTART, "--hub", "lab", "--set", "entry_at=10:01", MESOLIVE_API_KEY=key
    )
    assert code == 0
    left = (
        out
        + err
        + "".join(
            file.read_bytes().decode("latin-1") for file in (tmp_path / "home").rglob("*") if file.is_file()
        )
    )
    assert "started" in left
    assert key not in left


def test_a_reader_that_goes_away_is_no_error(mesoflow):
    mesoflow("run", QUICKSTART)
    printing = mesoflow("journal", RUN, wait=False)
    printing.stdout.close()
    assert printing.wait(timeout=WITHIN_S) == 0
    assert printing.stderr.read() == ""
