"""Named crash points: what is reached, what is listed, where a process dies or stands still."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from mesoflow.runtime import crashpoints
from mesoflow.runtime.crashpoints import CrashPoints


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[signal.Signals]:
    """What the process would have sent to itself."""
    sent: list[signal.Signals] = []
    monkeypatch.setattr(crashpoints.os, "kill", lambda pid, number: sent.append(number))
    return sent


def test_without_variables_nothing_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MESOFLOW_CRASH", "MESOFLOW_STOP", "MESOFLOW_CRASH_LIST"):
        monkeypatch.delenv(name, raising=False)
    assert not CrashPoints.from_environment().active


def test_it_dies_at_its_point_only(monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals]) -> None:
    monkeypatch.setenv("MESOFLOW_CRASH", "sent:buy/fill")
    points = CrashPoints.from_environment()
    points.reach("committed:buy/fill#intended", "commit-20")
    assert signals == []
    points.reach("sent:buy/fill")
    assert signals == [signal.SIGKILL]


def test_it_dies_at_the_point_of_a_number(
    monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals]
) -> None:
    monkeypatch.setenv("MESOFLOW_CRASH", "#2")
    points = CrashPoints.from_environment()
    points.reach("committed:buy/fill#intended")
    assert signals == []
    points.reach("sent:buy/fill")
    points.reach("answered:buy/fill")
    assert signals == [signal.SIGKILL]


def test_it_stands_still_once_at_each(monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals]) -> None:
    """A call that is sent again passes its point: whoever stopped it has had his turn."""
    monkeypatch.setenv("MESOFLOW_STOP", "committed:buy/fill#intended,sent:buy/fill")
    points = CrashPoints.from_environment()
    for name in ("committed:buy/fill#intended", "sent:buy/fill", "answered:buy/fill", "sent:buy/fill"):
        points.reach(name)
    assert signals == [signal.SIGSTOP, signal.SIGSTOP]


def test_points_of_one_commit_are_listed_with_their_state(tmp_path: Path) -> None:
    points = CrashPoints(list_to=tmp_path / "points.txt")
    points.reach("committed:a/x#settled", "commit-7")
    points.reach("committed:b/y#intended", "commit-7")
    points.reach("sent:b/y")
    lines = (tmp_path / "points.txt").read_text().splitlines()
    assert lines == [
        "committed:a/x#settled\tcommit-7",
        "committed:b/y#intended\tcommit-7",
        "sent:b/y\tsent:b/y",
    ]
