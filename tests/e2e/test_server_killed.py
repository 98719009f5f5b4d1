"""The simulator's server is killed and started anew under a living run: at the same port, from the same state.

The run stands still at a crash point while that happens, so it is certain what the server had seen. Afterwards the run ends
done by itself, or it parks with its reason and a resume ends it done: the position is closed, and no key was executed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.lab import QUICKSTART, RUN, Lab, Stopping

EXIT_HUB_AWAY = 8


def restart(lab: Lab, run: Stopping) -> None:
    lab.kill()
    lab.serve()


def restart_once_sent(lab: Lab, run: Stopping) -> None:
    """The request leaves for a server that reads nothing any more, and dies before it could."""
    lab.freeze()
    run.go_on()
    run.stopped()
    restart(lab, run)


@pytest.mark.parametrize(
    ("stop_at", "strike"),
    [
        pytest.param(["committed:entry/start#settled"], restart, id="during the prepare"),
        pytest.param(["committed:buy/fill#intended"], restart, id="between commit and send"),
        pytest.param(
            ["committed:buy/fill#intended", "sent:buy/fill"], restart_once_sent, id="sent and never read"
        ),
        pytest.param(["sent:sell/fill"], restart, id="sent, perhaps executed"),
        pytest.param(["committed:window/at#settled"], restart, id="during the wait"),
    ],
)
def test_the_server_is_killed_and_started_anew(
    tmp_path: Path, stop_at: list[str], strike: Callable[[Lab, Stopping], None]
) -> None:
    with Lab(tmp_path) as lab:
        with lab.start("run", *QUICKSTART, stop_at=stop_at) as run:
            run.stopped()
            strike(lab, run)
            code, said = run.to_its_end()
        if code == EXIT_HUB_AWAY:
            assert "parked (hub_unavailable)" in said
            resumed = lab.mesoflow("resume", RUN)
            code, said = resumed.returncode, resumed.stdout + resumed.stderr
        assert code == 0, said
        lab.stop()
        executed = lab.executed()
        assert (len(executed), len(set(executed)), lab.is_flat()) == (2, 2, True)
