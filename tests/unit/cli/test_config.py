"""config.yaml: what it may hold, where it is wrong, and where the keys are."""

from datetime import timedelta
from pathlib import Path

import pytest

from mesoflow.cli.config import Config, HubProfile, Key, read_config, secret_of
from mesoflow.runtime.refusal import Refusal
from mesoflow.runtime.tell import ToCommand, ToFile

WHOLE = """
hubs:
  desk: {url: https://live.example.com, key: {env: DESK_KEY}, credit_sign: negative, retention: 10m, late_arrival: 30s}
  lab: {url: http://127.0.0.1:5000, simulator: true}
notify:
  screen: terminal
  log: {file: /var/log/desk.jsonl}
  ops: {command: [pager, --now]}
"""


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.delenv("MESOLIVE_API_KEY", raising=False)


def written(tmp_path, text, mode=0o600):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    file.chmod(mode)
    return tmp_path


def test_without_a_file_there_are_no_hubs_and_no_targets(tmp_path):
    assert read_config(tmp_path) == Config()


def test_a_whole_file(tmp_path):
    config = read_config(written(tmp_path, WHOLE))
    assert config.hubs["desk"] == HubProfile(
        url="https://live.example.com",
        key=Key(env="DESK_KEY"),
        credit_sign="negative",
        retention="10m",
        late_arrival="30s",
    )
    assert config.hubs["desk"].retention == timedelta(minutes=10)
    assert config.hubs["lab"].simulator is True
    assert config.targets() == {
        "screen": "terminal",
        "log": ToFile(Path("/var/log/desk.jsonl")),
        "ops": ToCommand(("pager", "--now")),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hubs: [", "this file is not YAML"),
        ("hubs:\n  desk: {url: https://h, kye: {env: X}}", "line 2: hubs.desk.kye: Extra inputs are not permitted"),
        ("hubs:\n  desk:\n    url: https://h\n    retention: 10", "line 4: hubs.desk.retention: write a duration as 30s, 10m or 2h"),
        ("hubs:\n  desk: {url: https://h, key: {env: A, file: b}}", "line 2: hubs.desk.key: give exactly one of env, file and keyring"),
        ("hubs: {desk: {url: https://h}}\nhubs: {}", "the key `hubs` is written twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, reason):
    with pytest.raises(Refusal) as refused:
        read_config(written(tmp_path, text))
    assert reason in refused.value.summary


def test_a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path):
    with pytest.raises(Refusal) as refused:
        read_config(written(tmp_path, WHOLE, 0o644))
    assert refused.value.help == (f"chmod 600 {tmp_path}/config.yaml",)


def profile(**key):
    return HubProfile(url="https://h", key=Key(**key))


def test_the_environment_comes_before_the_profile(monkeypatch):
    monkeypatch.setenv("DESK_KEY", "from the profile")
    assert secret_of(profile(env="DESK_KEY"), "desk") == "from the profile"
    monkeypatch.setenv("MESOLIVE_API_KEY", "from the environment")
    assert secret_of(profile(env="DESK_KEY"), "desk") == "from the environment"


def test_nobody_says_anything():
    assert secret_of(HubProfile(url="https://h"), "desk") is None
    assert secret_of(None, "sim") is None


def test_a_key_file_must_be_ours_alone(tmp_path):
    file = tmp_path / "key"
    file.write_text("sesame-123\n")
    file.chmod(0o600)
    assert secret_of(profile(file=str(file)), "desk") == "sesame-123"
    file.chmod(0o640)
    with pytest.raises(Refusal) as refused:
        secret_of(profile(file=str(file)), "desk")
    assert refused.value.help == (f"chmod 600 {file}",)


@pytest.mark.parametrize("key", [{"env": "NOT_SET_ANYWHERE"}, {"file": "/nonexistent/key"}])
def test_a_key_that_is_not_there_is_a_refusal_that_names_the_place(key):
    with pytest.raises(Refusal, match="there is no API key for desk"):
        secret_of(profile(**key), "desk")
