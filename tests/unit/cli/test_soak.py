"""What `mesoflow soak` says, and how a world's commands live and die."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from mesoflow.cli.commands.soak import life, summary, told
from mesoflow.rehearsal.soak import Played
from mesoflow.rehearsal.staging import Stage

GOOD = Played(4, "IB-1 101 | no fault | undisturbed", (0, 0), ())
BROKEN = Played(
    5, "TT-1 103 | no fault | die after 3 s", (-9, 1, 1), ("I5 at soak buy/send: 0 believed, 1 filled",)
)


def test_worlds_in_which_nothing_is_wrong_are_one_line() -> None:
    assert list(told(GOOD)) == []
    assert summary(4, [GOOD, GOOD], 0.5) == (
        "2 worlds from seed 4 on, 4 processes, 4 a minute: 0 with violations; the last process ended 2 in 0"
    )


def test_a_broken_world_says_how_to_play_it_again() -> None:
    assert list(told(BROKEN)) == [
        "seed 5  TT-1 103 | no fault | die after 3 s",
        "  exits    -9 1 1",
        "  broken   I5 at soak buy/send: 0 believed, 1 filled",
        "  replay   mesoflow soak --seeds 1 --first 5 --keep DIR",
    ]
    assert (
        list(told(BROKEN, days=True))[-1] == "  replay   mesoflow soak --days --seeds 1 --first 5 --keep DIR"
    )
    assert summary(4, [GOOD, BROKEN], 1.0).endswith(
        "1 with violations; the last process ended 1 in 0, 1 in 1"
    )


def test_a_single_world_is_told_whole() -> None:
    assert list(told(GOOD, alone=True)) == ["seed 4  IB-1 101 | no fault | undisturbed", "  exits    0 0"]


def test_a_command_is_a_process_of_its_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert life(home, ["runs"], Stage(), {}) == 0
    assert life(home, ["resume", "nobody"], Stage(), {}) == 1
    assert "nobody" in (tmp_path / "said.txt").read_text()


def test_it_can_really_be_killed_and_its_stage_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "mesoflow: 1\nname: one\nrisk: {accounts: [PAPER-1]}\nsteps:\n  - {id: account, action: account.select}\n"
    )
    parent = os.getpid()

    def opened(_: object) -> None:
        assert os.getpid() != parent
        os.kill(os.getpid(), signal.SIGKILL)

    assert life(tmp_path / "home", ["run", str(tmp_path / "one.yaml")], Stage(opened), {}) == -signal.SIGKILL
    assert life(tmp_path / "home", ["run", str(tmp_path / "one.yaml")], Stage(), {}) == 0
